/* manager_hostile.c - clients that break the rules of the manager's server, and an honest one beside them.
   ./manager_hostile ROUNDS SEED
   First each kind of attack once: lengths that are refused, requests that do not exist, half a request, a
   client that never reads, no descriptors left. Then ROUNDS connections with random bytes, most of them nearly
   right. The honest client must get the right replies all the time, and each within 2 s. One line on stderr
   and exit 1 if not. The server must end by itself afterwards: a sanitizer in it would have ended it before. */
#include "workbook.h"

#include "manager.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 2000, FD_LIMIT = 40 };

#define must(condition) do { if (!(condition)) \
    die("line %d: not so: %s (%s: %s)", __LINE__, #condition, errno_name(errno), manager_error()); } while (0)

static struct manager *manager;
static struct dict *dict;
static struct lock *lock;
static struct shared_queue *queue;

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int knock(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    snprintf(name.sun_path, sizeof name.sun_path, "%.100s", manager_address(manager));
    check(connect(fd, (const struct sockaddr *)&name, sizeof name));
    return fd;
}

static void send_head(int fd, struct request_head head)
{
    check(send(fd, &head, sizeof head, MSG_NOSIGNAL));
}

/* What the next reply says: its error; -2 when the server has closed; -3 when nothing comes. */
static int64_t reply_number;            /* of the last reply */

static int reply_error(int fd)
{
    struct reply_head head;
    struct pollfd one = { .fd = fd, .events = POLLIN };
    if (poll(&one, 1, LIMIT_MS) != 1)
        return -3;
    if (read_full(fd, &head, sizeof head) != sizeof head)
        return -2;
    char value[100];
    must(head.length < sizeof value && read_full(fd, value, head.length) == head.length);
    reply_number = head.number;
    return head.error;
}

static void is_closed(struct request_head head)
{
    int fd = knock();
    send_head(fd, head);
    must(reply_error(fd) == -2);
    check(close(fd));
}

/* The honest client: some of everything, and the time that it takes. */
static void be_honest(int times)
{
    static int number;
    for (int i = 0; i < times; i++) {
        int got = 0;
        long start = now_ms();
        number++;
        must(lock_acquire(lock, LIMIT_MS) == 0);
        must(dict_set(dict, "honest", &number, sizeof number) == 0);
        must(dict_get(dict, "honest", &got, sizeof got) == sizeof got && got == number);
        must(shared_queue_put(queue, &number, sizeof number, LIMIT_MS) == 0);
        must(shared_queue_get(queue, &got, sizeof got, LIMIT_MS) == sizeof got && got == number);
        must(lock_release(lock) == 0);
        must(now_ms() - start < LIMIT_MS);
    }
}

static long resident_kb(void)
{
    char path[40], line[200];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)manager_server_pid(manager));
    FILE *file = check_ptr(fopen(path, "r"));
    while (fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmRSS: %ld", &kb);
    fclose(file);
    return kb;
}

static void attack_lengths(void)
{
    long before = resident_kb();
    be_honest(1);
    for (int i = 0; i < 50; i++) {
        is_closed((struct request_head){ .request = DICT_LEN, .object = 1, .length = 0x80000000u });
        is_closed((struct request_head){ .request = DICT_LEN, .object = 1, .length = 0xffffffffu });
        is_closed((struct request_head){ .request = DICT_LEN, .object = 1, .length = MANAGER_LARGEST + 1 });
        is_closed((struct request_head){ .request = DICT_GET, .object = 1, .length = 10, .key_length = 11 });
        is_closed((struct request_head){ .request = DICT_GET, .object = 1, .length = 1000, .key_length = 256 });
        is_closed((struct request_head){ .request = DICT_GET, .object = 1, .length = 10, .key_length = 0xffffffffu });
    }
    must(resident_kb() < before + 8192);
}

static void attack_requests(void)
{
    static const uint32_t requests[] = { 0, 2, 255, 256, 257, 14 << 8, 0xffffffff, 0x10101, DICT << 8 | 9,
                                         NAMESPACE << 8 | 5, QUEUE << 8 | 7, LOCK << 8 | 3 };
    int fd = knock();
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        send_head(fd, (struct request_head){ .request = requests[i], .object = 0xfffffff0u, .limit_ms = 0 });
        int error = reply_error(fd);
        must(error == EINVAL || error == ESRCH || (error == 0 && requests[i] == DICT << 8));
    }
    send_head(fd, (struct request_head){ .request = DICT << 8 | 9, .object = 1, .length = 1, .key_length = 1 });
    check(send(fd, "x", 1, MSG_NOSIGNAL));
    must(reply_error(fd) == EINVAL);            /* a dict has 8 requests */
    send_head(fd, (struct request_head){ .request = LOCK_ACQUIRE, .object = 1 });
    must(reply_error(fd) == EINVAL);            /* a dict is not a lock */
    send_head(fd, (struct request_head){ .request = DICT_LEN, .object = 1 });
    must(reply_error(fd) == 0);                 /* the connection is as good as before */
    struct request_head two[2] = { { .request = DICT_LEN, .object = 1 }, { .request = DICT_LEN, .object = 1 } };
    check(send(fd, two, sizeof two, MSG_NOSIGNAL));
    must(reply_error(fd) == -2);
    check(close(fd));
}

/* Every request, and every number that is none, to an object of every type: only those of its own type are served.
   Those get keys and values that may fit or not; what counts is that each one gets a reply. */
static void attack_types(void)
{
    static const unsigned char value[16] = "12345678";
    int fd = knock();
    for (uint32_t type = DICT; type < TYPES; type++)
        for (uint32_t other = 0; other <= TYPES; other++)
            for (uint32_t number = 0; number < 16; number++) {
                unsigned char bytes[sizeof(struct request_head) + 8];
                struct request_head create = { .request = type << 8 | CREATE, .length = 8, .number = type != CONDITION };
                memcpy(bytes, &create, sizeof create);
                memcpy(bytes + sizeof create, value, 8);
                check(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL));
                must(reply_error(fd) == 0);
                struct request_head head = { .request = other << 8 | number, .object = (uint32_t)reply_number, .length = 8,
                                             .key_length = number % 2 == 0 ? 3 : 0, .number = 1, .room = 50 };
                memcpy(bytes, &head, sizeof head);
                for (int twice = 0; twice < 2; twice++) {
                    check(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL));
                    int error = reply_error(fd);
                    must(error >= 0);
                    must(error == EINVAL || other == type || number == CREATE || head.request == DELETE);
                }
                struct request_head destroy = { .request = DELETE, .object = head.object };
                send_head(fd, destroy);
                must(reply_error(fd) >= 0);
            }
    check(close(fd));
}

/* Strangers at a door with a key: silent ones, one who asks without a proof, wrong proofs in pieces. They get the
   challenge, and then nothing but the end. Who has the key is served meanwhile. */
static void attack_the_door(void)
{
    struct manager *locked = check_ptr(manager_start("127.0.0.1:0", "open sesame", 11));
    struct dict *d = check_ptr(manager_dict(locked));
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct request_head head = { .request = DICT_LEN, .object = 1 };
    unsigned char bytes[200];
    int silent[20], fds[60];
    name.sin_port = htons((uint16_t)atoi(strchr(manager_address(locked), ':') + 1));
    for (int i = 0; i < 80; i++) {
        int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        check(connect(fd, (const struct sockaddr *)&name, sizeof name));
        *(i < 20 ? &silent[i] : &fds[i - 20]) = fd;
    }
    for (int i = 0; i < 60; i++) {
        size_t size = i == 0 ? sizeof head : 64 + sizeof head, first = (size_t)rand() % size;
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (unsigned char)rand();
        memcpy(bytes + (i == 0 ? 0 : 64), &head, sizeof head);      /* without a proof; behind a wrong one */
        send(fds[i], bytes, first, MSG_NOSIGNAL);
        must(dict_set(d, "k", "v", 2) == 0 && dict_len(d) == 1);
        send(fds[i], bytes + first, size - first, MSG_NOSIGNAL);
        shutdown(fds[i], SHUT_WR);      /* fails when the server has closed already */
        size_t got = 0;
        for (ssize_t count; (count = recv(fds[i], bytes, sizeof bytes, 0)) > 0; got += (size_t)count)
            ;
        must(got <= 32);                /* after a reset the challenge may be lost, too */
        check(close(fds[i]));
    }
    struct manager *friend = check_ptr(manager_connect(manager_address(locked), "open sesame", 11));
    must(manager_stop(friend) == 0 && dict_get(d, "k", bytes, sizeof bytes) == 2);
    for (int i = 0; i < 20; i++)
        check(close(silent[i]));
    must(manager_stop(locked) == 0);
}

/* A request in single bytes, with honest ones in between; and one whose end never comes. */
static void attack_slowly(void)
{
    int slow = knock(), half = knock(), silent = knock();
    struct request_head head = { .request = DICT_HAS, .object = 1, .length = 6, .key_length = 6 };
    unsigned char bytes[sizeof head + 6];
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, "honest", 6);
    check(send(half, bytes, sizeof bytes / 2, MSG_NOSIGNAL));
    for (size_t i = 0; i < sizeof bytes; i++) {
        check(send(slow, bytes + i, 1, MSG_NOSIGNAL));
        be_honest(1);
    }
    must(reply_error(slow) == 0);
    check(close(slow));
    check(close(half));
    check(close(silent));
}

/* Asks for much, again and again, and reads nothing. */
static void attack_by_not_reading(void)
{
    static char big[500000];
    struct request_head head = { .request = DICT_GET, .object = 1, .length = 3, .key_length = 3, .room = sizeof big };
    unsigned char bytes[sizeof head + 3];
    int fds[10];
    must(dict_set(dict, "big", big, sizeof big) == 0);
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, "big", 3);
    for (int i = 0; i < 10; i++) {
        fds[i] = knock();
        while (send(fds[i], bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
    }
    be_honest(100);
    for (int i = 0; i < 10; i++)
        check(close(fds[i]));
    must(dict_del(dict, "big") == 0);
}

/* The processor time that the server has used, in ms. */
static long used_ms(void)
{
    clockid_t clock;
    struct timespec used;
    check_pthread(clock_getcpuclockid(manager_server_pid(manager), &clock));
    check(clock_gettime(clock, &used));
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* More clients than the server has descriptors. */
static void attack_descriptors(void)
{
    int fds[2 * FD_LIMIT];
    for (int i = 0; i < 2 * FD_LIMIT; i++)
        fds[i] = knock();
    be_honest(100);
    long used = used_ms();
    struct timespec rest = { .tv_nsec = 200000000 };
    nanosleep(&rest, NULL);
    must(used_ms() - used < 50);                /* it does not look at the door all the time */
    struct request_head head = { .request = DICT_LEN, .object = 1 };
    send_head(fds[2 * FD_LIMIT - 1], head);     /* it waits at the door */
    for (int i = 0; i < 2 * FD_LIMIT - 1; i++)
        check(close(fds[i]));
    must(reply_error(fds[2 * FD_LIMIT - 1]) == 0);
    check(close(fds[2 * FD_LIMIT - 1]));
}

static uint32_t last_object;            /* the number of an object that is not older than a round */

/* Deletes all objects but the honest ones: then the server has no more memory than before. */
static void clean_up(void)
{
    static uint32_t first = 4;
    struct request_head head = { .request = EVENT << 8 | CREATE };
    int fd = knock();
    send_head(fd, head);
    must(reply_error(fd) == 0);
    last_object = (uint32_t)reply_number;
    for (int twice = 0; twice < 2; twice++)     /* first the conditions, then their locks */
        for (uint32_t number = first; number <= last_object; number++) {
            send_head(fd, (struct request_head){ .request = DELETE, .object = number });
            must(reply_error(fd) >= 0);
        }
    first = last_object + 1;
    check(close(fd));
}

/* A connection with some requests that are nearly right, in random pieces. */
static void attack_randomly(void)
{
    static unsigned char bytes[70000];
    int fd = knock();
    for (int times = rand() % 8; times >= 0; times--) {
        struct request_head head = {
            .request = (uint32_t)(rand() % TYPES << 8 | (rand() % 12)), .object = (uint32_t)(rand() % 30),
            .length = (uint32_t)(rand() % 100), .limit_ms = rand() % 4 - 1, .number = rand() % 12 - 6,
            .room = (uint32_t)(rand() % 1000),
        };
        head.key_length = (uint32_t)(rand() % 20);
        if (rand() % 20 == 0)
            head.length = (uint32_t)(rand() % 70000);
        if (rand() % 30 == 0)
            head.number = (int64_t)((uint64_t)rand() << 33 | (uint64_t)rand());
        if (rand() % 30 == 0)
            head.length = (uint32_t)rand() * 2;
        for (size_t i = 0; i < sizeof bytes; i += 97)
            bytes[i] = (unsigned char)rand();
        if (head.object > 3)
            head.object += last_object > 26 ? last_object - 26 : 0;       /* the youngest, mostly */
        else if (head.request != DICT_GET && head.request != DICT_LEN)
            head.object = 0;            /* the honest objects, 1 to 3, shall stay what they are */
        memcpy(bytes, &head, sizeof head);
        size_t size = sizeof head + (head.length < 69000 ? head.length : 69000), sent = 0;
        if (rand() % 10 == 0)
            size = (size_t)(rand() % 70000);
        while (sent < size) {
            size_t piece = rand() % 3 == 0 ? 1 + (size_t)rand() % 40 : size - sent;
            ssize_t count = send(fd, bytes + sent, piece < size - sent ? piece : size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count <= 0)
                break;
            sent += (size_t)count;
        }
        if (rand() % 2 == 0)
            while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
                ;
        struct pollfd one = { .fd = fd, .events = POLLIN };
        if (rand() % 3 != 0)
            poll(&one, 1, rand() % 3);
    }
    check(close(fd));
}

int main(int argc, char **argv)
{
    long rounds, seed;
    if (argc != 3 || parse_number(argv[1], 0, 100000000, &rounds) == -1 || parse_number(argv[2], 0, 1 << 30, &seed) == -1)
        usage("manager_hostile ROUNDS SEED");
    srand((unsigned)seed);

    struct rlimit few = { FD_LIMIT, FD_LIMIT }, before;
    check(getrlimit(RLIMIT_NOFILE, &before));
    few.rlim_max = before.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &few));      /* for the server */
    manager = check_ptr(manager_start(NULL, NULL, 0));
    check(setrlimit(RLIMIT_NOFILE, &before));
    dict = check_ptr(manager_dict(manager));
    lock = check_ptr(manager_lock(manager));
    queue = check_ptr(manager_queue(manager, 0));

    attack_lengths();
    attack_requests();
    attack_types();
    attack_the_door();
    attack_slowly();
    attack_by_not_reading();
    attack_descriptors();
    be_honest(100);
    long early = 0;                     /* the server's memory, when all kinds of things have happened in it */
    for (long i = 0; i < rounds; i++) {
        attack_randomly();
        be_honest(1);
        if (i % 20 == 19)
            clean_up();
        if (i == rounds / 10)
            early = resident_kb();
    }
    clean_up();
#ifdef __SANITIZE_ADDRESS__
    early = 0;                          /* it keeps what is freed for a while */
#endif
    if (rounds >= 1000 && early > 0 && resident_kb() > early + early / 5 + 4096)
        die("the server's memory has grown from %ld to %ld kB", early, resident_kb());
    if (manager_stop(manager) == -1)
        die("seed %ld: %s", seed, manager_error());
}
