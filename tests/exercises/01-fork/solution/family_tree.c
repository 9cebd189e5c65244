/* family_tree.c - a chain of processes: each forks one child, waits for it, and tells its end.
   Python: os.fork(), os.getpid(), os.getppid(), os.waitpid()
   Calls:  fork(2), getpid(2), getppid(2), waitpid(2), _exit(2)
   Needs:  fork.c, exit_status.c
   Try:    Move the first say() of a process below its fork(). Now its line may come after the
           line of its child: nothing makes the child wait for its parent. */
#include "workbook.h"

#include <sys/wait.h>
#include <unistd.h>

/* What every process of the chain does. It comes back when the process has no child any more. */
static void live(long generation, long depth)
{
    /* Before fork, so that the line is there before the child exists. */
    if (generation == 0)
        say("generation 0: pid %d", getpid());
    else                        /* getppid is right: our parent waits for us, so it is still there */
        say("generation %ld: pid %d, parent pid %d", generation, getpid(), getppid());

    if (generation == depth)
        return;                 /* the last one has no child */

    pid_t pid = check(fork());
    if (pid == 0) {
        live(generation + 1, depth);
        _exit(0);               /* without this the child would go on below, in its parent's code */
    }

    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("generation %ld was killed by signal %d", generation + 1, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        _exit(1);               /* the child has said what went wrong */
    say("generation %ld: my child pid %d ended", generation, pid);
}

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");

    live(0, depth);
    return 0;
}

/* Output of ./family_tree 2:
generation 0: pid P1
generation 1: pid P2, parent pid P1
generation 2: pid P3, parent pid P2
generation 1: my child pid P3 ended
generation 0: my child pid P2 ended
*/
