/* manager_step2.c - many clients at once, and requests of any length: the server waits for all of them, and
   never for one.
   Python: how multiprocessing.Manager is made; there, a thread for each client
   Calls:  poll(2), recv(2) with MSG_DONTWAIT, accept4(2)
   Needs:  manager_step1
   Try:    In read_some, read with read_full until the whole name is there. The half request of the
           first client now stops all others. (End it with Ctrl-C.) */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A request is a length and a name: "add 1 to the counter with this name". The reply is its value. */
enum { LONGEST = 15, CLIENTS = 8, COUNTERS = 8 };

struct place {
    int listener;
    struct sockaddr_un address;
    socklen_t size;
    int life[2];
};

/* ---- the server ---- */

struct client {
    int fd;                             /* -1: nobody is here */
    size_t have;                        /* so many bytes of its request have come */
    uint8_t request[1 + LONGEST];       /* the length, the name */
};

static struct { char name[LONGEST + 1]; int value; } counters[COUNTERS];

/* Adds 1 to the counter NAME. Returns its value, or -1: there is no more room for it. */
static int add(const char *name)
{
    for (int i = 0; i < COUNTERS; i++)
        if (counters[i].value == 0 || strcmp(counters[i].name, name) == 0) {
            strcpy(counters[i].name, name);
            return ++counters[i].value;
        }
    return -1;
}

/* One recv, which takes what is there. When the request is whole: does it. Returns false when the client
   has ended, has broken the rules, or takes no replies. */
static bool read_some(struct client *client)
{
    size_t want = client->have == 0 ? 1 : 1u + client->request[0];
    ssize_t count = recv(client->fd, client->request + client->have, want - client->have, MSG_DONTWAIT);
    if (count <= 0)
        return count == -1 && (errno == EAGAIN || errno == EINTR);
    client->have += (size_t)count;
    if (client->request[0] == 0 || client->request[0] > LONGEST)
        return false;                   /* never believe a length: it would lead us out of the array */
    if (client->have < 1u + client->request[0])
        return true;                    /* half a request: poll again; in the meantime, the others */
    char name[LONGEST + 1] = "";
    memcpy(name, client->request + 1, client->request[0]);
    client->have = 0;
    int value = add(name);
    return send(client->fd, &value, sizeof value, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof value;
}

static int serve(void *argument)
{
    const struct place *place = argument;
    struct client clients[CLIENTS];
    struct pollfd fds[2 + CLIENTS] = { { .fd = place->life[0], .events = POLLIN } };
    check(close(place->life[1]));
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
    while (fds[0].revents == 0) {
        struct client *room = NULL;
        for (int i = 0; i < CLIENTS; i++) {
            fds[2 + i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };     /* poll skips a -1 */
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
            if (fds[2 + i].revents != 0 && !read_some(&clients[i])) {
                check(close(clients[i].fd));
                clients[i].fd = -1;
            }
        if (fds[1].revents != 0)
            *room = (struct client){ .fd = check(accept4(place->listener, NULL, NULL, SOCK_CLOEXEC)) };
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

static void send_bytes(int fd, const char *bytes, size_t size)
{
    if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("the server has ended");
}

static int reply_of(int fd)
{
    int value;
    if (read_full(fd, &value, sizeof value) != sizeof value)
        die("the server has ended");
    return value;
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
    send_bytes(first, "\5ap", 3);
    say("first client: half a request, 5 a p");
    send_bytes(second, "\5apple", 6);
    say("second client: apple is %d", reply_of(second));
    send_bytes(first, "ple", 3);
    say("first client: the rest, p l e: apple is %d", reply_of(first));
    send_bytes(second, "\4pear", 5);
    say("second client: pear is %d", reply_of(second));
    char byte;
    send_bytes(third, "\377", 1);       /* octal, 255 */
    ssize_t count = check(read_full(third, &byte, 1));
    say("third client: a name of 255 bytes: %s", count == 0 ? "the server has closed" : "a reply");
    check(close(first));
    check(close(second));
    check(close(third));

    check(close(place.life[1]));
    return check(wait_children(&server, 1));
}

/* Output:
first client: half a request, 5 a p
second client: apple is 1
first client: the rest, p l e: apple is 2
second client: pear is 1
third client: a name of 255 bytes: the server has closed
*/
