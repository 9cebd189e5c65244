/* peer_credentials.c - on a Unix socket, the kernel says who is at the other end. Nobody can lie about it.
   Python: connection.getsockopt(SOL_SOCKET, SO_PEERCRED, 12); a Manager does not ask
   Calls:  getsockopt(2) with SO_PEERCRED, recvmsg(2) with SCM_CREDENTIALS, bind(2), see unix(7)
   Needs:  08-queues/pipe_duplex, manager_step1
   Try:    Take out the line with SO_PASSCRED. The message then says nothing about its sender: the
           kernel adds the sender only for who asked before it was sent. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct family {
    int listener;
    struct sockaddr_un address;
    socklen_t size;
    int life[2];                    /* nobody writes: its end says that the client has ended */
    pid_t parent;
};

/* An address without a file. The kernel picks it ("autobind"), and it is gone when the socket is. But
   nobody guards it: a file has an owner and a mode, this name is for everybody on the machine. */
static void listen_somewhere(struct family *family)
{
    struct sockaddr_un any = { .sun_family = AF_UNIX };
    family->listener = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(bind(family->listener, (const struct sockaddr *)&any, sizeof any.sun_family));
    family->size = sizeof family->address;
    check(getsockname(family->listener, (struct sockaddr *)&family->address, &family->size));
    int on = 1;
    check(setsockopt(family->listener, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    check(listen(family->listener, 5));
}

struct heir {
    int fd;
    pid_t parent;
};

/* Has the connection from its parent, as any child has. It never called connect. */
static int write_b(void *argument)
{
    const struct heir *heir = argument;
    check(end_with_parent(heir->parent));
    say("heir: pid %d writes B on the same connection", getpid());
    check(write_full(heir->fd, "B", 1));
    return 0;
}

static int connect_and_write_a(void *argument)
{
    struct family *family = argument;
    char byte;
    check(end_with_parent(family->parent));
    check(close(family->listener));
    check(close(family->life[0]));
    int fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    say("client: pid %d calls connect and writes A", getpid());
    check(connect(fd, (const struct sockaddr *)&family->address, family->size));
    check(write_full(fd, "A", 1));
    check(read_full(fd, &byte, 1));                 /* the server has looked */
    struct heir heir = { fd, getpid() };
    pid_t child = check(start_child(write_b, &heir));
    if (check(wait_children(&child, 1)) != 0)
        return 1;
    check(read_full(fd, &byte, 1));
    check(close(fd));
    return 0;
}

/* Who called connect, or socketpair: pid, user and group as they were then. */
static struct ucred who_connected(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    check(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
    return peer;
}

/* One byte, and who wrote it: the kernel adds that to the message. Returns false at the end of file. */
static bool receive(int fd, char *byte, struct ucred *writer)
{
    union { char bytes[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr align; } extra;
    struct iovec part = { byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &extra, .msg_controllen = sizeof extra };
    ssize_t count;
    while ((count = recvmsg(fd, &message, 0)) == -1 && errno == EINTR)
        ;
    if (check(count) == 0)
        return false;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head == NULL || head->cmsg_type != SCM_CREDENTIALS)
        die("the message does not say who wrote it");
    memcpy(writer, CMSG_DATA(head), sizeof *writer);
    return true;
}

/* The next connection, or -1: the client has ended without one. accept alone would wait for ever then. */
static int take_connection(const struct family *family)
{
    struct pollfd fds[2] = { { .fd = family->listener, .events = POLLIN }, { .fd = family->life[0], .events = POLLIN } };
    while (poll(fds, 2, -1) == -1)
        if (errno != EINTR)
            check(-1);
    return fds[0].revents != 0 ? check(accept4(family->listener, NULL, NULL, SOCK_CLOEXEC)) : -1;
}

/* Takes two bytes, and tells the writer after each that it may go on. Returns false when it is gone. */
static bool read_two(int fd)
{
    char byte;
    struct ucred writer;
    for (int i = 0; i < 2; i++) {
        if (!receive(fd, &byte, &writer))
            return false;
        say("server: %c was written by pid %d; connected by pid %d", byte, writer.pid, who_connected(fd).pid);
        if (send(fd, "!", 1, MSG_NOSIGNAL) == -1)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct family family = { .parent = getpid() };
    listen_somewhere(&family);
    check(pipe2(family.life, O_CLOEXEC));
    pid_t client = check(start_child(connect_and_write_a, &family));
    check(close(family.life[1]));

    int fd = take_connection(&family);
    if (fd != -1) {
        struct ucred peer = who_connected(fd);
        if (peer.uid != geteuid())      /* this is what it is good for: strangers are sent away here */
            die("a client of user %u", (unsigned)peer.uid);
        say("server: pid %d connected, of my user", peer.pid);
    }
    bool both = fd != -1 && read_two(fd);
    if (check(wait_children(&client, 1)) != 0 || !both)
        return 1;
    pid_t pid = who_connected(fd).pid;
    say("server: connected by pid %d, and there is %s process with this number", pid, state_of(pid) == 0 ? "no" : "a");
    check(close(fd));
    check(close(family.listener));
    check(close(family.life[0]));
}

/* Output:
client: pid P2 calls connect and writes A
server: pid P2 connected, of my user
server: A was written by pid P2; connected by pid P2
heir: pid P3 writes B on the same connection
server: B was written by pid P3; connected by pid P2
server: connected by pid P2, and there is no process with this number
*/
