/* start.c - start, arguments, names, join, with the object of process.h.
   Python: Process(target=, args=, name=), start(), join(), current_process().name
   Calls:  fork(2), waitpid(2), inside process_start and process_join
   Needs:  01-fork/fork, 01-fork/copy_on_write, process_step2
   Try:    Take out the lines with process_join and process_expect. Now the order is free, and
           "both have ended" may be false. But no line of a child is missing: when main returns, the
           part joins who was not joined. */
#include "workbook.h"

#include "process.h"

#include <unistd.h>

/* Several arguments travel as one struct. */
struct greeting {
    const char *who;
    int times;
};

/* The target. It runs in the child, on the child's copy of the struct. */
static int greet(void *argument)
{
    struct greeting *greeting = argument;
    greeting->times++;
    say("child %s (pid %d), parent is pid %d: hello %s, times = %d",
        current_process()->name, getpid(), getppid(), greeting->who, greeting->times);
    return 0;
}

int main(void)
{
    struct greeting anna = { .who = "Anna", .times = 0 };
    struct greeting ben = { .who = "Ben", .times = 10 };
    struct process first = { .target = greet, .argument = &anna, .name = "greeter" };
    struct process second = { .target = greet, .argument = &ben };

    say("parent %s (pid %d): start", current_process()->name, getpid());

    check(process_start(&first));
    check(process_join(&first));    /* before the second start: so its line comes first */
    process_expect(&first, 0);

    check(process_start(&second));  /* it has no name: now it gets one */
    check(process_join(&second));
    process_expect(&second, 0);

    say("parent: both have ended: %s (pid %d) and %s (pid %d)",
        first.name, first.pid, second.name, second.pid);
    say("parent: my own copies: times = %d and times = %d", anna.times, ben.times);
}

/* Output:
parent MainProcess (pid P1): start
child greeter (pid P2), parent is pid P1: hello Anna, times = 1
child Process-2 (pid P3), parent is pid P1: hello Ben, times = 11
parent: both have ended: greeter (pid P2) and Process-2 (pid P3)
parent: my own copies: times = 0 and times = 10
*/
