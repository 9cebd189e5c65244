/* echo.c - how fast are the servers of chapter 11? Beside a bare loop that sends back what it gets.
   ./echo FOLDER [trips] [repeats]        FOLDER has the servers, built
   One client, a line of 20 bytes there and back: microseconds, the best of the repeats, all in turns. Then
   1000 clients at once, each with 5 lines: milliseconds for all of them, and how many got everything. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 20, MANY = 1000, LINES = 5 };

static const char *const names[] = { "bare", "echo_server", "thread_server", "prefork_server", "poll_server" };
enum { COUNT = sizeof names / sizeof names[0] };

struct server {
    pid_t pid;
    char port[16];
};

/* What no server can be faster than: one client, recv and send, no signals, no limits, no letters. */
static _Noreturn void bare(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    char bytes[16384];
    int listener = check(socket(AF_INET, SOCK_STREAM, 0));
    check(bind(listener, (const struct sockaddr *)&address, size));
    check(listen(listener, 10));
    say("listening on port %d", check(port_of(listener)));
    for (;;) {
        int client = check(accept(listener, NULL, NULL));
        for (ssize_t count; (count = recv(client, bytes, sizeof bytes, 0)) > 0; )
            if (send(client, bytes, (size_t)count, MSG_NOSIGNAL) != count)
                break;
        check(close(client));
    }
}

static struct server start(const char *folder, const char *name)
{
    int ends[2];
    char line[64] = "", path[500];
    pid_t parent = getpid();
    check(pipe(ends));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct server server = { .pid = check(fork()) };
    if (server.pid == 0) {
        check(end_with_parent(parent));
        check(dup2(ends[1], STDOUT_FILENO));
        check(close(ends[0]));
        check(close(ends[1]));
        if (strcmp(name, "bare") == 0)
            bare();
        check(execl(path, path, "0", (char *)NULL));
    }
    check(close(ends[1]));
    for (size_t i = 0; i + 1 < sizeof line && check(read(ends[0], line + i, 1)) == 1 && line[i] != '\n'; i++)
        ;
    if (sscanf(line, "listening on port %15[0-9]", server.port) != 1)
        die("%s does not start", name);
    check(close(ends[0]));
    return server;
}

static void stop(struct server *server)
{
    check(kill(server->pid, SIGTERM));
    check(wait_child(server->pid));
}

static double now_us(void)
{
    struct timespec time;
    check(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* One client: microseconds for a line there and back. */
static double trip(const struct server *server, long trips)
{
    char line[SIZE] = "a line of 20 bytes.\n", back[SIZE];
    int fd = check(connect_to("127.0.0.1", server->port));
    double begin = now_us();
    for (long i = 0; i < trips; i++) {
        check(write_full(fd, line, SIZE));
        if (check(read_full(fd, back, SIZE)) != SIZE || back[1] != ' ')
            die("a line was lost");
    }
    double end = now_us();
    check(close(fd));
    return (end - begin) / (double)trips;
}

/* MANY clients at once; they send before anyone receives. Prints how many got all of their lines. */
static void many(const struct server *server, const char *name)
{
    static int fds[MANY];
    char line[SIZE] = "a line of 20 bytes.\n", back[SIZE * LINES];
    int good = 0;
    double begin = now_us();
    for (int i = 0; i < MANY; i++)
        fds[i] = check(connect_to("127.0.0.1", server->port));
    for (int i = 0; i < MANY; i++) {
        for (int l = 0; l < LINES; l++)
            check(write_full(fds[i], line, SIZE));
        check(shutdown(fds[i], SHUT_WR));
    }
    for (int i = 0; i < MANY; i++) {
        good += read_full(fds[i], back, sizeof back) == sizeof back && memcmp(back, "A LINE", 6) == 0;
        check(close(fds[i]));
    }
    printf("%-16s %d clients at once: %d got all, %.0f ms\n", name, MANY, good, (now_us() - begin) / 1000);
    if (good < MANY)
        exit(1);
}

int main(int argc, char **argv)
{
    long number[2] = { 20000, 5 };
    double best[COUNT];
    struct server servers[COUNT];
    if (argc < 2 || argc > 4)
        usage("echo FOLDER [trips] [repeats]");
    for (int i = 2; i < argc; i++)
        if (parse_number(argv[i], 1, 10000000, &number[i - 2]) == -1)
            usage("echo FOLDER [trips] [repeats]");
    allow_descriptors(MANY + 10);
    for (int k = 0; k < COUNT; k++) {
        servers[k] = start(argv[1], names[k]);
        best[k] = 1e9;
    }
    for (long r = 0; r < number[1]; r++)
        for (int k = 0; k < COUNT; k++) {
            double us = trip(&servers[k], number[0]);
            if (us < best[k])
                best[k] = us;
        }
    for (int k = 0; k < COUNT; k++)
        printf("%-16s there and back, 20 bytes: %7.2f us   ratio %.2f\n", names[k], best[k], best[k] / best[0]);
    fflush(stdout);
    for (int k = 1; k < COUNT; k++) {
        many(&servers[k], names[k]);
        fflush(stdout);
    }
    for (int k = 0; k < COUNT; k++)
        stop(&servers[k]);
}
