/* family_tree.c - an exercise: a chain of processes.
   Task:  family_tree DEPTH makes a chain. main is generation 0. It forks one child, generation 1.
          That child forks one child, generation 2, and so on, down to generation DEPTH.
          1. Each process prints one line BEFORE it forks: its generation, its own pid, and the pid
             of its parent. (Generation 0 leaves its parent out: that is the shell.)
          2. Each process that has a child waits for it, and AFTER the child ended prints that too.
             So the end of the deepest generation is told first, and main prints the last line.
          3. Every process ends with exit code 0.
   Calls: fork(2), getpid(2), getppid(2), waitpid(2), _exit(2); print with say()
   The exact lines are in the example below. They must come in that order on every run. */
#include "workbook.h"

#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");

    say("generation 0: pid %d", getpid());

    /* TODO 1: fork the child that is generation 1. It prints its line, then does the same again:
               it forks generation 2 ... until generation `depth`, which has no child.
               A function that is given the generation, and calls itself in the child, is short. */

    /* TODO 2: in the parent, wait for the child. Then print "generation 0: my child pid ... ended". */

    return 0;
}

/* Output of ./family_tree 2:
generation 0: pid P1
generation 1: pid P2, parent pid P1
generation 2: pid P3, parent pid P2
generation 1: my child pid P3 ended
generation 0: my child pid P2 ended
*/
