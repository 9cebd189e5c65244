/* share.c - memory that parent and child both see, beside a variable that each has for itself.
   Python: multiprocessing.Value('i', 1), beside an ordinary global
   Calls:  mmap(2), munmap(2)
   Needs:  fork, exit_status, copy_on_write, pipe
   Try:    Write MAP_PRIVATE in place of MAP_SHARED. Now both columns are alike: without that one
           word a mapping is ordinary memory, and fork copies it. */
#include "workbook.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child(int gate[2], int *shared, int ordinary)
{
    /* Wait for the parent's change. Memory does not tell when it changes, a pipe does:
       end of file comes when the parent closes its write end. */
    check(close(gate[1]));
    char byte;
    check(read(gate[0], &byte, 1));
    say("child:  shared %d, ordinary %d", *shared, ordinary);

    *shared = 3;
    ordinary = 3;
    say("child:  sets both to %d", ordinary);
    _exit(0);
}

int main(void)
{
    /* One int. MAP_ANONYMOUS: memory without a file behind it, filled with zeros.
       It must be mapped before fork: this is how the child comes to have it too. */
    int *shared = check_ptr(mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    int ordinary = 1;
    *shared = 1;
    say("parent: shared %d, ordinary %d", *shared, ordinary);

    int gate[2];
    check(pipe(gate));
    pid_t pid = check(fork());
    if (pid == 0)
        child(gate, shared, ordinary);
    check(close(gate[0]));

    *shared = 2;
    ordinary = 2;
    say("parent: sets both to %d, after fork", ordinary);
    check(close(gate[1]));      /* and only now lets the child look */

    /* Wait before reading: only then is it sure that the child has written. */
    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit code %d", WEXITSTATUS(status));
    say("parent: shared %d, ordinary %d", *shared, ordinary);
    check(munmap(shared, sizeof *shared));
}

/* Output:
parent: shared 1, ordinary 1
parent: sets both to 2, after fork
child:  shared 2, ordinary 1
child:  sets both to 3
parent: shared 3, ordinary 2
*/
