/* echo_many.c - many clients of an echo server at once, in one process: each byte must come back, in capital
   letters, whatever the pieces, and whatever the bad clients do that run beside the honest ones.
   ./echo_many PORT CLIENTS ATONCE STRINGS honest|together|bad|deaf|late [SEED]
     honest    CLIENTS one after the other, ATONCE of them at a time, each with STRINGS strings of random bytes
     together  all are open before the first byte is sent, and closed when the last one has got all
     bad       as honest; but every third one resets, leaves halfway, says nothing or takes nothing back
     deaf      as bad; and 8 more take nothing back, and stay to the end
     late      as honest; and one takes nothing back until all buffers are full, and then must get everything
   Prints one line; exit 1 when an honest client did not get what it should. */
#include "workbook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 2000, SIZE = 700, LIMIT_S = 60 };

enum kind { HONEST, RESETS, LEAVES, SAYS_NOTHING, TAKES_NOTHING };

struct client {
    int fd;
    enum kind kind;
    long strings;                       /* still to be sent, after this one */
    char bytes[SIZE];                   /* the string that is sent now */
    size_t size, sent, got;
    bool all_sent, done;
};

static struct client clients[MOST];
static struct pollfd fds[MOST];
static struct sockaddr_in address;
static unsigned long long state;
static char much[65536];

static unsigned draw(unsigned below)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33) % below;
}

static void next_string(struct client *client)
{
    client->size = 1 + draw(draw(4) == 0 ? SIZE : 40);
    client->sent = client->got = 0;
    for (size_t i = 0; i < client->size; i++)
        client->bytes[i] = (char)draw(256);
}

static void begin(struct client *client, enum kind kind, long strings)
{
    *client = (struct client){ .kind = kind, .strings = strings - 1 };
    client->fd = check(socket(AF_INET, SOCK_STREAM, 0));
    while (connect(client->fd, (const struct sockaddr *)&address, sizeof address) == -1)
        if (errno != EINTR)
            check(-1);
    check(fcntl(client->fd, F_SETFL, O_NONBLOCK));
    next_string(client);
}

static void reset(int fd)
{
    struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

static char upper(char byte)
{
    return byte >= 'a' && byte <= 'z' ? (char)(byte - 32) : byte;
}

/* Sends a random piece of what is left. */
static void send_piece(struct client *client)
{
    size_t left = client->size - client->sent, piece = 1 + draw((unsigned)left);
    ssize_t count = send(client->fd, client->bytes + client->sent, draw(2) ? left : piece, MSG_NOSIGNAL);
    if (count == -1 && errno != EAGAIN)
        die("send: an honest client was cut off: %s", errno_name(errno));
    client->sent += count > 0 ? (size_t)count : 0;
}

static void take_piece(struct client *client)
{
    char bytes[SIZE];
    ssize_t count = recv(client->fd, bytes, 1 + draw(SIZE), 0);
    if (count == -1 && errno == EAGAIN)
        return;
    if (count == -1)
        die("recv: an honest client was cut off: %s", errno_name(errno));
    if (count == 0 && !client->all_sent)
        die("an honest client was sent away after %zu of %zu bytes", client->got, client->size);
    for (ssize_t i = 0; i < count; i++, client->got++)
        if (client->got >= client->sent || bytes[i] != upper(client->bytes[client->got]))
            die("a wrong byte came back");
    if (count == 0)
        client->done = true;
}

/* Sends letters and takes nothing, until all buffers are full, here and there. Returns how many were sent. */
static size_t fill(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLOUT };
    size_t sent = 0;
    do {
        for (size_t i = 0; i < sizeof much; i++)
            much[i] = (char)('a' + (sent + i) % 23);
        ssize_t count = send(fd, much, sizeof much, MSG_NOSIGNAL);
        sent += count > 0 ? (size_t)count : 0;
    } while (check(poll(&one, 1, 30)) > 0);
    return sent;
}

static void be_late(void)
{
    struct client client;
    char bytes[50000];
    begin(&client, HONEST, 1);
    size_t sent = fill(client.fd), got = 0;
    check(shutdown(client.fd, SHUT_WR));
    check(fcntl(client.fd, F_SETFL, 0));
    for (ssize_t count; (count = check(recv(client.fd, bytes, sizeof bytes, 0))) > 0; got += (size_t)count)
        for (size_t i = 0; i < (size_t)count; i++)
            if (bytes[i] != (char)('A' + (got + i) % 23))
                die("late: byte %zu of %zu is wrong", got + i, sent);
    if (got != sent)
        die("late: %zu bytes were sent, %zu came back", sent, got);
    check(close(client.fd));
}

/* One step of a client that is ready for EVENTS. LAST: it may say that it has no more. */
static void step(struct client *client, short events, bool last)
{
    if (client->kind != HONEST) {
        if (events == 0)
            return;
        if (client->kind == LEAVES)
            send(client->fd, much, sizeof much, MSG_NOSIGNAL);      /* the server is not ready when we go */
        else if (client->kind != SAYS_NOTHING)
            send(client->fd, client->bytes, client->size, MSG_NOSIGNAL);
        if (client->kind == RESETS)
            reset(client->fd);
        client->done = client->kind != TAKES_NOTHING || client->strings-- <= 0;
        return;
    }
    if ((events & POLLOUT) != 0 && client->sent < client->size)
        send_piece(client);
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
        take_piece(client);
    if (client->got == client->size && !client->all_sent) {
        if (client->strings > 0) {
            client->strings--;
            next_string(client);
        } else if (last) {
            client->all_sent = true;
            check(shutdown(client->fd, SHUT_WR));
        }
    }
}

static long seconds(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec;
}

int main(int argc, char **argv)
{
    long port, total, at_once, strings, seed = 1;
    if (argc < 6 || argc > 7 || parse_number(argv[1], 1, 65535, &port) == -1 ||
        parse_number(argv[2], 1, 1000000, &total) == -1 || parse_number(argv[3], 1, MOST, &at_once) == -1 ||
        parse_number(argv[4], 1, 100000, &strings) == -1 || (argc == 7 && parse_number(argv[6], 0, 1000000, &seed) == -1))
        usage("echo_many PORT CLIENTS ATONCE STRINGS honest|together|bad|deaf|late [SEED]");
    bool together = strcmp(argv[5], "together") == 0, deaf = strcmp(argv[5], "deaf") == 0;
    bool bad = deaf || strcmp(argv[5], "bad") == 0;
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit));
    state = (unsigned long long)seed;
    address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    int deaf_ones[8];
    if (strcmp(argv[5], "late") == 0)
        be_late();
    for (int i = 0; deaf && i < 8; i++) {
        struct client client;
        begin(&client, TAKES_NOTHING, 1);
        fill(client.fd);
        deaf_ones[i] = client.fd;
    }
    long begun = 0, open = 0, honest = 0, waiting = 0, end = seconds() + LIMIT_S;
    for (long i = 0; i < at_once; i++)
        fds[i].fd = -1;
    while (begun < total || open > 0) {
        for (long i = 0; i < at_once && begun < total; i++)
            if (fds[i].fd == -1) {
                begin(&clients[i], bad && begun % 3 == 2 ? 1 + draw(4) : HONEST, strings);
                fds[i].fd = clients[i].fd;
                honest += clients[i].kind == HONEST;
                begun++, open++;
            }
        waiting = 0;                    /* together: nobody ends before all have got all */
        for (long i = 0; i < at_once; i++) {
            const struct client *client = &clients[i];
            waiting += fds[i].fd != -1 && (client->strings > 0 || client->got < client->size);
            fds[i].events = client->kind != HONEST || client->sent < client->size ? POLLIN | POLLOUT : POLLIN;
        }
        bool last = !together || waiting == 0;
        check(poll(fds, (nfds_t)at_once, last && together ? 10 : 1000));
        if (seconds() > end)
            die("after %d s: %ld of %ld clients begun, %ld still open", LIMIT_S, begun, total, open);
        for (long i = 0; i < at_once; i++)
            if (fds[i].fd != -1 && (fds[i].revents != 0 || last)) {
                step(&clients[i], fds[i].revents, last);
                if (clients[i].done) {
                    check(close(fds[i].fd));
                    fds[i].fd = -1;
                    open--;
                }
            }
    }
    for (int i = 0; deaf && i < 8; i++)
        check(close(deaf_ones[i]));
    say("%ld honest clients, %ld strings each: all came back", honest, strings);
}
