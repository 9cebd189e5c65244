/* communicate.c - feed a program's stdin and read its stdout and stderr, all at once, any sizes.
   Python: Popen(words, stdin=PIPE, stdout=PIPE, stderr=PIPE).communicate(input)
   Calls:  poll(2), fcntl(2) with O_NONBLOCK, sigaction(2) for SIGPIPE, pipe2(2), dup2(2)
   Needs:  01-fork/two_workers, exec_failed, redirect, output, deadlock
   Try:    build/communicate sort < communicate.c
           Then take out the line with O_NONBLOCK, and run it without arguments: it hangs. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct text { char *bytes; size_t size, room; };    /* room: how many bytes fit before it must grow */

/* Reads once, and adds what came to TEXT. False at end of file. */
static bool read_more(int fd, struct text *text)
{
    if (text->size == text->room) {
        text->room = text->room == 0 ? 65536 : 2 * text->room;
        text->bytes = check_ptr(realloc(text->bytes, text->room));
    }
    ssize_t count = check(read(fd, text->bytes + text->size, text->room - text->size));
    text->size += (size_t)count;
    return count > 0;
}

static void put(int fd, int target)     /* as in redirect.c */
{
    check(fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target));
}

/* Starts WORDS. FDS gets our ends of three pipes: to its stdin, from its stdout, from its stderr. */
static pid_t start(char *const words[], struct pollfd fds[3])
{
    int pipes[4][2], error;             /* for 0, 1 and 2; the last is the report of exec_failed.c */
    for (int i = 0; i < 4; i++)
        check(pipe2(pipes[i], O_CLOEXEC));
    pid_t me = getpid(), pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(me));     /* exec keeps this; a program that never reads ends too */
        struct sigaction usual = { .sa_handler = SIG_DFL };
        check(sigaction(SIGPIPE, &usual, NULL));    /* main ignores it, and exec would keep that */
        put(pipes[0][0], STDIN_FILENO);
        put(pipes[1][1], STDOUT_FILENO);
        put(pipes[2][1], STDERR_FILENO);
        execvp(words[0], words);
        error = errno;
        check(write_full(pipes[3][1], &error, sizeof error));
        _exit(127);
    }
    for (int i = 0; i < 4; i++)
        check(close(pipes[i][i > 0]));  /* the child's: the read end for 0, the other write ends */
    if (check(read_full(pipes[3][0], &error, sizeof error)) != 0) {
        check(wait_child(pid));
        die("no program %s: %s", words[0], errno_name(error));
    }
    check(close(pipes[3][0]));
    for (int i = 0; i < 3; i++)
        fds[i] = (struct pollfd){ .fd = pipes[i][i == 0], .events = i == 0 ? POLLOUT : POLLIN };
    return pid;
}

static void shut(struct pollfd *end)
{
    check(close(end->fd));
    end->fd = -1;                       /* poll takes no notice of a negative descriptor */
}

/* Runs WORDS, gives it INPUT, adds what it prints to OUTPUT[0] and OUTPUT[1] (stderr), and returns its
   wait status. Waits as long as the program, or a child of it, keeps one of the outputs open. */
static int communicate(char *const words[], struct text input, struct text output[2])
{
    struct pollfd fds[3];
    pid_t pid = start(words, fds);
    check(fcntl(fds[0].fd, F_SETFL, O_NONBLOCK));   /* write takes what fits, and never waits */
    size_t done = 0;
    for (;;) {
        if (done == input.size && fds[0].fd != -1)
            shut(&fds[0]);              /* all is sent: end of file for the program */
        if (fds[0].fd == -1 && fds[1].fd == -1 && fds[2].fd == -1)
            return check(wait_child(pid));
        int ready;
        while ((ready = poll(fds, 3, -1)) == -1 && errno == EINTR)
            ;                           /* the one place where we wait while the program runs */
        check(ready);
        if (fds[0].revents != 0) {
            ssize_t count = write(fds[0].fd, input.bytes + done, input.size - done);
            if (count == -1 && errno == EPIPE)
                done = input.size;      /* it has closed its stdin: it wants no more. No error */
            else if (count != -1 || errno != EAGAIN)
                done += (size_t)check(count);
        }
        for (int i = 1; i <= 2; i++)
            if (fds[i].revents != 0 && !read_more(fds[i].fd, &output[i - 1]))
                shut(&fds[i]);
    }
}

/* Runs WORDS, tells how many bytes went where, and returns the exit code: N, or -N for signal N. */
static int show(char *const words[], struct text input)
{
    struct text output[2] = { { NULL, 0, 0 }, { NULL, 0, 0 } };
    int status = communicate(words, input, output);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    bool same = output[0].size == input.size &&
                (input.size == 0 || memcmp(output[0].bytes, input.bytes, input.size) == 0);
    say("stdin %zu bytes, stdout %zu bytes%s, stderr %zu bytes, exit code %d", input.size,
        output[0].size, same ? " (the same)" : "", output[1].size, code);
    free(output[0].bytes);
    free(output[1].bytes);
    return code;
}

int main(int argc, char **argv)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    check(sigaction(SIGPIPE, &ignore, NULL));       /* write then fails with EPIPE, and we live on */
    struct text input = { NULL, 0, 0 };
    if (argc > 1) {                     /* a command: it gets what we get */
        while (read_more(STDIN_FILENO, &input))
            ;
        show(argv + 1, input);
        free(input.bytes);
        return 0;
    }

    input = (struct text){ check_ptr(malloc(1 << 20)), 1 << 20, 1 << 20 };      /* 1 MiB */
    for (size_t i = 0; i < input.size; i++)
        input.bytes[i] = (char)(i * i % 251);
    char *const all_three[] = { "sh", "-c", "printf '%01048576d' 0 >&2; cat", NULL };
    char *const reads_nothing[] = { "sh", "-c", "exec <&-; echo no, thank you", NULL };
    int code = show(all_three, input);
    if (code == 0)
        code = show(reads_nothing, input);
    free(input.bytes);
    if (code != 0)
        die("sh %s %d", code < 0 ? "was killed by signal" : "ended with exit status", abs(code));
}

/* Output:
stdin 1048576 bytes, stdout 1048576 bytes (the same), stderr 1048576 bytes, exit code 0
stdin 1048576 bytes, stdout 14 bytes, stderr 0 bytes, exit code 0
*/
