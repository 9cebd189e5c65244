/* inherited_fds.c - which descriptors a program gets from us: all, unless they are close-on-exec.
   Python: subprocess.Popen(close_fds=True, pass_fds=...), os.set_inheritable()
   Calls:  pipe2(2) and open(2) with O_CLOEXEC; fcntl(2) with F_SETFD; close_range(2)
   Needs:  01-fork/pipe, exec, exec_failed, redirect
   Try:    In leak(), write O_CLOEXEC for 0. Now the end of file is there: the program ends with the
           line "no leak". */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child does with the descriptor FD before its exec. */
static void leave_it(int fd)
{
    (void)fd;                           /* nothing */
}

static void pass_it_on(int fd)
{
    check(fcntl(fd, F_SETFD, 0));       /* in the child only: the flag belongs to the descriptor */
}

static void close_all_others(int fd)
{
    (void)fd;                           /* whatever is open, in our code or in a library: 3, 4, 5 ... */
    check(syscall(SYS_close_range, 3u, ~0u, 0u));
}

static void put(int fd, int target)     /* as in redirect.c */
{
    check(fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target));
}

static void join(pid_t pid, const char *name)
{
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("%s was killed by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("%s ended with exit status %d", name, WEXITSTATUS(status));
}

/* Opens a pipe with FLAGS. A child does PREPARE and becomes sh, which looks for the pipe's read end. */
static void show(const char *what, int flags, void (*prepare)(int fd))
{
    int ends[2];
    check(pipe2(ends, flags));
    pid_t pid = check(fork());
    if (pid == 0) {
        char path[40];
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
        prepare(ends[0]);
        execlp("sh", "sh", "-c", "[ -e \"$2\" ] && has='has it' || has='does not have it'; echo \"$1: sh $has\"",
               "sh", what, path, (char *)NULL);
        die("no program sh: %s", errno_name(errno));
    }
    join(pid, "sh");
    check(close(ends[0]));
    check(close(ends[1]));
}

/* What a leak costs: an end of file that does not come, because of a program that has nothing to do
   with this pipe. */
static void leak(void)
{
    int stdin_of_cat[2], ours[2];
    check(pipe2(stdin_of_cat, O_CLOEXEC));
    check(pipe2(ours, 0));              /* the mistake: no O_CLOEXEC */
    pid_t pid = check(fork());
    if (pid == 0) {
        put(stdin_of_cat[0], STDIN_FILENO);
        execlp("cat", "cat", (char *)NULL);
        die("no program cat: %s", errno_name(errno));
    }
    check(close(stdin_of_cat[0]));
    check(close(ours[1]));              /* our only write end */
    struct pollfd end = { .fd = ours[0], .events = POLLIN };
    if (check(poll(&end, 1, 50)) != 0)
        die("no leak");
    say("WRONG: no end of file: cat, which knows nothing of this pipe, has a write end");

    check(close(stdin_of_cat[1]));      /* end of file for cat, so cat ends */
    char byte;
    if (check(read_full(ours[0], &byte, 1)) == 0)
        say("cat has ended: here it is");
    check(close(ours[0]));
    join(pid, "cat");
}

int main(void)
{
    show("a plain pipe", 0, leave_it);
    show("with O_CLOEXEC", O_CLOEXEC, leave_it);
    show("with O_CLOEXEC, passed on", O_CLOEXEC, pass_it_on);
    show("a plain pipe, all others closed", 0, close_all_others);
    leak();
}

/* Output:
a plain pipe: sh has it
with O_CLOEXEC: sh does not have it
with O_CLOEXEC, passed on: sh has it
a plain pipe, all others closed: sh does not have it
WRONG: no end of file: cat, which knows nothing of this pipe, has a write end
cat has ended: here it is
*/
