/* join_timeout.c - waiting with a limit, and what you know when the limit has passed.
   Python: p.join(timeout), then p.is_alive() or p.exitcode
   Calls:  pidfd_open(2), poll(2), clock_gettime(2), inside process_join_for
   Needs:  01-fork/pipe, process_step3
   Try:    Take out the last close(go[1]), "now it may end", and write 500 for 10000, to wait less.
           The second limit passes too, and a line on stderr says that the child has not ended. It
           is gone all the same: it ends with its parent. */
#include "workbook.h"

#include "process.h"

#include <unistd.h>

/* Cannot end before the parent closes its end of the pipe: the limit below is always reached. */
static int wait_for_parent(void *argument)
{
    const int *go = argument;
    char byte;
    check(close(go[1]));            /* my copy of the parent's end */
    check(read_full(go[0], &byte, 1));
    return 0;
}

static void tell(struct process *child)
{
    int exitcode = process_exitcode(child);
    if (exitcode == EXITCODE_UNKNOWN)
        say("alive: %s, exit code: unknown", process_is_alive(child) ? "yes" : "no");
    else
        say("alive: %s, exit code: %d", process_is_alive(child) ? "yes" : "no", exitcode);
}

int main(void)
{
    const char *const outcome[] = { "it has ended", "the limit has passed" };
    int go[2];
    check(pipe(go));
    struct process child = { .target = wait_for_parent, .argument = go };
    check(process_start(&child));
    check(close(go[0]));

    say("join for 50 ms: %s", outcome[check(process_join_for(&child, 50))]);
    tell(&child);                   /* a limit that has passed is no error, and ends nobody */

    check(close(go[1]));            /* now it may end */

    say("join for 10 s: %s", outcome[check(process_join_for(&child, 10000))]);
    process_expect(&child, 0);      /* the join took as long as the child, not 10 s */
    tell(&child);
}

/* Output:
join for 50 ms: the limit has passed
alive: yes, exit code: unknown
join for 10 s: it has ended
alive: no, exit code: 0
*/
