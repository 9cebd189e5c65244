/* exec.c - fork, exec, wait: how one program runs another. Every shell does just this.
   Python: os.fork(), os.execvp(), os.waitpid()
   Calls:  execvp(3), which calls execve(2); fork(2), waitpid(2)
   Needs:  01-fork/fork, 01-fork/exit_status, 02-process/spawn
   Try:    Write "shh" for the first "sh". execvp fails and returns, so the child's die() runs:
           "no program shh: ENOENT". Then take out that die() too: the child goes on with the
           parent's code, and its waitpid fails, because it has no child. */
#include "workbook.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    say("parent (pid %d): start", getpid());

    pid_t pid = check(fork());          /* 1. a second process */

    if (pid == 0) {
        say("child (pid %d): still a copy of my parent", getpid());
        check(chdir("/"));              /* a change in this process only, made before the exec */

        /* The words of the command: first the program's name, after the last one NULL. */
        char *const words[] = { "sh", "-c",
            "echo \"sh (pid $$): the same process; my parent is pid $PPID, my folder is $(pwd)\"; exit 7",
            NULL };
        execvp(words[0], words);        /* 2. another program in the same process */

        /* exec returns only when it has failed: after a success, this code is not there any more. */
        die("no program %s: %s", words[0], errno_name(errno));
    }

    int status;
    check(waitpid(pid, &status, 0));    /* 3. wait until the process has ended, and how */
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    say("parent (pid %d): pid %d ended with exit status %d", getpid(), pid, WEXITSTATUS(status));
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}

/* Output:
parent (pid P1): start
child (pid P2): still a copy of my parent
sh (pid P2): the same process; my parent is pid P1, my folder is /
parent (pid P1): pid P2 ended with exit status 7
*/
