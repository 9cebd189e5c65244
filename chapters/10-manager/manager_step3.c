/* manager_step3.c - a lock in the server: to wait is to have no reply yet. And the server notices
   when a client dies with the lock.
   Python: Manager().Lock(); there, a client that dies with the lock is not noticed
   Calls:  poll(2) with POLLRDHUP, recv(2), send(2), kill(2)
   Needs:  06-locks/robust_lock, manager_step2
   Try:    In serve, take out free_lock(true) and the if above it. Now the third client waits for ever
           for one that was killed. (End it with Ctrl-C.) */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A request is one byte: 'a' acquire, 'r' release. The reply is one byte, too: 'y' you have it, 'd' you
   have it, and the last owner died with it, 'r' released, 'n' refused. */
enum { CLIENTS = 8 };

struct place {
    int listener;
    struct sockaddr_un address;
    socklen_t size;
    int life[2];
};

/* ---- the server ---- */

struct client {
    int fd;                             /* -1: nobody is here */
    long turn;                          /* 0: it waits for nothing; else the smallest one is next */
};

static struct client clients[CLIENTS], *owner;
static long last_turn;
static bool owner_died;

static void reply(const struct client *client, char byte)
{
    /* If it fails, the client has gone: poll will say so. */
    send(client->fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* If the lock is free: gives it to the one who has waited longest. Here a reply is sent later. */
static void give_lock(void)
{
    struct client *next = NULL;
    for (struct client *client = clients; client < clients + CLIENTS; client++)
        if (client->turn != 0 && (next == NULL || client->turn < next->turn))
            next = client;
    if (owner != NULL || next == NULL)
        return;
    owner = next;
    owner->turn = 0;
    reply(owner, owner_died ? 'd' : 'y');
    owner_died = false;
}

static void free_lock(bool died)
{
    owner = NULL;
    owner_died = died;
}

/* Returns false when the client has ended. */
static bool read_request(struct client *client)
{
    char request;
    ssize_t count = recv(client->fd, &request, 1, MSG_DONTWAIT);
    if (count <= 0)
        return count == -1 && (errno == EAGAIN || errno == EINTR);
    if (request == 'a') {
        client->turn = ++last_turn;     /* no reply yet */
    } else if (request == 'r' && owner == client) {
        free_lock(false);
        reply(client, 'r');
    } else {
        reply(client, 'n');
    }
    return true;
}

static int serve(void *argument)
{
    const struct place *place = argument;
    struct pollfd fds[2 + CLIENTS] = { { .fd = place->life[0], .events = POLLIN } };
    check(close(place->life[1]));
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
    while (fds[0].revents == 0) {
        struct client *room = NULL;
        for (int i = 0; i < CLIENTS; i++) {
            /* who waits shall not ask again, only: has it ended? POLLRDHUP: the other side is closed */
            fds[2 + i] = (struct pollfd){ .fd = clients[i].fd, .events = clients[i].turn != 0 ? POLLRDHUP : POLLIN };
            if (clients[i].fd == -1)
                room = &clients[i];
        }
        fds[1] = (struct pollfd){ .fd = room != NULL ? place->listener : -1, .events = POLLIN };
        if (poll(fds, 2 + CLIENTS, -1) == -1) {
            if (errno != EINTR)
                check(-1);
            continue;
        }
        for (int i = 0; i < CLIENTS; i++)
            if (fds[2 + i].revents != 0 && (clients[i].turn != 0 || !read_request(&clients[i]))) {
                check(close(clients[i].fd));
                clients[i] = (struct client){ .fd = -1 };
                if (owner == &clients[i])
                    free_lock(true);    /* killed with the lock: the next one must hear of it */
            }
        if (fds[1].revents != 0)
            *room = (struct client){ .fd = check(accept4(place->listener, NULL, NULL, SOCK_CLOEXEC)) };
        give_lock();
    }
    return 0;
}

/* ---- clients ---- */

static int connect_to(const struct place *place)
{
    int fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(connect(fd, (const struct sockaddr *)&place->address, place->size));
    return fd;
}

static void ask(int fd, char request)
{
    if (send(fd, &request, 1, MSG_NOSIGNAL) != 1)
        die("the server has ended");
}

static const char *reply_of(int fd)
{
    char byte;
    if (read_full(fd, &byte, 1) != 1)
        die("the server has ended");
    return byte == 'y' ? "has the lock" : byte == 'd' ? "has the lock; the last owner died with it"
           : byte == 'r' ? "has released it" : "refused";
}

struct second {
    int first, life;                    /* not its own */
    pid_t parent;
};

/* The second client has inherited its connection, and more than that. It keeps the lock until main kills it. */
static int stay(void *argument)
{
    const struct second *self = argument;
    check(end_with_parent(self->parent));
    check(close(self->first));          /* an inherited connection: open here, it does not end for the server */
    check(close(self->life));
    pause();
    return 1;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct place place = { .address = { .sun_family = AF_UNIX } };
    place.listener = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(bind(place.listener, (const struct sockaddr *)&place.address, sizeof(sa_family_t)));
    place.size = sizeof place.address;
    check(getsockname(place.listener, (struct sockaddr *)&place.address, &place.size));
    check(listen(place.listener, 5));
    check(pipe2(place.life, O_CLOEXEC));
    pid_t server = check(start_child(serve, &place));
    check(close(place.listener));
    check(close(place.life[0]));

    int first = connect_to(&place), second = connect_to(&place), third = connect_to(&place);
    ask(first, 'a');
    say("first client: %s", reply_of(first));
    ask(second, 'a');
    ask(third, 'r');
    say("third client: releases what it does not have: %s", reply_of(third));
    ask(third, 'a');
    ask(first, 'r');
    say("first client: %s", reply_of(first));
    say("second client: %s", reply_of(second));
    pid_t child = check(start_child(stay, &(struct second){ first, place.life[1], getpid() }));
    check(close(second));               /* only the child has it now */
    check(kill(child, SIGKILL));
    check(wait_child(child));
    say("the second client was killed");
    say("third client: %s", reply_of(third));
    check(close(third));
    check(close(first));

    check(close(place.life[1]));
    return check(wait_children(&server, 1));
}

/* Output:
first client: has the lock
third client: releases what it does not have: refused
first client: has released it
second client: has the lock
the second client was killed
third client: has the lock; the last owner died with it
*/
