/* run_override.c - a kind of process with its own run(), like a Python class made from Process.
   Python: class Countdown(Process): def run(self): ...
   Calls:  none that is new: a struct in a struct, and a pointer to a function
   Needs:  start
   Try:    Take out `.run = countdown_run` in main. There is no target either: the child has nothing
           to do and ends with 0. It prints nothing, and process_expect is content. */
#include "workbook.h"

#include "process.h"

#include <unistd.h>

/* "Inherits" from struct process. That must be the first member: then a pointer to the
   whole and a pointer to its process are the same address, and one can be turned into the other. */
struct countdown {
    struct process process;
    int from;
};

static int countdown_run(struct process *self)
{
    struct countdown *countdown = (struct countdown *)self;
    say("run in %s (pid %d): from %d", current_process()->name, getpid(), countdown->from);
    while (countdown->from > 0) {
        say("%d", countdown->from);
        countdown->from--;
    }
    return 0;
}

int main(void)
{
    struct countdown countdown = {
        .process = { .run = countdown_run, .name = "countdown" },
        .from = 2,
    };

    say("main (pid %d)", getpid());
    say("start: a new process runs it");
    check(process_start(&countdown.process));
    check(process_join(&countdown.process));
    process_expect(&countdown.process, 0);
    say("main still has from = %d: the child counted down its own copy", countdown.from);

    say("a plain call of run: nobody new, this process runs it");
    if (process_run(&countdown.process) != 0)
        die("run failed");
    say("main has from = %d", countdown.from);
}

/* Output:
main (pid P1)
start: a new process runs it
run in countdown (pid P2): from 2
2
1
main still has from = 2: the child counted down its own copy
a plain call of run: nobody new, this process runs it
run in MainProcess (pid P1): from 2
2
1
main has from = 0
*/
