/* wrong output | without a newline at the end is no request */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONGEST = 15 };
#define USAGE "counter_service PATH [ask REQUEST...]"

/* ---- Given: the address, and a client to try the server with ---- */

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        usage(USAGE);
    strcpy(address.sun_path, path);
    return address;
}

/* Sends each request, and says the reply. */
static int ask(const char *path, char **requests)
{
    struct sockaddr_un address = address_of(path);
    int server = check(socket(AF_UNIX, SOCK_STREAM, 0));
    check(connect(server, (const struct sockaddr *)&address, sizeof address));
    for (; *requests != NULL; requests++) {
        char line[100] = "", byte = 0;
        size_t size = (size_t)snprintf(line, sizeof line, "%.90s\n", *requests);
        if (send(server, line, size, MSG_NOSIGNAL) != (ssize_t)size)
            die("the server has gone");
        for (size = 0; byte != '\n' && size < sizeof line - 1; size++) {
            if (read_full(server, &byte, 1) != 1)
                die("the server has ended the connection");
            line[size] = byte == '\n' ? '\0' : byte;
        }
        say("%s: %s", *requests, line);
    }
    check(close(server));
    return 0;
}

/* ---- Yours: the server ---- */

enum { CLIENTS = 64, PIECE = 64, REPLIES = 2048 };

struct client {
    char request[LONGEST];              /* what has come of a request */
    size_t have;
    char replies[REPLIES];              /* those from SENT to SIZE are still to be sent */
    size_t sent, size;
    bool wrong;                         /* it broke the rules: its replies are sent, then it is ended */
};

struct server {
    struct pollfd fds[2 + CLIENTS];     /* the signals, the listener, the clients */
    struct client clients[2 + CLIENTS]; /* clients[i] talks over fds[i] */
    int end;                            /* the first place where nobody is */
    long counter;                       /* only this process, with one thread, has it: no lock */
};

/* Does the request that is complete. */
static void answer(struct server *server, struct client *client)
{
    char *reply = client->replies + client->size;
    size_t room = REPLIES - client->size;
    bool inc = client->have == 3 && memcmp(client->request, "INC", 3) == 0;
    bool get = client->have == 3 && memcmp(client->request, "GET", 3) == 0;
    server->counter += inc;
    client->size += (size_t)(inc || get ? snprintf(reply, room, "%ld\n", server->counter) : snprintf(reply, room, "ERROR\n"));
    client->have = 0;
}

/* One recv, only when all replies are sent: so there is room for those of PIECE bytes, which are 64 at most, and one who
   takes none of them cannot fill our memory. Then one send. False: the client has ended. */
static bool go_on(struct server *server, struct client *client, int fd)
{
    char bytes[PIECE];
    if (client->sent == client->size) {
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        if (count == 0 && client->have == 3)
            answer(server, client);
        if (count <= 0)
            return count == -1 && (errno == EAGAIN || errno == EINTR);
        client->sent = client->size = 0;
        for (ssize_t i = 0; i < count && !client->wrong; i++)
            if (bytes[i] == '\n')
                answer(server, client);
            else if (client->have < LONGEST)
                client->request[client->have++] = bytes[i];
            else {                      /* no request is so long: we shall not wait for its end */
                answer(server, client);
                client->wrong = true;
            }
    }
    if (client->sent < client->size) {
        ssize_t count = send(fd, client->replies + client->sent, client->size - client->sent, MSG_NOSIGNAL);
        if (count == -1 && (errno == EAGAIN || errno == EINTR))
            return true;
        /* EPIPE: it has gone. What it sent before that counts; recv will say when that was all. */
        client->sent += count == -1 ? client->size - client->sent : (size_t)count;
    }
    return !client->wrong || client->sent < client->size;
}

static void welcome(struct server *server)
{
    int fd = accept4(server->fds[1].fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd == -1)
        return;                         /* it has gone again */
    server->fds[server->end] = (struct pollfd){ .fd = fd };
    server->clients[server->end++] = (struct client){ .have = 0 };
}

static void serve(struct server *server)
{
    while (server->fds[0].revents == 0) {
        server->fds[1].events = server->end < 2 + CLIENTS ? POLLIN : 0;
        for (int i = 2; i < server->end; i++)
            server->fds[i].events = server->clients[i].sent < server->clients[i].size ? POLLOUT : POLLIN;
        int ready = poll(server->fds, (nfds_t)server->end, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        for (int i = server->end - 1; i >= 2; i--)      /* the last one moves to the place of one that ends */
            if (server->fds[i].revents != 0 && !go_on(server, &server->clients[i], server->fds[i].fd)) {
                check(close(server->fds[i].fd));
                server->fds[i] = server->fds[--server->end];
                server->clients[i] = server->clients[server->end];
            }
        if (server->fds[1].revents != 0)
            welcome(server);
    }
}

int main(int argc, char **argv)
{
    static struct server server = { .end = 2 };
    if (argc > 2 && strcmp(argv[2], "ask") == 0)
        return ask(argv[1], argv + 3);
    if (argc != 2)
        usage(USAGE);
    struct sockaddr_un address = address_of(argv[1]);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    check(sigprocmask(SIG_BLOCK, &set, NULL));          /* SIGTERM comes out of a descriptor, so poll waits for it, too */
    server.fds[0] = (struct pollfd){ .fd = check(signalfd(-1, &set, 0)), .events = POLLIN };
    server.fds[1].fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    check(bind(server.fds[1].fd, (const struct sockaddr *)&address, sizeof address));
    check(listen(server.fds[1].fd, SOMAXCONN));
    say("listening on %s", argv[1]);
    serve(&server);
    check(unlink(argv[1]));             /* the name stays otherwise, and the next server could not bind */
    for (int i = 0; i < server.end; i++)
        check(close(server.fds[i].fd));
    return 0;
}
