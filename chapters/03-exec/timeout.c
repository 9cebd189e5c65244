/* timeout.c - a command gets a limited time. Then it ends, with all that it has started.
   Python: subprocess.run(words, timeout=...), which kills only the one process that it started
   Calls:  setpgid(2), kill(2) with a negative number, pidfd_open(2), poll(2)
   Needs:  01-fork/zombie_and_orphan, 02-process/process_step3, 02-process/terminate, exec_failed, output
   Try:    In finish() and run(), take out the minus before command in each kill(): only sh is
           ended. The program then waits for ever for cat. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct command {
    pid_t pid;          /* sh; also the number of its process group */
    int life;           /* our end of its stdin. We write nothing, so who reads it waits for ever */
    int out;            /* our end of its stdout. End of file: all who had the other end are gone */
};

static void put(int fd, int target)     /* as in redirect.c */
{
    if (fd == target)
        check(fcntl(fd, F_SETFD, 0));
    else
        check(dup2(fd, target));
}

/* Starts sh -c SCRIPT as the leader of a group of its own. When the script is ready it prints a line to
   its descriptor 4: before that, no time counts. Only sh has that pipe: its end of file means that sh
   has ended too early, even if what sh has started goes on. */
static struct command start(char *script)
{
    int life[2], out[2], ready[2];
    check(pipe2(life, O_CLOEXEC));
    check(pipe2(out, O_CLOEXEC));
    check(pipe2(ready, O_CLOEXEC));
    pid_t me = getpid(), pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(me));
        check(setpgid(0, 0));           /* all that this process starts is born into its group */
        put(life[0], STDIN_FILENO);
        put(out[1], STDOUT_FILENO);
        put(ready[1], 4);
        execlp("sh", "sh", "-c", script, (char *)NULL);
        die("no program sh: %s", errno_name(errno));
    }
    check(close(life[0]));
    check(close(out[1]));
    check(close(ready[1]));
    char byte;
    if (check(read_full(ready[0], &byte, 1)) == 0)
        die("sh has ended too early: wait status %d", check(wait_child(pid)));
    check(close(ready[0]));
    return (struct command){ pid, life[1], out[0] };
}

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits until FD has bytes or end of file, at most LIMIT_MS ms. False: the time is over. */
static bool readable_within(int fd, int limit_ms)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    long long stop = now_ms() + limit_ms, left = limit_ms;
    int ready;
    while ((ready = poll(&one, 1, (int)left)) == -1 && errno == EINTR) {
        left = stop - now_ms();
        if (left < 0)
            left = 0;
    }
    return check(ready) == 1;
}

/* Waits until sh has ended, at most LIMIT_MS ms. False: the time is over. Does not reap sh: a zombie
   keeps its pid, so the number of its group cannot become somebody else's. */
static bool ends_within(const struct command *command, int limit_ms)
{
    int fd = (int)check(syscall(SYS_pidfd_open, command->pid, 0));
    bool ended = readable_within(fd, limit_ms);
    check(close(fd));
    return ended;
}

/* Ends whoever is left of the group, and reaps all. Tells how sh ended, which should be as EXPECTED:
   N, or -N after signal N. */
static void finish(const struct command *command, const char *what, int expected)
{
    check(kill(-command->pid, SIGKILL));    /* in any case: sh may have ended, and its child not */
    int status, status_of_sh = 0;
    pid_t pid;
    /* waitpid with -N: any child of mine in group N. The orphans are mine, see main. */
    while ((pid = waitpid(-command->pid, &status, 0)) > 0)
        if (pid == command->pid)
            status_of_sh = status;
    if (errno != ECHILD)                    /* no child is left in this group: that is the end */
        die("waitpid: %s", errno_name(errno));
    check(close(command->life));
    check(close(command->out));

    int code = WIFEXITED(status_of_sh) ? WEXITSTATUS(status_of_sh) : -WTERMSIG(status_of_sh);
    if (code < 0 && code != expected)
        die("sh was killed by signal %d", -code);
    if (code != expected)
        die("sh ended with exit code %d", code);
    say("%s: exit code %d", what, code);
}

static void run(char *script, int limit_ms, int expected)
{
    struct command command = start(script);
    bool in_time = ends_within(&command, limit_ms);
    if (!in_time) {
        check(kill(-command.pid, SIGTERM));     /* minus: to all in the group. This one asks */
        ends_within(&command, 50);              /* time to clean up */
    }
    finish(&command, in_time ? "in time" : "time is over, the whole group has ended", expected);
}

static void kill_only_sh(char *script)
{
    struct command command = start(script);
    siginfo_t info;
    check(kill(command.pid, SIGKILL));          /* no minus: one process */
    check(waitid(P_PID, (id_t)command.pid, &info, WEXITED | WNOWAIT));
    if (readable_within(command.out, 50))
        die("cat has ended");
    say("WRONG: killed sh only: no end of file, cat still has its stdout");
    finish(&command, "the whole group has ended", -SIGKILL);
}

int main(void)
{
    /* Here sh starts cat, which waits for ever: for bytes from sh's stdin, by its second name, 3.
       (A shell gives the commands that it starts with & another stdin.) */
    char slow[] = "exec 3<&0; cat <&3 4>&- & echo >&4; wait";
    char stubborn[] = "trap '' TERM; exec 3<&0; cat <&3 4>&- & echo >&4; wait";  /* both ignore SIGTERM */

    check(prctl(PR_SET_CHILD_SUBREAPER, 1));    /* orphans below us become our children */
    run("echo >&4; exit 3", 10000, 3);
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
