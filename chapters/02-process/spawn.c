/* spawn.c - a fresh program instead of a copy: the child begins at main and remembers nothing.
   Python: multiprocessing.set_start_method("spawn") against "fork"
   Calls:  execl(3), in one line here (chapter 03 teaches it); /proc/self/exe in proc(5)
   Needs:  01-fork/copy_on_write, start, exitcode
   Try:    Run `build/spawn show` yourself: that is all that the fresh child does. */
#include "workbook.h"

#include "process.h"

#include <string.h>
#include <unistd.h>

static int setting = 1;             /* main changes it before it starts the children */

static int show_setting(void *argument)
{
    const char *who = argument;
    say("%s (pid %d): setting = %d", who, getpid(), setting);
    return 0;
}

/* execl throws away this process's memory and starts the program file anew, in the same process:
   same pid, same parent. It returns only when it fails. The texts become argv[0] and argv[1]. */
static int become_a_fresh_program(void *argument)
{
    const char *target = argument;
    check(execl("/proc/self/exe", "spawn", target, (char *)NULL));  /* the file we run */
    return 1;
}

static void start_and_join(struct process *child)
{
    check(process_start(child));
    check(process_join(child));
    process_expect(child, 0);
}

int main(int argc, char **argv)
{
    /* A pointer, to a function too, means nothing after exec; text does. A name says what to run. */
    if (argc == 2 && strcmp(argv[1], "show") == 0)
        return show_setting("fresh program");
    if (argc != 1)
        usage("spawn [show]");

    setting = 2;
    show_setting("main");

    struct process copy = { .target = show_setting, .argument = "copy" };
    start_and_join(&copy);

    struct process fresh = { .target = become_a_fresh_program, .argument = "show" };
    start_and_join(&fresh);         /* start, join and exit code know nothing of exec */
    say("main: joined pid %d and pid %d", copy.pid, fresh.pid);
}

/* Output:
main (pid P1): setting = 2
copy (pid P2): setting = 2
fresh program (pid P3): setting = 1
main: joined pid P2 and pid P3
*/

/* Output of ./spawn show:
fresh program (pid P1): setting = 1
*/

/* Output of ./spawn shout:
! usage: spawn [show]
exit 2
*/
