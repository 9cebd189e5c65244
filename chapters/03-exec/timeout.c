/* timeout.c - a command gets a limited time. Then it ends, with all that it has started.
   Python: subprocess.run(words, timeout=...), which kills only the one process that it started
   Calls:  setpgid(2), kill(2) with a negative number, pidfd_open(2), poll(2)
   Needs:  01-fork/zombie_and_orphan, 02-process/process_step3, 02-process/terminate, redirect, output
   Try:    In run() and finish(), take out the minus before command in each kill(): only sh is
           ended. The program then waits for ever for cat. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct command {
    pid_t pid;          /* sh; also the number of its process group */
    int in, out;        /* our ends of its stdin and its stdout. Its child cat has the other ends, too */
};

static void put(int fd, int target)     /* as in redirect.c */
{
    check(fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target));
}

/* Starts sh -c SCRIPT as the leader of a group of its own, and waits until the script runs: it prints
   the line that is its input. Before that, no time counts. */
static struct command start(char *script)
{
    int in[2], out[2];
    check(pipe2(in, O_CLOEXEC));
    check(pipe2(out, O_CLOEXEC));
    check(write_full(in[1], "r\n", 2));     /* the one line that it gets; then its reader waits */
    pid_t me = getpid(), pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(me));
        check(setpgid(0, 0));           /* all that this process starts is born into its group */
        put(in[0], STDIN_FILENO);
        put(out[1], STDOUT_FILENO);
        execlp("sh", "sh", "-c", script, (char *)NULL);
        die("no program sh: %s", errno_name(errno));
    }
    check(close(in[0]));
    check(close(out[1]));
    char line[2];
    if (check(read_full(out[0], line, sizeof line)) < (ssize_t)sizeof line)
        die("sh has ended too early: wait status %d", check(wait_child(pid)));
    return (struct command){ pid, in[1], out[0] };
}

/* Waits until FD is readable (or at end of file), at most LIMIT_MS ms. False: the time is over. */
static bool readable_within(int fd, int limit_ms)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    int ready;
    while ((ready = poll(&one, 1, limit_ms)) == -1 && errno == EINTR)
        ;       /* after Ctrl-Z and fg, the whole limit once more. process_step3.c counts what is left */
    return check(ready) == 1;
}

/* The same for the end of sh. Does not reap it: a zombie keeps its pid, so nobody else can get the
   number of its group. */
static bool ends_within(struct command command, int limit_ms)
{
    int fd = (int)check(syscall(SYS_pidfd_open, command.pid, 0));
    bool ended = readable_within(fd, limit_ms);
    check(close(fd));
    return ended;
}

/* Ends and reaps whoever is left of the group. Tells how sh ended: N, or -N after signal N, as EXPECTED. */
static void finish(struct command command, const char *what, int expected)
{
    check(kill(-command.pid, SIGKILL));     /* in any case: sh may have ended, and its child not */
    int status, status_of_sh = 0;
    pid_t pid;
    while ((pid = waitpid(-command.pid, &status, 0)) > 0)   /* minus: any child of mine in that group */
        if (pid == command.pid)
            status_of_sh = status;
    if (errno != ECHILD)                    /* ECHILD, "no such child": all are gone and reaped */
        die("waitpid: %s", errno_name(errno));
    check(close(command.in));
    check(close(command.out));
    int code = WIFEXITED(status_of_sh) ? WEXITSTATUS(status_of_sh) : -WTERMSIG(status_of_sh);
    if (code != expected)
        die("sh %s %d", code < 0 ? "was killed by signal" : "ended with exit status", abs(code));
    say("%s: exit code %d", what, code);
}

static void run(char *script, int limit_ms, int expected)
{
    struct command command = start(script);
    bool in_time = ends_within(command, limit_ms);
    if (!in_time) {
        check(kill(-command.pid, SIGTERM));     /* minus: to all in the group. This one asks */
        ends_within(command, 50);               /* time to clean up */
    }
    finish(command, in_time ? "in time" : "time is over, the whole group has ended", expected);
}

static void kill_only_sh(char *script)
{
    struct command command = start(script);
    check(kill(command.pid, SIGKILL));          /* no minus: one process */
    if (readable_within(command.out, 50))
        die("cat has ended");
    say("WRONG: killed sh only: no end of file, cat still has its stdout");
    finish(command, "the whole group has ended", -SIGKILL);
}

int main(void)
{
    char slow[] = "cat; exit 0";            /* cat, a child of sh, copies one line, then waits for more */
    char stubborn[] = "trap '' TERM; cat; exit 0";          /* both ignore SIGTERM: exec keeps that */

    check(prctl(PR_SET_CHILD_SUBREAPER, 1));    /* when sh has ended, cat becomes a child of mine */
    run("read line; echo $line; exit 3", 10000, 3);
    run(slow, 50, -SIGTERM);
    run(stubborn, 50, -SIGKILL);
    kill_only_sh(slow);
}

/* Output:
in time: exit code 3
time is over, the whole group has ended: exit code -15
time is over, the whole group has ended: exit code -9
WRONG: killed sh only: no end of file, cat still has its stdout
the whole group has ended: exit code -9
*/
