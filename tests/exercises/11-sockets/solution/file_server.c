/* file_server.c - sends files of one folder, by name: a process for each client.
   Python: http.server.SimpleHTTPRequestHandler with socketserver.ForkingTCPServer
   Calls:  openat(2) with O_NOFOLLOW and O_NONBLOCK, fstat(2), read(2), send(2), recv(2), fork(2), signalfd(2)
   Needs:  echo.c, echo_server.c
   Try:    Leave out O_NONBLOCK, and ask for a FIFO: open waits until somebody writes into it. */
#include "workbook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 255, CLIENTS = 100 };

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

/* The file of this name in FOLDER, or -1. The name comes from a stranger. Without a / it cannot lead out of the
   folder, and O_NOFOLLOW refuses a symbolic link, which could. What it is, we ask the descriptor: between a
   stat of the NAME and the open, the name could become another file's. A FIFO would make open wait, but for
   O_NONBLOCK. */
static int open_file(int folder, const char *name, size_t length, off_t *size)
{
    struct stat info;
    if (length == 0 || memchr(name, '/', length) != NULL || memchr(name, '\0', length) != NULL)
        return -1;
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (file == -1)
        return -1;
    if (fstat(file, &info) == -1 || !S_ISREG(info.st_mode)) {       /* "." and ".." are folders */
        check(close(file));
        return -1;
    }
    *size = info.st_size;
    return file;
}

/* Exactly SIZE bytes: the client counts on them. A piece at a time, so that the size of the file does not matter. */
static bool send_file(int client, int file, off_t size)
{
    char bytes[16384];
    while (size > 0) {
        size_t most = size < (off_t)sizeof bytes ? (size_t)size : sizeof bytes;
        ssize_t count = read(file, bytes, most);
        if (count <= 0 || !send_all(client, bytes, (size_t)count))
            return false;       /* the client has gone; or the file is shorter now: then only the end is honest */
        size -= count;
    }
    return true;
}

static bool answer(int client, int folder, const char *name, size_t length)
{
    char heading[32];
    off_t size;
    int file = open_file(folder, name, length, &size);
    if (file == -1)
        return send_all(client, "none\n", 5);
    int used = snprintf(heading, sizeof heading, "%lld\n", (long long)size);
    bool sent = send_all(client, heading, (size_t)used) && send_file(client, file, size);
    check(close(file));         /* on every path: a client may ask a thousand times */
    return sent;
}

/* What one recv gives may be a part of a name, a name, or many. */
static void talk(int client, int folder)
{
    char bytes[4096], name[LONGEST + 1];
    size_t length = 0;          /* of the name so far; LONGEST + 1: too long */
    for (;;) {
        ssize_t count = recv(client, bytes, sizeof bytes, 0);
        if (count == -1 && errno == EINTR)
            continue;
        if (count <= 0)
            return;
        for (ssize_t i = 0; i < count; i++)
            if (bytes[i] == '\n') {
                name[length <= LONGEST ? length : 0] = '\0';
                if (!answer(client, folder, name, length <= LONGEST ? length : 0))
                    return;
                length = 0;
            } else if (length < LONGEST)
                name[length++] = bytes[i];
            else
                length = LONGEST + 1;
    }
}

/* ---- the parent ---- */

struct server {
    int listener, signals, folder;
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
        talk(client, server->folder);
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
    if (argc != 3 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("file_server PORT FOLDER   (PORT 0: any free one)");
    server.signals = open_signals();    /* before anybody can know that we are there */
    server.folder = check(open(argv[2], O_RDONLY | O_DIRECTORY));
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
    check(close(server.folder));
    return 0;
}

/* Output of ./file_server 0 exercises until SIGTERM, with ./echo_client PORT < exercises/file_server.txt:
listening on port N1
42
file_server.txt
no_such_file
../lines.txt
none
none
*/
