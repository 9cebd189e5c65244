/* wrong output | before the line is complete */
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
    char bytes[LONGEST];
    size_t length;
    bool too_long;
};

static bool answer(int client, struct line *line)
{
    char reply[LONGEST + 20];
    if (line->too_long) {
        line->length = 0;
        line->too_long = false;
        return true;
    }
    int size = snprintf(reply, sizeof reply, "%zu ", line->length);
    for (size_t i = 0; i < line->length; i++)
        reply[size++] = line->bytes[i];
    reply[size++] = '\n';
    line->length = 0;
    return send_all(client, reply, (size_t)size);
}

static void talk(int client)
{
    struct line line = { .length = 0 };
    char bytes[4096];
    for (;;) {
        ssize_t count = recv(client, bytes, sizeof bytes, 0);
        if (count == -1 && errno == EINTR)
            continue;
        if (count <= 0)
            return;
        for (ssize_t i = 0; i < count; i++)
            if (bytes[i] == '\n') {
                if (!answer(client, &line))
                    return;
            } else if (line.length < LONGEST)
                line.bytes[line.length++] = bytes[i];
            else if (!line.too_long) {
                line.too_long = true;
                if (!send_all(client, "too long\n", 9))
                    return;
            }
    }
}

struct server {
    int listener, signals;
    pid_t children[CLIENTS];
    int count;
};

static int listen_on(long port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int yes = 1, listener = check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

    check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    check(bind(listener, (const struct sockaddr *)&address, size));
    check(listen(listener, SOMAXCONN));
    check(getsockname(listener, (struct sockaddr *)&address, &size));
    say("listening on port %d", ntohs(address.sin_port));
    return listener;
}

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
        return;
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        check(end_with_parent(parent));
        check(close(server->listener));
        check(close(server->signals));
        check(sigprocmask(SIG_SETMASK, &none, NULL));
        talk(client);
        _exit(0);
    }
    check(close(client));
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
    server.signals = open_signals();
    server.listener = listen_on(port);
    while (signal.ssi_signo != SIGTERM) {
        struct pollfd fds[2] = {
            { .fd = server.signals, .events = POLLIN },
            { .fd = server.count < CLIENTS ? server.listener : -1, .events = POLLIN },
        };
        int ready = poll(fds, 2, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        if (fds[0].revents != 0) {
            check(read(server.signals, &signal, sizeof signal));
            reap(&server, WNOHANG);
        }
        if (fds[1].revents != 0)
            welcome(&server);
    }
    check(close(server.listener));
    for (int i = 0; i < server.count; i++)
        check(kill(server.children[i], SIGTERM));
    reap(&server, 0);
    check(close(server.signals));
    return 0;
}
