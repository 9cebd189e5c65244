/* wrong output | SIGKILL, signal 9 */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 16 };

/* ---- Given: the child, and the lines. ---- */

/* What a child does, with the read end of its pipe. Its parent must have closed all that it should
   not have: an end of another child's pipe, for example. */
static _Noreturn void child(int fd)
{
    unsigned char status = 0;
    if (read_full(fd, &status, 1) == -1)
        _exit(111);
    _exit(status);
}

/* Bytes that were read, of which some are not yet taken as lines. */
struct input {
    char bytes[400];
    size_t used;
};

/* Takes the first whole line out of INPUT into LINE, without its newline. Returns false when there is
   none: then read more,  read(0, input->bytes + input->used, sizeof input->bytes - input->used),
   and add the count to input->used. */
static bool take_line(struct input *input, char line[static 400])
{
    char *newline = memchr(input->bytes, '\n', input->used);
    if (newline == NULL)
        return false;
    size_t length = (size_t)(newline - input->bytes);
    memcpy(line, input->bytes, length);
    line[length] = '\0';
    input->used -= length + 1;
    memmove(input->bytes, newline + 1, input->used);
    return true;
}

/* ---- The reaper ---- */

static pid_t pids[MAX_CHILDREN];        /* of child K: pids[K - 1] */
static int pipes[MAX_CHILDREN];         /* the write end of child K's pipe, or -1 when it is closed */

static int self[2];                      /* the pipe to itself */

static void on_chld(int number)
{
    int error = errno;          /* the code that was interrupted may be about to look at it */
    (void)number;
    if (write(self[1], "x", 1) == -1 && errno != EAGAIN)
        _exit(1);               /* EAGAIN: the pipe is full, so poll will wake up anyway */
    errno = error;
}

static void start_children(int n)
{
    pid_t parent = getpid();
    for (int i = 0; i < n; i++) {
        int ends[2];
        check(pipe(ends));
        pids[i] = check(fork());
        if (pids[i] == 0) {
            check(end_with_parent(parent));
            check(close(ends[1]));
            for (int earlier = 0; earlier < i; earlier++)
                check(close(pipes[earlier]));   /* or that child would never see the end of its pipe */
            child(ends[0]);
        }
        check(close(ends[0]));
        pipes[i] = ends[1];
    }
}

static void close_pipe(int i)
{
    if (pipes[i] != -1)
        check(close(pipes[i]));
    pipes[i] = -1;
}

/* Reaps all that have ended; tells how many. */
static int reap(int n)
{
    int reaped = 0, status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; reaped++) {
        int i = 0;
        while (i < n && pids[i] != pid)
            i++;
        if (i == n)
            continue;           /* not one of ours; cannot happen here */
        close_pipe(i);
        if (WIFSIGNALED(status))
            say("child %d was killed by signal %d", i + 1, WTERMSIG(status));
        else
            say("child %d ended with exit status %d", i + 1, WEXITSTATUS(status));
        pids[i] = 0;            /* never signal it again */
    }
    return reaped;
}

static void do_line(const char *line, int n)
{
    int k, status;
    if (sscanf(line, "end %d %d", &k, &status) == 2 && k >= 1 && k <= n) {
        unsigned char byte = (unsigned char)status;
        if (pipes[k - 1] != -1)
            check(write(pipes[k - 1], &byte, 1));
    } else if (sscanf(line, "kill %d", &k) == 1 && k >= 1 && k <= n) {
        if (pids[k - 1] != 0)
            check(kill(pids[k - 1], SIGTERM));
    } else
        say("read: %s", line);
}

static void set_handler(int number, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL));
}

static void reaper(int n)
{
    struct input input = { .used = 0 };
    char line[400];
    check(pipe2(self, O_CLOEXEC | O_NONBLOCK));     /* a handler must never block in write */
    set_handler(SIGCHLD, on_chld, SA_RESTART | SA_NOCLDSTOP);   /* before the first fork */
    set_handler(SIGPIPE, SIG_IGN, 0);               /* a child may be killed before it is told to end */
    start_children(n);

    struct pollfd waits[2] = { { .fd = self[0], .events = POLLIN },
                               { .fd = STDIN_FILENO, .events = POLLIN } };
    for (int left = n; left > 0 || waits[1].fd != -1; ) {
        if (poll(waits, 2, -1) == -1) {
            if (errno == EINTR)
                continue;       /* SA_RESTART is not for poll; the byte is in the pipe */
            check(-1);
        }
        if (waits[0].revents != 0) {
            char bytes[100];
            check(read(self[0], bytes, sizeof bytes));  /* first this, then reap: so none is missed */
            left -= reap(n);
        }
        if (waits[1].revents != 0) {
            ssize_t count = check(read(STDIN_FILENO, input.bytes + input.used,
                                       sizeof input.bytes - input.used));
            input.used += (size_t)count;
            while (take_line(&input, line))
                do_line(line, n);
            if (count == 0) {
                waits[1].fd = -1;               /* poll passes over it from now on */
                for (int i = 0; i < n; i++)
                    close_pipe(i);
            }
        }
    }
    say("all %d children were reaped", n);
    set_handler(SIGCHLD, SIG_DFL, 0);   /* first: a handler that runs now would write to a closed pipe */
    check(close(self[0]));
    check(close(self[1]));
}

int main(int argc, char **argv)
{
    long n;
    if (argc != 2 || parse_number(argv[1], 1, MAX_CHILDREN, &n) == -1)
        usage("reaper N < LINES   (N: 1 to 16)");

    reaper((int)n);
    return 0;
}
