/* stdio_after_fork.c - printf's buffer is memory too: fork copies it, and exit writes it out.
   Python: print("...") before os.fork(), then sys.exit() against os._exit() in the child
   Calls:  setvbuf(3), fflush(3), exit(3), _exit(2)
   Needs:  fork, exit_status, copy_on_write
   Try:    In part 3 let the child call printf before its _exit. The child's line never appears:
           _exit throws the buffer away. With fflush(stdout) between the two it appears, and part
           3's line comes twice: the child's buffer has a copy of it. Flush before fork too. */
#include "workbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit code %d", WEXITSTATUS(status));
}

int main(void)
{
    /* Full buffering on purpose: printf only fills the buffer, even when stdout is a terminal.
       Without this line a terminal would hide the mistake, and a pipe or a file would show it. */
    if (setvbuf(stdout, NULL, _IOFBF, BUFSIZ) != 0)
        die("setvbuf failed");

    /* Part 1, the mistake: the line still is in the buffer when fork copies all memory. */
    check(printf("WRONG: one printf before fork, but two lines\n"));
    pid_t pid = check(fork());
    if (pid == 0)
        exit(0);                /* exit writes out the child's copy of the buffer: the first line */
    wait_for(pid);
    check(fflush(stdout));      /* the parent writes out its own buffer: the second line */

    /* Part 2: empty the buffer before fork. Then there is nothing to copy. */
    check(printf("flushed before fork: one line\n"));
    check(fflush(stdout));
    pid = check(fork());
    if (pid == 0)
        exit(0);
    wait_for(pid);

    /* Part 3: a child leaves by _exit. That ends the process and touches no buffer. It also
       leaves alone what the parent gave to atexit(): that is the parent's to do, once. */
    check(printf("the child left by _exit: one line\n"));
    pid = check(fork());
    if (pid == 0)
        _exit(0);
    wait_for(pid);
    check(fflush(stdout));
}

/* Output:
WRONG: one printf before fork, but two lines
WRONG: one printf before fork, but two lines
flushed before fork: one line
the child left by _exit: one line
*/
