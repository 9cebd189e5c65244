/* wrong output | there must be room for both */
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

static int open_file(const char *folder, const char *name, size_t length, off_t *size)
{
    struct stat info;
    char path[256];
    if (length == 0 || memchr(name, '/', length) != NULL || memchr(name, '\0', length) != NULL)
        return -1;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (file == -1)
        return -1;
    if (fstat(file, &info) == -1 || !S_ISREG(info.st_mode)) {
        check(close(file));
        return -1;
    }
    *size = info.st_size;
    return file;
}

static bool send_file(int client, int file, off_t size)
{
    char bytes[16384];
    while (size > 0) {
        size_t most = size < (off_t)sizeof bytes ? (size_t)size : sizeof bytes;
        ssize_t count = read(file, bytes, most);
        if (count <= 0 || !send_all(client, bytes, (size_t)count))
            return false;
        size -= count;
    }
    return true;
}

static bool answer(int client, const char *folder, const char *name, size_t length)
{
    char heading[32];
    off_t size;
    int file = open_file(folder, name, length, &size);
    if (file == -1)
        return send_all(client, "none\n", 5);
    int used = snprintf(heading, sizeof heading, "%lld\n", (long long)size);
    bool sent = send_all(client, heading, (size_t)used) && send_file(client, file, size);
    check(close(file));
    return sent;
}

static void talk(int client, const char *folder)
{
    char bytes[4096], name[LONGEST + 1];
    size_t length = 0;
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

struct server {
    int listener, signals;
    const char *folder;
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
        talk(client, server->folder);
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
    if (argc != 3 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("file_server PORT FOLDER   (PORT 0: any free one)");
    server.signals = open_signals();
    server.folder = argv[2];
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
