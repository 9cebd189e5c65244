/* manager.c - how fast is the manager of chapter 10? All in one run, in turns:
   bare       a process that answers 8 bytes on a Unix socket with 8 bytes; one client
   manager    dict_get of 8 bytes
   redis      GET of 8 bytes over its Unix socket, where a redis-server is there
   CPython    Manager().dict()["Ann"], where python3 is there
   ./manager TRIPS CLIENTS REPEATS REDIS_SOCKET|- PYTHON_SCRIPT|-      the script beside it starts the rest
   Prints the best of the repeats, and ratios. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BARE, MANAGER, REDIS, PYTHON, KINDS, MOST = 200 };

static const char *const names[KINDS] = { "bare socket", "manager.h", "redis", "CPython" };

static struct manager *manager;
static struct dict *ages;
static const char *redis_socket, *python_script;

static double now(void)
{
    struct timespec time;
    check(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- one get of each kind; FD is what connect_to has returned ---- */

static int connect_redis(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(redis_socket) >= sizeof address.sun_path)
        die("%s: too long", redis_socket);
    strcpy(address.sun_path, redis_socket);
    int fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(connect(fd, (const struct sockaddr *)&address, sizeof address));
    return fd;
}

/* Sends COMMAND and reads until WANTED has come, byte for byte. */
static void ask_redis(int fd, const char *command, const char *wanted)
{
    char reply[100];
    size_t size = strlen(wanted);
    check(write_full(fd, command, strlen(command)));
    if (check(read_full(fd, reply, size)) != (ssize_t)size || memcmp(reply, wanted, size) != 0)
        die("redis: another reply than expected");
}

static void get(int kind, int fd)
{
    char bytes[8];
    if (kind == MANAGER && check(dict_get(ages, "Ann", bytes, sizeof bytes)) != sizeof bytes)
        die("manager: not the value");
    if (kind == REDIS)
        ask_redis(fd, "*2\r\n$3\r\nGET\r\n$3\r\nAnn\r\n", "$8\r\n12345678\r\n");
    if (kind == BARE && (check(write_full(fd, "12345678", 8)) != 8 || check(read_full(fd, bytes, 8)) != 8))
        die("bare: the end of file");
}

static int echo(void *argument)
{
    const int *ends = argument;
    char bytes[8];
    check(close(ends[0]));
    while (check(read_full(ends[1], bytes, 8)) == 8)
        check(write_full(ends[1], bytes, 8));
    return 0;
}

/* ---- one client: seconds for TRIPS gets ---- */

static double one(int kind, long trips)
{
    int ends[2] = { -1, -1 };
    pid_t child = 0;
    if (kind == BARE) {
        check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        child = check(start_child(echo, ends));
        check(close(ends[1]));
    } else if (kind == REDIS) {
        ends[0] = connect_redis();
    }
    get(kind, ends[0]);                 /* the first one connects */
    double start = now();
    for (long i = 0; i < trips; i++)
        get(kind, ends[0]);
    double seconds = now() - start;
    if (ends[0] != -1)
        check(close(ends[0]));
    if (child != 0 && check(wait_child(child)) != 0)
        die("the bare server has failed");
    return seconds;
}

/* ---- many clients: seconds for TRIPS gets in all ---- */

struct client {
    int kind, ready, go;
    long trips;
    pid_t parent;
};

static int ask(void *argument)
{
    const struct client *client = argument;
    char byte;
    check(end_with_parent(client->parent));
    int fd = client->kind == REDIS ? connect_redis() : -1;
    get(client->kind, fd);
    check(write_full(client->ready, "!", 1));
    check(read_full(client->go, &byte, 1));
    for (long i = 0; i < client->trips; i++)
        get(client->kind, fd);
    return 0;
}

static double many(int kind, long trips, long clients)
{
    int ready[2], go[2];
    char bytes[MOST];
    pid_t pids[MOST];
    check(pipe(ready));
    check(pipe(go));
    struct client client = { kind, ready[1], go[0], trips / clients, getpid() };
    for (long i = 0; i < clients; i++)
        pids[i] = check(start_child(ask, &client));
    check(read_full(ready[0], bytes, (size_t)clients));
    double start = now();
    check(write_full(go[1], bytes, (size_t)clients));
    for (long i = 0; i < clients; i++)
        if (check(wait_child(pids[i])) != 0)
            die("a client has failed");
    double seconds = now() - start;
    for (int i = 0; i < 2; i++) {
        check(close(ready[i]));
        check(close(go[i]));
    }
    return seconds;
}

/* The script prints two numbers: seconds a get of one client, and of many. */
static void python(long trips, long clients, double *single, double *crowd)
{
    char command[400];
    snprintf(command, sizeof command, "python3 '%s' %ld %ld", python_script, trips, clients);
    FILE *script = check_ptr(popen(command, "r"));
    if (fscanf(script, "%lf %lf", single, crowd) != 2)
        die("%s has not printed two numbers", python_script);
    check(pclose(script));
}

static void keep_least(double *best, double value)
{
    if (value < *best)
        *best = value;
}

int main(int argc, char **argv)
{
    long trips, clients, repeats;
    if (argc != 6 || parse_number(argv[1], 1, 100000000, &trips) == -1 ||
        parse_number(argv[2], 1, MOST, &clients) == -1 || parse_number(argv[3], 1, 1000, &repeats) == -1)
        usage("manager TRIPS CLIENTS REPEATS REDIS_SOCKET|- PYTHON_SCRIPT|-");
    redis_socket = strcmp(argv[4], "-") == 0 ? NULL : argv[4];
    python_script = strcmp(argv[5], "-") == 0 ? NULL : argv[5];

    manager = check_ptr(manager_start(NULL, NULL, 0));
    ages = check_ptr(manager_dict(manager));
    check(dict_set(ages, "Ann", "12345678", 8));
    if (redis_socket != NULL) {
        int fd = connect_redis();
        ask_redis(fd, "*3\r\n$3\r\nSET\r\n$3\r\nAnn\r\n$8\r\n12345678\r\n", "+OK\r\n");
        check(close(fd));
    }

    double single[KINDS], crowd[KINDS];     /* seconds a get */
    for (int kind = 0; kind < KINDS; kind++)
        single[kind] = crowd[kind] = 1e9;
    for (long r = 0; r < repeats; r++) {
        for (int kind = BARE; kind <= (redis_socket != NULL ? REDIS : MANAGER); kind++) {
            keep_least(&single[kind], one(kind, trips) / (double)trips);
            if (kind != BARE)
                keep_least(&crowd[kind], many(kind, trips, clients) / (double)(trips / clients * clients));
        }
        if (python_script != NULL && r < 3) {       /* it takes a second to start */
            double seconds, of_many;
            python(trips / 10 < clients ? clients : trips / 10, clients, &seconds, &of_many);
            keep_least(&single[PYTHON], seconds);
            keep_least(&crowd[PYTHON], of_many);
        }
    }
    check(manager_stop(manager));

    for (int kind = BARE; kind < KINDS; kind++) {
        if (single[kind] > 1e8)
            printf("%-12s left out: it is not there\n", names[kind]);
        else
            printf("%-12s one client: %8.2f us a get, %6.2f times bare\n", names[kind], single[kind] * 1e6, single[kind] / single[BARE]);
        if (kind != BARE && crowd[kind] < 1e8)
            printf("%-12s %ld clients: %8.0f gets a second, %6.2f times manager.h\n", "", clients, 1 / crowd[kind],
                crowd[MANAGER] / crowd[kind]);
    }
    return 0;
}
