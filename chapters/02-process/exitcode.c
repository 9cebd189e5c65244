/* exitcode.c - the exit code: unknown, N or -N; and what the object refuses.
   Python: p.exitcode (None, 0, 3, -15); AssertionError on a wrong use
   Calls:  waitpid(2), kill(2), inside the process functions
   Needs:  01-fork/exit_status, 01-fork/pipe, start, join_timeout
   Try:    Write `return 259;` in end_with_three(). The exit code is 3 again: the kernel keeps
           only the lowest 8 bits of an exit status. */
#include "workbook.h"

#include "process.h"

#include <signal.h>
#include <unistd.h>

static int end_with_nothing(void *argument)
{
    (void)argument;
    return 0;
}

static int end_with_three(void *argument)
{
    (void)argument;
    return 3;
}

static int wait_for_ever(void *argument)
{
    (void)argument;
    return pause();                 /* waits until a signal ends this process */
}

static void tell(const char *when, struct process *process)
{
    int exitcode = process_exitcode(process);
    if (exitcode == EXITCODE_UNKNOWN)
        say("%s: exit code unknown", when);
    else
        say("%s: exit code %d", when, exitcode);
}

int main(void)
{
    struct process zero = { .target = end_with_nothing };
    struct process three = { .target = end_with_three };
    struct process endless = { .target = wait_for_ever };

    tell("before start", &endless);
    if (process_join(&endless) == -1)
        say("join before start: refused: %s", process_error());

    check(process_start(&endless));
    tell("while it runs", &endless);
    if (process_start(&endless) == -1)
        say("start again: refused: %s", process_error());

    check(process_terminate(&endless));
    check(process_join(&endless));
    process_expect(&endless, -SIGTERM);
    tell("ended by SIGTERM", &endless);

    check(process_start(&zero));
    check(process_join(&zero));
    check(process_join(&zero));     /* twice is fine */
    process_expect(&zero, 0);
    tell("returned 0, joined twice", &zero);

    check(process_start(&three));
    check(process_join(&three));
    process_expect(&three, 3);
    tell("returned 3", &three);
}

/* Output:
before start: exit code unknown
join before start: refused: can only join a started process
while it runs: exit code unknown
start again: refused: cannot start a process twice
ended by SIGTERM: exit code -15
returned 0, joined twice: exit code 0
returned 3: exit code 3
*/
