/* zombie_and_orphan.c - a child that nobody waited for, and a child whose parent has ended.
   Python: a Process stays a zombie until join() or active_children()
   Calls:  waitid(2), waitpid(2), getppid(2), prctl(2) (PR_SET_CHILD_SUBREAPER)
   Needs:  fork, exit_status, pipe
   Try:    Remove the call of prctl. The orphan's new parent is then another process: pid 1, or
           one above you that has made the same call. Our last waitpid finds no child. */
#include "workbook.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void zombie(void)
{
    pid_t pid = check(fork());
    if (pid == 0)
        _exit(0);

    /* WNOWAIT: wait until the child has ended, but leave it as it is, not reaped. */
    siginfo_t info;
    check(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    say("the child has ended, its state is %c: a zombie", check(state_of(pid)));

    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    say("after waitpid: %s", check(state_of(pid)) == 0 ? "gone" : "still there");
}

static _Noreturn void orphan(int gate, pid_t old_parent)
{
    char byte;
    check(read(gate, &byte, 1));    /* end of file: the grandparent lets us go on */
    say("orphan (pid %d): my parent was pid %d, now it is pid %d", getpid(), old_parent, getppid());
    _exit(0);
}

static _Noreturn void middle(int gate[2])
{
    check(close(gate[1]));      /* before fork, so that the orphan does not get it either */
    pid_t me = getpid();
    pid_t pid = check(fork());
    if (pid == 0)
        orphan(gate[0], me);
    say("middle (pid %d): my child is pid %d, and I end without waiting for it", me, pid);
    _exit(0);
}

int main(void)
{
    zombie();

    /* Orphans among our children's children shall come to us, not to a process above us. */
    check(prctl(PR_SET_CHILD_SUBREAPER, 1));
    int gate[2];
    check(pipe(gate));
    pid_t pid = check(fork());
    if (pid == 0)
        middle(gate);
    check(close(gate[0]));

    /* Once we have reaped its old parent, the orphan has its new one: the kernel did that first. */
    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the middle process was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the middle process ended with exit code %d", WEXITSTATUS(status));
    say("grandparent (pid %d): reaped pid %d", getpid(), pid);
    check(close(gate[1]));      /* only now the orphan may ask for its parent */

    pid = check(waitpid(-1, &status, 0));   /* -1: any child. We never forked this one ourselves */
    if (WIFSIGNALED(status))
        die("the orphan was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the orphan ended with exit code %d", WEXITSTATUS(status));
    say("grandparent (pid %d): reaped pid %d", getpid(), pid);
}

/* Output:
the child has ended, its state is Z: a zombie
after waitpid: gone
middle (pid P1): my child is pid P2, and I end without waiting for it
grandparent (pid P3): reaped pid P1
orphan (pid P2): my parent was pid P1, now it is pid P3
grandparent (pid P3): reaped pid P2
*/
