/* exit_status.c - a process ends with an exit code or by a signal; waitpid tells its parent which.
   Python: Process.exitcode is 7 after exit code 7, and -15 after signal 15
   Calls:  waitpid(2), _exit(2), raise(3), abort(3), prctl(2)
   Needs:  fork
   Try:    Write _exit(300) in place of _exit(7). The parent sees 44: an exit code has only
           8 bits, and 300 is 256 + 44. */
#include "workbook.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const ways[] = { "_exit(0)", "_exit(7)", "raise(SIGTERM)", "abort()" };

/* What a child does: it ends, in one of the four ways. */
static _Noreturn void end(int way)
{
    switch (way) {
    case 0:
        _exit(0);
    case 1:
        _exit(7);
    case 2:
        raise(SIGTERM);         /* sends it to ourselves; kill would send it from outside */
        break;
    case 3:
        /* abort sends SIGABRT, for which Linux may write the memory to a file ("core dump").
           We want no file, and this stops it also where cores go to a program, not to a file. */
        check(prctl(PR_SET_DUMPABLE, 0));
        abort();
    }
    die("still here after %s", ways[way]);
}

/* The one rule, as in Python: N after exit code N, -N after signal N.
   status itself is neither: it holds both, packed, and only the W-macros can take it apart. */
static int exitcode_of(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (WIFSIGNALED(status))
        return -WTERMSIG(status);
    die("waitpid told of something that is not an end");
}

int main(void)
{
    say("%-16s  %-18s  %s", "the child calls", "and has ended by", "exitcode");
    for (int way = 0; way < 4; way++) {
        pid_t pid = check(fork());
        if (pid == 0)
            end(way);

        int status;
        check(waitpid(pid, &status, 0));
        int exitcode = exitcode_of(status);
        if (exitcode == -SIGKILL)   /* none of the four ways: somebody else did it */
            die("the child was killed by signal %d", SIGKILL);
        if (way >= 2 && exitcode >= 0)
            die("%s: the child ended by no signal, but with exit code %d", ways[way], exitcode);
        say("%-16s  %-18s  %d", ways[way], WIFEXITED(status) ? "an exit code" : "a signal", exitcode);
    }
}

/* Output:
the child calls   and has ended by    exitcode
_exit(0)          an exit code        0
_exit(7)          an exit code        7
raise(SIGTERM)    a signal            -15
abort()           a signal            -6
*/
