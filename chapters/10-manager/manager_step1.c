/* manager_step1.c - a process that keeps a counter, and does with it what others ask: one client at a time.
   Python: how multiprocessing.Manager is made
   Calls:  socket(2), bind(2), listen(2), accept4(2), connect(2), see unix(7)
   Needs:  08-queues/pipe_duplex, 04-signals/self_pipe
   Try:    Take out the close of the first connection. Now the server waits for the first client, and
           the second one waits for the server, for ever. (End it with Ctrl-C.) */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct place {                          /* where the server is */
    int listener;                       /* the socket that takes new connections */
    struct sockaddr_un address;         /* its name */
    socklen_t size;
    int life[2];                        /* a pipe without any bytes: its end says that main has ended */
};

/* ---- the server ---- */

/* Has FIRST something for us? If not, waits until one of the two has. */
static bool has_come(int first, int second)
{
    struct pollfd fds[2] = { { .fd = first, .events = POLLIN }, { .fd = second, .events = POLLIN } };
    while (poll(fds, 2, -1) == -1)
        if (errno != EINTR)
            check(-1);
    return fds[0].revents != 0;
}

/* A request is one byte: '+' adds 1. The reply is the counter. */
static int serve(void *argument)
{
    const struct place *place = argument;
    int counter = 0;                    /* ours alone: nobody else can touch it, so it needs no lock */
    char request;
    check(close(place->life[1]));
    while (has_come(place->listener, place->life[0])) {
        int fd = check(accept4(place->listener, NULL, NULL, SOCK_CLOEXEC));
        while (has_come(fd, place->life[0]) && read_full(fd, &request, 1) == 1) {
            counter += request == '+';
            if (send(fd, &counter, sizeof counter, MSG_NOSIGNAL) != sizeof counter)
                break;                  /* the client has gone. Without MSG_NOSIGNAL: SIGPIPE, and no server */
        }
        check(close(fd));               /* and only now the next one */
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

static int reply_of(int fd)
{
    int counter;
    if (read_full(fd, &counter, sizeof counter) != sizeof counter)
        die("the server has ended");
    return counter;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct place place = { .address = { .sun_family = AF_UNIX } };
    place.listener = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    /* No name given: the kernel picks one that is no file. (The part has a file, in a directory that guards it.) */
    check(bind(place.listener, (const struct sockaddr *)&place.address, sizeof(sa_family_t)));
    place.size = sizeof place.address;
    check(getsockname(place.listener, (struct sockaddr *)&place.address, &place.size));
    check(listen(place.listener, 5));
    check(pipe2(place.life, O_CLOEXEC));
    pid_t server = check(start_child(serve, &place));
    check(close(place.listener));       /* the server has it */
    check(close(place.life[0]));

    int first = connect_to(&place);
    ask(first, '+');
    say("first client: +, and it is %d", reply_of(first));
    int second = connect_to(&place);    /* the kernel takes it into the queue of the listener */
    ask(second, '+');
    struct pollfd reply = { .fd = second, .events = POLLIN };
    while (poll(&reply, 1, 50) == -1)
        if (errno != EINTR)
            check(-1);
    say("second client: +, and %s", reply.revents == 0 ? "no reply in 50 ms" : "a reply");
    check(close(first));
    say("first client: hangs up");
    say("second client: it is %d", reply_of(second));
    check(close(second));

    check(close(place.life[1]));        /* the server shall end */
    return check(wait_children(&server, 1));
}

/* Output:
first client: +, and it is 1
second client: +, and no reply in 50 ms
first client: hangs up
second client: it is 2
*/
