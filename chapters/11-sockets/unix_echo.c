/* unix_echo.c - the same talk within one machine: the address is a file, and the kernel tells who is there.
   Python: socket.socket(socket.AF_UNIX), socketserver.UnixStreamServer
   Calls:  bind(2) and connect(2) with sockaddr_un, see unix(7); getsockopt(2) with SO_PEERCRED, unlink(2)
   Needs:  08-queues/named_shared_memory, echo, echo_server
   Try:    Put pause(); above main's close(echo.life[1]). While it waits, ls -l /tmp/unix_echo.* in another
           window shows the socket. End the program with Ctrl-C, then with kill -9, and look again. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct limits limits = { .quiet_ms = 5000, .whole_ms = 5000, .bytes = 1000000 };

struct echo {
    pid_t parent;
    struct sockaddr_un address;         /* the name of a file */
    int ready[2];                       /* the server writes a byte: it listens */
    int life[2];                        /* main holds the write end: at its end of file, main has ended */
};

/* Removes the file. Closing the socket does not do it, and no process is so sure to run that it alone could. */
static void remove_name(const struct echo *echo)
{
    if (unlink(echo->address.sun_path) == -1 && errno != ENOENT)
        check(-1);
}

static int serve(void *argument)
{
    const struct echo *echo = argument;
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    check(sigaction(SIGINT, &ignore, NULL));    /* Ctrl-C and killall end main, too; then we see the end of LIFE, */
    check(sigaction(SIGTERM, &ignore, NULL));   /* and clean up */
    check(close(echo->life[1]));
    int listener = check(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    umask(077);                         /* the file is for this user only: nobody else can connect */
    check(bind(listener, (const struct sockaddr *)&echo->address, sizeof echo->address));  /* makes the file */
    check(listen(listener, 1));
    check(write_full(echo->ready[1], "!", 1));

    struct pollfd fds[2] = { { .fd = echo->life[0], .events = POLLIN }, { .fd = listener, .events = POLLIN } };
    while (fds[0].revents == 0) {
        int ready = poll(fds, 2, -1);
        check(ready == -1 && errno == EINTR ? 0 : ready);
        int client = ready > 0 && fds[1].revents != 0 ? accept_client(listener) : -1;
        if (client == -1)
            continue;
        struct ucred who;               /* the kernel filled it in when the client connected: no lies */
        socklen_t size = sizeof who;
        check(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &size));
        say("server: a client, pid %d, of %s", (int)who.pid, who.uid == geteuid() ? "my own user" : "another user");
        talk_with(client, &limits);
        check(close(client));
    }
    remove_name(echo);
    return 0;
}

static int ask(void *argument)
{
    const struct echo *echo = argument;
    const char text[] = "hello, neighbour";
    char answer[sizeof text] = "";
    check(end_with_parent(echo->parent));
    int server = check(socket(AF_UNIX, SOCK_STREAM, 0));
    check(connect(server, (const struct sockaddr *)&echo->address, sizeof echo->address));
    if (send(server, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        check(-1);
    check(shutdown(server, SHUT_WR));
    if (check(read_full(server, answer, strlen(text))) < (ssize_t)strlen(text))
        die("the server has ended the talk");
    say("client, pid %d: %s", (int)getpid(), answer);
    check(close(server));
    return 0;
}

int main(void)
{
    struct echo echo = { .parent = getpid(), .address = { .sun_family = AF_UNIX } };
    int status = 0;
    char byte;
    /* A path has room for 107 bytes only. This one is known before the server starts: so either can remove it. */
    snprintf(echo.address.sun_path, sizeof echo.address.sun_path, "/tmp/unix_echo.%d", (int)getpid());
    check(pipe(echo.ready));
    check(pipe(echo.life));
    pid_t server = check(start_child(serve, &echo));
    check(close(echo.ready[1]));
    check(close(echo.life[0]));
    if (check(read_full(echo.ready[0], &byte, 1)) == 1) {
        pid_t client = check(start_child(ask, &echo));
        status = check(wait_child(client));
    }
    check(close(echo.life[1]));         /* the server ends */
    int server_status = check(wait_child(server));
    remove_name(&echo);                 /* if the server was killed */
    check(close(echo.ready[0]));
    if (status != 0 || server_status != 0)
        die("wait status of the client: %d, of the server: %d", status, server_status);
}

/* Output:
server: a client, pid P1, of my own user
client, pid P1: HELLO, NEIGHBOUR
*/
