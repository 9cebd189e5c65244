/* wrong output | _exit */
#include "workbook.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void introduce(long generation)
{
    if (generation == 0)
        say("generation 0: pid %d", getpid());
    else
        say("generation %ld: pid %d, parent pid %d", generation, getpid(), getppid());
}

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");
    introduce(0);
    for (long generation = 1; generation <= depth; generation++) {
        pid_t pid = check(fork());
        if (pid == 0) {
            introduce(generation);
        } else {
            check(waitpid(pid, NULL, 0));
            say("generation %ld: my child pid %d ended", generation - 1, pid);
            /* and then round the loop again */
        }
    }
    return 0;
}
