/* process_group.c - one signal for a whole family; to stop it, let it go on, and end it.
   Python: os.setpgid, os.killpg(group, signal.SIGTERM); subprocess.Popen(process_group=0)
   Calls:  setpgid(2), kill(2) with a negative pid, waitpid(2) with WUNTRACED and WCONTINUED
   Needs:  01-fork/states, 01-fork/zombie_and_orphan, 02-process/terminate, mask
   Try:    Write leader for -leader in signal_all. Only the leader stops. After 3 s main finds that
           another member does not, tells it, and ends; the group ends with it. */
#include "workbook.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEMBERS = 3 };           /* a leader and its two children */

struct family {
    pid_t parent;
    int report[2];              /* each member tells its pid: now it is in the group */
};

static _Noreturn void report_and_wait(const struct family *family)
{
    pid_t me = getpid();
    check(write_full(family->report[1], &me, sizeof me));
    check(close(family->report[1]));
    for (;;)
        pause();                /* until a signal ends it */
}

/* In the leader: a group of its own, then the children, who are born into it. */
static int lead(void *argument)
{
    struct family *family = argument;
    check(end_with_parent(family->parent));
    check(setpgid(0, 0));
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t none;
    sigemptyset(&usual.sa_mask);
    sigemptyset(&none);
    check(sigaction(SIGTERM, &usual, NULL));        /* whoever started us may ignore it, or block it */
    check(sigprocmask(SIG_SETMASK, &none, NULL));
    for (int i = 1; i < MEMBERS; i++) {
        pid_t leader = getpid();
        if (check(fork()) == 0) {
            check(end_with_parent(leader));
            report_and_wait(family);
        }
    }
    report_and_wait(family);
}

/* Waits until each member is in STATE, and tells when one is gone instead. */
static void wait_for_all(const pid_t *members, int state)
{
    for (int i = 0; i < MEMBERS; i++)
        for (int tries = 0; wait_for_state(members[i], state, 100) == -1; tries++) {
            int now = check(state_of(members[i]));
            if (now == 0 || now == 'Z' || tries == 30)
                die("member %d is not in the state %c: it has ended, or hangs", i + 1, state);
        }
}

static void signal_all(pid_t leader, int number)
{
    check(kill(-leader, number));       /* minus: to each member of the group with this number */
}

/* A wait for the leader gave STATUS: it should only have stopped, or gone on. */
static void expect_alive(int status)
{
    if (WIFSIGNALED(status))
        die("the leader was killed by signal %d", WTERMSIG(status));
    if (WIFEXITED(status))
        die("the leader ended with exit status %d", WEXITSTATUS(status));
}

int main(void)
{
    struct family family = { .parent = getpid() };
    pid_t members[MEMBERS];
    int status;
    check(prctl(PR_SET_CHILD_SUBREAPER, 1));    /* the leader's children become ours when it ends */
    check(pipe(family.report));
    pid_t leader = check(start_child(lead, &family));
    check(close(family.report[1]));
    if (check(read_full(family.report[0], members, sizeof members)) < (ssize_t)sizeof members)
        die("a member of the group has ended too early");
    check(close(family.report[0]));
    wait_for_all(members, 'S');
    say("a group: a leader and its %d children", MEMBERS - 1);

    signal_all(leader, SIGSTOP);                /* Ctrl-Z does this, with SIGTSTP */
    check(waitpid(leader, &status, WUNTRACED));         /* also returns when a child was stopped */
    expect_alive(status);
    wait_for_all(members, 'T');
    say("SIGSTOP to the group: all %d are stopped", MEMBERS);

    signal_all(leader, SIGCONT);                /* the shell's fg and bg do this */
    check(waitpid(leader, &status, WCONTINUED));        /* also returns when a child goes on */
    expect_alive(status);
    wait_for_all(members, 'S');
    say("SIGCONT to the group: all %d wait in pause again", MEMBERS);

    signal_all(leader, SIGTERM);                /* Ctrl-C does this, with SIGINT */
    for (int i = 0; i < MEMBERS; i++) {
        pid_t pid = check(waitpid(-1, &status, 0));
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
            die("pid %d was not ended by SIGTERM: wait status %d", pid, status);
    }
    say("SIGTERM to the group: all %d have ended, and are reaped", MEMBERS);
}

/* Output:
a group: a leader and its 2 children
SIGSTOP to the group: all 3 are stopped
SIGCONT to the group: all 3 wait in pause again
SIGTERM to the group: all 3 have ended, and are reaped
*/
