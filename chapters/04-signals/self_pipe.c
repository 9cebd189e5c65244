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
static int open_self_pipe(const sigset_t *chld)
{
    int ends[2];
    check(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    wake_fd = ends[1];
    struct sigaction action = { .sa_handler = on_chld, .sa_flags = SA_RESTART };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGCHLD, &action, NULL));       /* after the pipe: from now on the handler may run */
    check(sigprocmask(SIG_UNBLOCK, chld, NULL));    /* whoever started us may have blocked it */
    return ends[0];
}

/* The same, made by the kernel: no handler, and the signal must stay blocked. Linux only. */
static int open_signalfd(const sigset_t *chld)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGCHLD, &action, NULL));       /* whoever started us may ignore it: then it never comes */
    check(sigprocmask(SIG_BLOCK, chld, NULL));
    return check(signalfd(-1, chld, SFD_CLOEXEC | SFD_NONBLOCK));
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
    pid_t parent;
    int line[2];                /* the child writes here */
    int go[2];                  /* a byte: the child may end */
};

static int write_and_end(void *argument)
{
    const struct talk *talk = argument;
    char byte;
    check(end_with_parent(talk->parent));
    check(write_full(talk->line[1], "hello", 5));
    check(read_full(talk->go[0], &byte, 1));
    return 7;
}

/* The bytes only say that it is worth asking. Has the child ended? */
static bool has_ended(pid_t child)
{
    int status;
    if (check(waitpid(child, &status, WNOHANG)) == 0)
        return false;           /* a SIGCHLD that a stranger sent */
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 7)
        die("the child ended with exit status %d", WEXITSTATUS(status));
    return true;
}

int main(int argc, char **argv)
{
    bool kernel = argc == 2 && strcmp(argv[1], "signalfd") == 0;
    if (argc > 1 && !kernel)
        usage("self_pipe [signalfd]");
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    int wake = kernel ? open_signalfd(&chld) : open_self_pipe(&chld);       /* before the first fork */

    struct talk talk = { .parent = getpid() };
    check(pipe(talk.line));
    check(pipe(talk.go));
    pid_t child = check(start_child(write_and_end, &talk));
    for (bool ended = false; !ended; ) {
        struct pollfd fds[2] = { { .fd = talk.line[0], .events = POLLIN }, { .fd = wake, .events = POLLIN } };
        int ready = poll(fds, 2, -1);
        if (ready == -1 && errno == EINTR)
            continue;           /* a handler has run, and has written its byte */
        check(ready);
        if (fds[0].revents != 0) {
            char text[6] = "";
            check(read_full(talk.line[0], text, 5));
            say("bytes: %s", text);
            check(write_full(talk.go[1], "!", 1));
        }
        if (fds[1].revents != 0) {
            empty(wake);
            ended = has_ended(child);
        }
    }
    say("SIGCHLD: the child has ended with exit status 7");

    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigemptyset(&usual.sa_mask);
    check(sigaction(SIGCHLD, &usual, NULL));        /* first: no handler may write to a closed pipe */
    if (!kernel)
        check(close(wake_fd));
    check(close(wake));
    for (int i = 0; i < 2; i++) {
        check(close(talk.line[i]));
        check(close(talk.go[i]));
    }
}

/* Output:
bytes: hello
SIGCHLD: the child has ended with exit status 7
*/

/* Output of ./self_pipe signalfd:
bytes: hello
SIGCHLD: the child has ended with exit status 7
*/
