/* many_children.c - five children at once; each pid is kept, and each child is waited for by its pid.
   Python: five Process objects in a list: start them all, then join each
   Calls:  fork(2), waitpid(2), wait(2)
   Needs:  fork, exit_status, pipe
   Try:    In child(), begin the loop with i = k: each child closes its own gate only. The program
           hangs (end it with Ctrl-C): children 2 to 5 still hold a write end of gate 1. */
#include "workbook.h"

#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 5 };

/* Child K waits at its gate, a pipe into which nobody ever writes. read returns 0, end of file,
   when the last write end is closed: the parent opened the gate, or the parent has ended. */
static _Noreturn void child(int k, int read_end, const int gates[])
{
    /* fork copied every write end that the parent held by then: our own, and those of the
       children before us. While anyone still has one, even the
       child itself, the child at that gate goes on waiting. */
    for (int i = 1; i <= k; i++)
        check(close(gates[i]));

    char byte;
    check(read(read_end, &byte, 1));
    say("child %d (pid %d): my gate is open", k, getpid());
    _exit(10 * k);
}

int main(void)
{
    pid_t pids[CHILDREN + 1];   /* index 1 is child 1; index 0 is not used */
    int gates[CHILDREN + 1];    /* the write end of each child's gate */

    for (int k = 1; k <= CHILDREN; k++) {
        int ends[2];
        check(pipe(ends));
        gates[k] = ends[1];
        pids[k] = check(fork());
        if (pids[k] == 0)
            child(k, ends[0], gates);       /* never returns, so no child goes on with this loop */
        check(close(ends[0]));              /* only the child reads */
    }
    say("parent: all %d children run, and each waits at its gate", CHILDREN);

    for (int k = 1; k <= CHILDREN; k++) {
        check(close(gates[k]));
        /* wait(&status) would take any child that has ended. To know which one it was, we would
           have to search our list for its pid. */
        int status;
        check(waitpid(pids[k], &status, 0));
        if (WIFSIGNALED(status))
            die("child %d was killed by signal %d", k, WTERMSIG(status));
        if (WEXITSTATUS(status) != 10 * k)
            die("child %d ended with exit code %d", k, WEXITSTATUS(status));
        say("parent: child %d (pid %d) ended with exit code %d", k, pids[k], WEXITSTATUS(status));
    }
}

/* Output:
parent: all 5 children run, and each waits at its gate
child 1 (pid P1): my gate is open
parent: child 1 (pid P1) ended with exit code 10
child 2 (pid P2): my gate is open
parent: child 2 (pid P2) ended with exit code 20
child 3 (pid P3): my gate is open
parent: child 3 (pid P3) ended with exit code 30
child 4 (pid P4): my gate is open
parent: child 4 (pid P4) ended with exit code 40
child 5 (pid P5): my gate is open
parent: child 5 (pid P5) ended with exit code 50
*/
