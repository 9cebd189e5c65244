/* sigpipe.c - writing where nobody reads any more: ended by SIGPIPE, or the error EPIPE.
   Python: BrokenPipeError: Python ignores SIGPIPE when it starts
   Calls:  sigaction(2) with SIG_IGN, write(2), pipe(7)
   Needs:  01-fork/pipe, 01-fork/exit_status, handler
   Try:    Write SIG_IGN for SIG_DFL. The first child is not ended any more: it tells EPIPE, too, and
           main finds that it did not end by SIGPIPE. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child: makes a pipe, closes its only read end, and writes. */
static int write_to_nobody(void *argument)
{
    const bool *ignore = argument;
    struct sigaction action = { .sa_handler = *ignore ? SIG_IGN : SIG_DFL };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGPIPE, &action, NULL));

    int ends[2];
    check(pipe(ends));
    check(close(ends[0]));
    ssize_t count = write(ends[1], "hello", 5);     /* by default this does not return */
    int error = errno;
    check(close(ends[1]));
    if (count != -1 || error != EPIPE)
        return 1;
    say("child that ignores SIGPIPE: write gave -1, EPIPE");
    return 0;
}

int main(void)
{
    bool ignore = false;
    pid_t child = check(start_child(write_to_nobody, &ignore));
    int status = check(wait_child(child));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGPIPE)
        die("the first child was not ended by SIGPIPE: wait status %d", status);
    say("child with the default: ended by SIGPIPE in write");

    ignore = true;
    child = check(start_child(write_to_nobody, &ignore));
    status = check(wait_child(child));
    if (WIFSIGNALED(status))
        die("the second child was killed by signal %d", WTERMSIG(status));
    if (status != 0)
        die("the second child ended with exit status %d", WEXITSTATUS(status));
    say("main: it went on, and ended by itself");
}

/* Output:
child with the default: ended by SIGPIPE in write
child that ignores SIGPIPE: write gave -1, EPIPE
main: it went on, and ended by itself
*/
