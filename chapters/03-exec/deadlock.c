/* deadlock.c - write all, then read: the program and we wait for each other. And a way out.
   Python: p.stdin.write(text), then p.stdout.read(): hangs when the text is long
   Calls:  pipe(7) ("Pipe capacity"), fcntl(2) with O_NONBLOCK, poll(2), dup2(2)
   Needs:  01-fork/pipe, 01-fork/two_workers, 02-process/process_step3, output
   Try:    In write_all_then_read(), take out the line with fcntl(): the program hangs, as all
           programs do that are written like this. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1024 * 1024 };

static void put(int fd, int target)     /* as in redirect.c */
{
    check(fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target));
}

/* Starts cat, which copies its stdin to its stdout. *IN: where we write; *OUT: where we read. */
static pid_t start_cat(int *in, int *out)
{
    int to_cat[2], from_cat[2];
    check(pipe2(to_cat, O_CLOEXEC));
    check(pipe2(from_cat, O_CLOEXEC));
    pid_t pid = check(fork());
    if (pid == 0) {
        struct sigaction usual = { .sa_handler = SIG_DFL };
        check(sigaction(SIGPIPE, &usual, NULL));    /* exec would keep it ignored */
        put(to_cat[0], STDIN_FILENO);
        put(from_cat[1], STDOUT_FILENO);
        execlp("cat", "cat", (char *)NULL);
        die("no program cat: %s", errno_name(errno));
    }
    check(close(to_cat[0]));
    check(close(from_cat[1]));
    *in = to_cat[1];
    *out = from_cat[0];
    return pid;
}

/* Waits for the child; ends this program if it has not ended well. */
static void join(pid_t pid, const char *name)
{
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("%s was killed by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("%s ended with exit status %d", name, WEXITSTATUS(status));
}

static void write_all_then_read(const char *text, char *back)
{
    int in, out;
    pid_t pid = start_cat(&in, &out);
    check(fcntl(in, F_SETFL, O_NONBLOCK));      /* our end: write takes what fits, and never waits */

    size_t done = 0;
    struct pollfd room = { .fd = in, .events = POLLOUT };
    while (done < SIZE && check(poll(&room, 1, 100)) == 1)      /* 0: no room for 100 ms */
        done += (size_t)check(write(in, text + done, SIZE - done));
    if (done == SIZE)
        die("all of it went in");
    say("Measured: %zu of %d bytes fit into two pipes and cat", done, SIZE);
    say("WRONG: now cat waits until we read, and we would wait until cat reads");

    check(close(in));                   /* this demonstration gives up, and reads */
    if ((size_t)check(read_full(out, back, SIZE)) != done || memcmp(text, back, done) != 0)
        say("something got lost");
    check(close(out));
    join(pid, "cat");
}

/* The way out: somebody else writes, at the same time. */
static void write_and_read_at_once(const char *text, char *back)
{
    int in, out;
    pid_t pid = start_cat(&in, &out);
    pid_t writer = check(fork());
    if (writer == 0) {
        check(close(out));              /* with it we would be a reader, and cat get no SIGPIPE */
        check(write_full(in, text, SIZE));
        _exit(0);
    }
    check(close(in));                   /* only the writer has it: its end is cat's end of file */
    ssize_t count = check(read_full(out, back, SIZE));
    check(close(out));
    join(writer, "the writer");
    join(pid, "cat");
    say("a second process writes, we read: %zd bytes, the same: %s", count,
        memcmp(text, back, SIZE) == 0 ? "yes" : "no");
}

int main(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    check(sigaction(SIGPIPE, &ignore, NULL));   /* if cat is killed, we want EPIPE, and to tell it */

    char *text = check_ptr(malloc(SIZE)), *back = check_ptr(calloc(1, SIZE));
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i % 23);
    write_all_then_read(text, back);
    memset(back, 0, SIZE);
    write_and_read_at_once(text, back);
    free(text);
    free(back);
}

/* Output:
Measured: 196608 of 1048576 bytes fit into two pipes and cat
WRONG: now cat waits until we read, and we would wait until cat reads
a second process writes, we read: 1048576 bytes, the same: yes
*/
