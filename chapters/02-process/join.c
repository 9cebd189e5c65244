/* join.c - a join inside the loop lets the children run one after the other.
   Python: for p in ps: p.start(); p.join()     against     all start(), then all join()
   Calls:  waitpid(2), inside process_join; active_children counts who runs
   Needs:  01-fork/pipe, 01-fork/many_children, start
   Try:    In start_all_then_join_all, move let_go() below the last loop: the program hangs.
           The first join waits for a child that waits for let_go(). End it with Ctrl-C. */
#include "workbook.h"

#include "process.h"

#include <unistd.h>

enum { COUNT = 5 };

/* What a child needs: a pipe to say "I am here", and one to wait until it may end. */
struct ends {
    int here;           /* write end, this child's own */
    int go[2];          /* end of file on go[0]: you may end */
};

static int stay(void *argument)
{
    struct ends *ends = argument;
    char byte = 'h';
    check(close(ends->go[1]));      /* my copy of main's end: with it open, end of file never comes */
    check(write_full(ends->here, &byte, 1));
    check(read_full(ends->go[0], &byte, 1));
    return 0;
}

/* Starts a child and waits until it says that it is here. */
static void start_child_here(struct process *child, const int go[2])
{
    int here[2];
    check(pipe(here));
    struct ends ends = { .here = here[1], .go = { go[0], go[1] } };
    *child = (struct process){ .target = stay, .argument = &ends };
    check(process_start(child));
    check(close(here[1]));          /* only the child has it now: its end is end of file */
    char byte;
    if (check(read_full(here[0], &byte, 1)) == 0) {
        check(process_join(child));
        process_expect(child, 0);
        die("%s has ended too early", child->name);
    }
    check(close(here[0]));
    say("  %s is here; running now: %d", child->name, active_children(NULL, 0));
}

/* Lets the children end: closes the write end, of which they have no copy. */
static void let_go(const int go[2])
{
    check(close(go[0]));
    check(close(go[1]));
}

static void join_one(struct process *child)
{
    check(process_join(child));
    process_expect(child, 0);
}

static void join_inside_the_loop(void)
{
    struct process children[COUNT];
    for (int i = 0; i < COUNT; i++) {
        int go[2];
        check(pipe(go));
        start_child_here(&children[i], go);
        let_go(go);
        join_one(&children[i]);     /* the next one starts only when this one has ended */
    }
}

static void start_all_then_join_all(void)
{
    struct process children[COUNT];
    int go[2];
    check(pipe(go));
    for (int i = 0; i < COUNT; i++)
        start_child_here(&children[i], go);
    let_go(go);
    for (int i = 0; i < COUNT; i++)
        join_one(&children[i]);     /* in any order: who has ended already, is reaped at once */
}

int main(void)
{
    say("start and join in one loop:");
    join_inside_the_loop();
    say("start all, then join all:");
    start_all_then_join_all();
    say("all joined; running now: %d", active_children(NULL, 0));
}

/* Output:
start and join in one loop:
  Process-1 is here; running now: 1
  Process-2 is here; running now: 1
  Process-3 is here; running now: 1
  Process-4 is here; running now: 1
  Process-5 is here; running now: 1
start all, then join all:
  Process-6 is here; running now: 1
  Process-7 is here; running now: 2
  Process-8 is here; running now: 3
  Process-9 is here; running now: 4
  Process-10 is here; running now: 5
all joined; running now: 0
*/
