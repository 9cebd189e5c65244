/* poll_server.c - the same server in one process: it waits for all clients at once, and never for one of them.
   Python: selectors.DefaultSelector; asyncio is built on it
   Calls:  poll(2) on many descriptors; accept4(2) with SOCK_NONBLOCK, recv(2), send(2)
   Needs:  04-signals/self_pipe, echo_server
   Try:    build/poll_server 4711, and a client that sends without end and takes nothing:
           build/echo_client 4711 < /dev/zero | sleep 60   Another client still gets its answers at once. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 2000, SIZE = 4096, QUIET_MS = 300000, STOP_MS = 5000, REST_MS = 100 };

struct client {
    char bytes[SIZE];                   /* taken from it, in capital letters; */
    int start, end;                     /* those from START to END are still to be sent back */
    long long last;                     /* when it last sent or took something, in ms */
};

enum { SIGNALS, LISTENER, FIRST };      /* the places in FDS */

struct server {
    struct pollfd fds[FIRST + MOST];
    struct client clients[FIRST + MOST];        /* clients[i] talks over fds[i]; from FIRST on */
    int end;                            /* the first place where nobody is */
    int served;
};

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* All who wait to be taken. False: it cannot take one now, and should rest a little. */
static bool welcome(struct server *server, long long now)
{
    while (server->end < FIRST + MOST) {
        int fd = accept_client(server->fds[LISTENER].fd);
        if (fd == -1)
            return errno == EAGAIN;
        server->fds[server->end] = (struct pollfd){ .fd = fd, .events = POLLIN };
        server->clients[server->end].start = server->clients[server->end].end = 0;
        server->clients[server->end++].last = now;
        server->served++;
    }
    return false;
}

/* Takes some bytes from the client, if all that it sent before was sent back; sends back what can be sent
   now. So one that takes nothing cannot fill our memory: nothing more is taken from it. False: the end. */
static bool go_on(struct client *client, int fd, long long now)
{
    if (client->start == client->end) {
        ssize_t count = recv(fd, client->bytes, SIZE, 0);
        if (count <= 0)
            return count == -1 && (errno == EAGAIN || errno == EINTR);
        upper(client->bytes, (size_t)count);
        client->start = 0;
        client->end = (int)count;
    }
    ssize_t count = send(fd, client->bytes + client->start, (size_t)(client->end - client->start),
        MSG_NOSIGNAL);
    if (count == -1)
        return errno == EAGAIN || errno == EINTR;
    client->start += (int)count;
    client->last = now;
    return true;
}

/* Goes through all clients. The last one moves into the place of one that has ended. */
static void serve(struct server *server, long long now)
{
    for (int i = server->end - 1; i >= FIRST; i--) {
        struct client *client = &server->clients[i];
        bool open = now - client->last < QUIET_MS;
        if (open && server->fds[i].revents != 0)
            open = go_on(client, server->fds[i].fd, now);
        if (open) {
            server->fds[i].events = client->start == client->end ? POLLIN : POLLOUT;
        } else {
            check(close(server->fds[i].fd));
            server->fds[i] = server->fds[--server->end];
            *client = server->clients[server->end];
        }
    }
}

int main(int argc, char **argv)
{
    static struct server server = { .end = FIRST };
    allow_descriptors(MOST + 10);
    int signals = check(open_signals()), listener = listen_as_told(argc, argv);
    server.fds[SIGNALS] = (struct pollfd){ .fd = signals, .events = POLLIN };
    say("listening on port %d", check(port_of(listener)));

    bool rest = false, stop = false;
    for (long long now = 0, end = 0; !stop || (server.end > FIRST && now < end); ) {
        server.fds[LISTENER] = (struct pollfd){ .fd = rest || stop ? -1 : listener, .events = POLLIN };
        int ready = poll(server.fds, (nfds_t)server.end, rest || stop ? REST_MS : server.end > FIRST ? 1000 : -1);
        check(ready == -1 && errno == EINTR ? 0 : ready);
        if (ready == -1)
            continue;                   /* revents is not set */
        now = now_ms();
        serve(&server, now);            /* also looks who was quiet for too long */
        rest = server.fds[LISTENER].revents != 0 && !welcome(&server, now);
        int number = server.fds[SIGNALS].revents != 0 ? next_signal(signals) : 0;
        if (!stop && (number == SIGTERM || number == SIGINT)) {
            stop = true;                /* no new clients; the others may end, within a limit */
            end = now + STOP_MS;
            check(close(listener));
            check(let_signals_end_us());        /* a second signal ends the server at once */
        }
    }
    while (server.end > FIRST)
        check(close(server.fds[--server.end].fd));
    check(close(signals));
    say("%d served", server.served);
}

/* Output of ./poll_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
HELLO, SERVER!
GRüßE, 你好
1 served
*/
