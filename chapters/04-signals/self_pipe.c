/* self_pipe.c - a signal as bytes: one poll waits for signals and for everything else.
   Python: signal.set_wakeup_fd(fd); asyncio does this for you
   Calls:  pipe2(2) with O_NONBLOCK, poll(2); signalfd(2)
   Needs:  01-fork/pipe, 02-process/process_step3, handler, eintr, mask, sigchld
   Try:    Run build/self_pipe signalfd. Then take out O_NONBLOCK: the second read in empty() waits
           for ever, because the pipe is empty and nobody closes it. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 3 };

static volatile sig_atomic_t wake_fd;       /* the pipe's write end, for the handler */

static void on_chld(int signal)
{
    (void)signal;
    int saved = errno;
    if (write(wake_fd, "!", 1) == -1 && errno != EAGAIN)
        _exit(1);               /* EAGAIN: the pipe is full. Then poll returns anyway: nothing is lost */
    errno = saved;
}

/* Gives a descriptor that is readable when SIGCHLD has come. */
static int open_self_pipe(void)
{
    int ends[2];
    check(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    wake_fd = ends[1];
    struct sigaction action = { .sa_handler = on_chld, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGCHLD, &action, NULL));   /* last: from now on the handler may run */
    return ends[0];
}

/* The same, made by the kernel: no handler, and the signal must stay blocked. Linux only. */
static int open_signalfd(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    check(sigprocmask(SIG_BLOCK, &set, NULL));
    return check(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/* No handler may run when its pipe is closed: so first the default (for SIGCHLD: nothing), then close. */
static void close_all(int wake, bool kernel)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGCHLD, &action, NULL));
    if (!kernel)
        check(close(wake_fd));
    check(close(wake));
}

/* Takes all bytes out. How many they are says nothing: signals merge. */
static void empty(int fd)
{
    char bytes[1024];
    ssize_t count;
    do
        count = read(fd, bytes, sizeof bytes);
    while (count > 0 || (count == -1 && errno == EINTR));
    if (count == -1 && errno != EAGAIN)
        check(count);
}

struct talk {
    pid_t parent, child;
    int lines[2];               /* the children write here */
    int go[2];                  /* a byte: the child may end */
    int number;                 /* of the child that runs now */
};

static int say_and_end(void *argument)
{
    const struct talk *talk = argument;
    char byte;
    check(end_with_parent(talk->parent));
    check(write_full(talk->lines[1], "hello", 5));
    check(read_full(talk->go[0], &byte, 1));
    return talk->number;
}

static void start_next(struct talk *talk)
{
    talk->number++;
    talk->child = check(start_child(say_and_end, talk));
}

/* Asks who has ended: the bytes only say that it is worth asking. */
static void reap_all(struct talk *talk)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (WIFSIGNALED(status))
            die("child %d was killed by signal %d", talk->number, WTERMSIG(status));
        if (WEXITSTATUS(status) != talk->number)
            die("child %d ended with exit status %d", talk->number, WEXITSTATUS(status));
        say("SIGCHLD: child %d ended with exit status %d", talk->number, WEXITSTATUS(status));
        talk->child = 0;
    }
    if (pid == -1 && errno != ECHILD)
        check(pid);
}

int main(int argc, char **argv)
{
    bool kernel = argc == 2 && strcmp(argv[1], "signalfd") == 0;
    if (argc > 1 && !kernel)
        usage("self_pipe [signalfd]");
    int wake = kernel ? open_signalfd() : open_self_pipe();     /* before the first fork */

    struct talk talk = { .parent = getpid() };
    check(pipe(talk.lines));
    check(pipe(talk.go));
    start_next(&talk);
    while (talk.child != 0) {
        struct pollfd fds[2] = { { .fd = talk.lines[0], .events = POLLIN }, { .fd = wake, .events = POLLIN } };
        if (poll(fds, 2, -1) == -1) {
            if (errno == EINTR)
                continue;       /* a handler has run, and has written its byte */
            check(-1);
        }
        if (fds[0].revents != 0) {
            char text[6] = "";
            check(read_full(talk.lines[0], text, 5));
            say("a line: %s from child %d", text, talk.number);
            check(write_full(talk.go[1], "!", 1));
        }
        if (fds[1].revents != 0) {
            empty(wake);
            reap_all(&talk);
            if (talk.child == 0 && talk.number < COUNT)
                start_next(&talk);
        }
    }
    say("%d children, all reaped", talk.number);
    close_all(wake, kernel);
    for (int i = 0; i < 2; i++) {
        check(close(talk.lines[i]));
        check(close(talk.go[i]));
    }
}

/* Output:
a line: hello from child 1
SIGCHLD: child 1 ended with exit status 1
a line: hello from child 2
SIGCHLD: child 2 ended with exit status 2
a line: hello from child 3
SIGCHLD: child 3 ended with exit status 3
3 children, all reaped
*/

/* Output of ./self_pipe signalfd:
a line: hello from child 1
SIGCHLD: child 1 ended with exit status 1
a line: hello from child 2
SIGCHLD: child 2 ended with exit status 2
a line: hello from child 3
SIGCHLD: child 3 ended with exit status 3
3 children, all reaped
*/
