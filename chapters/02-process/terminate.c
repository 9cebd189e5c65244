/* terminate.c - ending a child: ask (SIGTERM), force (SIGKILL); and who is left behind.
   Python: p.terminate(), p.kill(), p.is_alive(), p.exitcode
   Calls:  kill(2), setpgid(2), prctl(2) with PR_SET_CHILD_SUBREAPER
   Needs:  01-fork/pipe, 01-fork/zombie_and_orphan, join_timeout, exitcode
   Try:    In stubborn(), put write_full() above signal(), and work_ticks(20); between them. The
           program now ends with the line "stubborn was killed by signal 15": SIGTERM came before
           the child ignored it. Without the pause that happens only now and then. */
#include "workbook.h"

#include "process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct ends {
    int report[2];      /* the child tells main something */
    int life[2];        /* nobody writes: end of file when main closes its end, or ends */
};

static int obedient(void *argument)
{
    (void)argument;
    return pause();                 /* waits until a signal ends this process */
}

static int stubborn(void *argument)
{
    const struct ends *ends = argument;
    if (signal(SIGTERM, SIG_IGN) == SIG_ERR)
        die("stubborn cannot ignore SIGTERM");
    check(write_full(ends->report[1], "r", 1));     /* only now may SIGTERM come */
    return pause();
}

/* Has a child of its own, by a plain fork, so nothing ends that one when this process ends. */
static int with_child(void *argument)
{
    const struct ends *ends = argument;
    check(close(ends->life[1]));    /* main's end: while a copy is open, end of file never comes */
    check(setpgid(0, 0));           /* a new process group, led by me; its number is my pid */
    pid_t pid = check(fork());      /* a child is born into its parent's group */
    if (pid == 0) {
        char byte;
        check(close(ends->report[1]));
        check(read_full(ends->life[0], &byte, 1));  /* ends with main, whatever happens */
        _exit(0);
    }
    check(write_full(ends->report[1], &pid, sizeof pid));
    return pause();
}

/* Starts CHILD and waits until it has reported SIZE bytes. */
static void start_and_hear(struct process *child, struct ends *ends, void *bytes, size_t size)
{
    check(pipe(ends->report));
    check(process_start(child));
    check(close(ends->report[1]));  /* now end of file means: the child has ended */
    if (check(read_full(ends->report[0], bytes, size)) < (ssize_t)size) {
        check(process_join(child));
        process_expect(child, 0);
    }
    check(close(ends->report[0]));
}

static void join_and_tell(struct process *child, int signal)
{
    check(process_join(child));
    process_expect(child, -signal);
    say("%s: joined, exit code %d", child->name, process_exitcode(child));
}

int main(void)
{
    struct ends ends;
    check(pipe(ends.life));

    struct process one = { .target = obedient, .name = "obedient" };
    check(process_start(&one));
    say("obedient: alive: %s", process_is_alive(&one) ? "yes" : "no");
    check(process_terminate(&one));
    join_and_tell(&one, SIGTERM);
    say("obedient: alive: %s", process_is_alive(&one) ? "yes" : "no");

    struct process two = { .target = stubborn, .argument = &ends, .name = "stubborn" };
    char ready;
    start_and_hear(&two, &ends, &ready, sizeof ready);
    check(process_terminate(&two));
    check(process_join_for(&two, 50));
    process_expect(&two, EXITCODE_UNKNOWN);     /* still runs: else the program ends here */
    say("stubborn: SIGTERM was sent; still runs after 50 ms");
    check(process_kill(&two));
    join_and_tell(&two, SIGKILL);

    check(prctl(PR_SET_CHILD_SUBREAPER, 1));    /* orphans below us become our children */
    struct process three = { .target = with_child, .argument = &ends, .name = "with_child" };
    pid_t grandchild;
    int status;
    start_and_hear(&three, &ends, &grandchild, sizeof grandchild);
    check(process_terminate(&three));
    join_and_tell(&three, SIGTERM);
    if (check(waitpid(grandchild, &status, WNOHANG)) != 0)  /* it is our child now */
        die("the orphan has ended too early");
    say("its child: still runs, an orphan");
    check(kill(-three.pid, SIGTERM));           /* minus: to all in this group, so to the orphan */
    check(waitpid(grandchild, &status, 0));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
        die("the orphan did not end by SIGTERM: wait status %d", status);
    say("its child: ended by SIGTERM to the group");
    check(close(ends.life[0]));
    check(close(ends.life[1]));
}

/* Output:
obedient: alive: yes
obedient: joined, exit code -15
obedient: alive: no
stubborn: SIGTERM was sent; still runs after 50 ms
stubborn: joined, exit code -9
with_child: joined, exit code -15
its child: still runs, an orphan
its child: ended by SIGTERM to the group
*/
