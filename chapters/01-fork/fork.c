/* fork.c - one process becomes two: one call, two returns.
   Python: os.fork(), os.getpid(), os.getppid()
   Calls:  fork(2), getpid(2), getppid(2), waitpid(2)
   Needs:  nothing before it
   Try:    Move the parent's last say() above its waitpid(). Now the two last lines come in
           either order: nothing makes one process wait for the other. */
#include "workbook.h"

#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    say("parent (pid %d): one process", getpid());

    pid_t pid = check(fork());  /* from here on, two processes run this same code */

    if (pid == 0) {             /* fork returned 0: this is the child */
        say("child (pid %d): fork returned 0; my parent is pid %d", getpid(), getppid());
        _exit(0);               /* without this the child would go on with the parent's code below */
    }

    /* fork returned a pid: this is the parent. It waits, so the child's line is first. */
    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit code %d", WEXITSTATUS(status));
    say("parent (pid %d): fork returned pid %d", getpid(), pid);
}

/* Output:
parent (pid P1): one process
child (pid P2): fork returned 0; my parent is pid P1
parent (pid P1): fork returned pid P2
*/
