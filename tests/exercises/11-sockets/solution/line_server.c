/* line_server.c - a server for lines: a process for each client, lines whatever the packets, a limit for a line.
   Python: socketserver.ForkingTCPServer with a StreamRequestHandler and readline(1000)
   Calls:  socket(2), bind(2), listen(2), accept(2), fork(2), recv(2), send(2), signalfd(2), poll(2), waitpid(2)
   Needs:  echo.c, echo_server.c
   Try:    Leave out the parent's close(client). The server ends its side of a talk no more: the parent still has
           the connection open, and the client waits for the end for ever. */
#include "workbook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 1000, CLIENTS = 100 };

/* ---- the child: one talk ---- */

/* Sends all of it, in as many pieces as it takes. False: the client has gone. MSG_NOSIGNAL: then there is an
   error, EPIPE, and no signal. */
static bool send_all(int client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = send(client, bytes, size, MSG_NOSIGNAL);
        if (count == -1 && errno != EINTR)
            return false;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    return true;
}

struct line {
    char bytes[LONGEST];        /* what came of it so far */
    size_t length;
    bool too_long;              /* more came than has room; the rest of it is thrown away */
};

/* The line is complete. No text functions here: a line may hold the byte 0. */
static bool answer(int client, struct line *line)
{
    char reply[LONGEST + 20];
    int size = snprintf(reply, sizeof reply, "%zu ", line->length);
    if (line->too_long)
        size = snprintf(reply, sizeof reply, "too long");
    for (size_t i = 0; i < line->length && !line->too_long; i++)
        reply[size++] = line->bytes[i];
    reply[size++] = '\n';
    line->length = 0;
    line->too_long = false;
    return send_all(client, reply, (size_t)size);
}

/* What one recv gives may be a part of a line, a line, or many. So the line stands outside of the loop. */
static void talk(int client)
{
    struct line line = { .length = 0 };
    char bytes[4096];
    for (;;) {
        ssize_t count = recv(client, bytes, sizeof bytes, 0);
        if (count == -1 && errno == EINTR)
            continue;
        if (count <= 0)
            return;             /* the client has ended, or broken down: what it began is no line */
        for (ssize_t i = 0; i < count; i++)
            if (bytes[i] == '\n') {
                if (!answer(client, &line))
                    return;
            } else if (line.length < LONGEST)
                line.bytes[line.length++] = bytes[i];
            else
                line.too_long = true;
    }
}

/* ---- the parent ---- */

struct server {
    int listener, signals;
    pid_t children[CLIENTS];
    int count;
};

static int listen_on(long port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };    /* this machine only; INADDR_ANY would be all the world */
    socklen_t size = sizeof address;
    int yes = 1, listener = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    /* without it, connections of a server that has just ended would keep the port busy for a minute */
    check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    check(bind(listener, (const struct sockaddr *)&address, size));
    check(listen(listener, SOMAXCONN));
    check(getsockname(listener, (struct sockaddr *)&address, &size));   /* for port 0: which one is it? */
    say("listening on port %d", ntohs(address.sin_port));
    return listener;
}

/* The signals come as bytes out of a descriptor, so poll waits for them and for clients: no handler, no EINTR. */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    check(sigprocmask(SIG_BLOCK, &set, NULL));
    return check(signalfd(-1, &set, SFD_NONBLOCK));
}

static void welcome(struct server *server)
{
    int client = accept(server->listener, NULL, NULL);
    if (client == -1)
        return;                 /* it has gone again; or no descriptor is free now */
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        check(end_with_parent(parent));
        check(close(server->listener));
        check(close(server->signals));
        check(sigprocmask(SIG_SETMASK, &none, NULL));   /* SIGTERM ends a child, as usual */
        talk(client);
        _exit(0);               /* closes the connection */
    }
    check(close(client));       /* the child has its own copy */
    if (child != -1)
        server->children[server->count++] = child;
}

static void reap(struct server *server, int how)
{
    for (pid_t pid; server->count > 0 && (pid = waitpid(-1, NULL, how)) > 0; )
        for (int i = 0; i < server->count; i++)
            if (server->children[i] == pid)
                server->children[i] = server->children[--server->count];
}

int main(int argc, char **argv)
{
    struct server server = { .count = 0 };
    struct signalfd_siginfo signal = { .ssi_signo = 0 };
    long port;
    if (argc != 2 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("line_server PORT   (0: any free one)");
    server.signals = open_signals();    /* before anybody can know that we are there */
    server.listener = listen_on(port);
    while (signal.ssi_signo != SIGTERM) {
        struct pollfd fds[2] = {
            { .fd = server.signals, .events = POLLIN },
            { .fd = server.count < CLIENTS ? server.listener : -1, .events = POLLIN },      /* -1: not now */
        };
        int ready = poll(fds, 2, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        if (fds[0].revents != 0) {
            check(read(server.signals, &signal, sizeof signal));
            reap(&server, WNOHANG);     /* all that have ended: one SIGCHLD may stand for several */
        }
        if (fds[1].revents != 0)
            welcome(&server);
    }
    check(close(server.listener));
    for (int i = 0; i < server.count; i++)
        check(kill(server.children[i], SIGTERM));       /* not reaped yet, so the pid is ours */
    reap(&server, 0);
    check(close(server.signals));
    return 0;
}

/* Output of ./line_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
14 Hello, server!
15 Grüße, 你好
*/
