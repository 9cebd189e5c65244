/* race | volatile sig_atomic_t */
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

/* ---- Given: the child, and the lines. Do not change this part. ---- */

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

/* ---- Yours ---- */

static pid_t pids[MAX_CHILDREN];        /* of child K: pids[K - 1] */
static int pipes[MAX_CHILDREN];         /* the write end of child K's pipe, or -1 when it is closed */

static int statuses[MAX_CHILDREN];
static volatile sig_atomic_t changed;

static void on_chld(int number)
{
    int error = errno, status;
    pid_t pid;
    (void)number;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < MAX_CHILDREN; i++)
            if (pids[i] == pid)
                statuses[i] = status + 1;
    changed = 1;
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
                check(close(pipes[earlier]));
            child(ends[0]);
        }
        check(close(ends[0]));
        pipes[i] = ends[1];
    }
}

static int left;

static void reap(void)
{
    changed = 0;
    for (int i = 0; i < MAX_CHILDREN; i++) {
        int status = statuses[i] - 1;
        if (status == -1)
            continue;
        statuses[i] = 0;
        left--;
        if (WIFSIGNALED(status))
            say("child %d was killed by signal %d", i + 1, WTERMSIG(status));
        else
            say("child %d ended with exit status %d", i + 1, WEXITSTATUS(status));
    }
}

static void close_pipes(int n)
{
    for (int i = 0; i < n; i++)
        if (pipes[i] != -1)
            check(close(pipes[i]));
}

static void do_line(const char *line)
{
    int k, status;
    if (sscanf(line, "end %d %d", &k, &status) == 2) {
        unsigned char byte = (unsigned char)status;
        check(write(pipes[k - 1], &byte, 1));
        check(close(pipes[k - 1]));
        pipes[k - 1] = -1;
    } else if (sscanf(line, "kill %d", &k) == 1) {
        check(kill(pids[k - 1], SIGKILL));
    } else
        say("read: %s", line);
}

static void reaper(int n)
{
    struct input input = { .used = 0 };
    char line[400];
    struct sigaction action = { .sa_handler = on_chld };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGCHLD, &action, NULL));
    left = n;
    sigset_t chld, before;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    check(sigprocmask(SIG_BLOCK, &chld, &before));
    start_children(n);
    check(sigprocmask(SIG_SETMASK, &before, NULL));
    for (;;) {
        if (changed)
            reap();
        ssize_t count = read(STDIN_FILENO, input.bytes + input.used, sizeof input.bytes - input.used);
        if (count == -1 && errno == EINTR)
            continue;
        if (check(count) == 0)
            break;
        input.used += (size_t)count;
        while (take_line(&input, line))
            do_line(line);
    }
    check(sigprocmask(SIG_BLOCK, &chld, &before));
    close_pipes(n);
    for (reap(); left > 0; reap())
        sigsuspend(&before);
    say("all %d children were reaped", n);
}

int main(int argc, char **argv)
{
    long n;
    if (argc != 2 || parse_number(argv[1], 1, MAX_CHILDREN, &n) == -1)
        usage("reaper N < LINES   (N: 1 to 16)");

    reaper((int)n);
    return 0;
}
