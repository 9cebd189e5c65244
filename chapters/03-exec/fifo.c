/* fifo.c - a pipe with a name: two programs meet that have no ends from a common parent.
   Python: os.mkfifo()
   Calls:  mkfifo(3), fifo(7), unlink(2); sigprocmask(2), which chapter 04 teaches
   Needs:  01-fork/pipe, exec
   Try:    In two terminals: mkfifo letters; cat letters        and        echo hello > letters
           The one that comes first waits. Then remove it: rm letters */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
    const char *script;       /* for sh. It finds the FIFO's name in "$1" */
    const char *path;
    pid_t parent;
    sigset_t mask;      /* which signals were blocked at the start of this program */
};

static int run_script(void *argument)
{
    const struct job *job = argument;
    check(end_with_parent(job->parent));    /* an open that waits for nobody ends with main */
    check(sigprocmask(SIG_SETMASK, &job->mask, NULL));      /* exec keeps blocked signals blocked */
    execlp("sh", "sh", "-c", job->script, "sh", job->path, (char *)NULL);
    die("no program sh: %s", errno_name(errno));
}

/* Starts both and waits for both: when one fails, the other one is ended. Returns 0, 1, or -1. */
static int run_both(struct job *one, struct job *two)
{
    pid_t pids[2];
    pids[0] = start_child(run_script, one);
    if (pids[0] == -1)
        return -1;
    pids[1] = start_child(run_script, two);
    if (pids[1] == -1)
        return -1;
    return wait_children(pids, 2);
}

int main(void)
{
    char path[40];
    snprintf(path, sizeof path, "fifo.%d", getpid());       /* a name in the current folder */
    struct job reader = { .path = path, .parent = getpid(),
                          .script = "read line < \"$1\"; echo \"reader: $line\"" };
    struct job writer = { .path = path, .parent = getpid(), .script = "echo tea > \"$1\"" };

    /* The name stays when all its users have ended: nobody but us removes it. So SIGINT and SIGTERM
       have to wait until we have done that. */
    sigset_t enders;
    sigemptyset(&enders);
    sigaddset(&enders, SIGINT);
    sigaddset(&enders, SIGTERM);
    check(sigprocmask(SIG_BLOCK, &enders, &reader.mask));
    writer.mask = reader.mask;

    check(mkfifo(path, 0600));              /* the right to read and write: for us only */
    say("made a FIFO");
    int failed = run_both(&reader, &writer), error = errno;
    check(unlink(path));
    check(sigprocmask(SIG_SETMASK, &reader.mask, NULL));
    if (failed == -1)
        die("no second process: %s", errno_name(error));
    if (failed == 0)
        say("removed its name");
    return failed;
}

/* Output:
made a FIFO
reader: tea
removed its name
*/
