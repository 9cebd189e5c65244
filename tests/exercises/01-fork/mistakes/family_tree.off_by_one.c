/* wrong output | off by one */
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

static void live(long generation, long depth)
{
    introduce(generation);
    if (generation + 1 == depth)
        return;
    pid_t pid = check(fork());
    if (pid == 0) {
        live(generation + 1, depth);
        _exit(0);
    }
    check(waitpid(pid, NULL, 0));
    say("generation %ld: my child pid %d ended", generation, pid);
}

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");
    if (depth == 1)
        introduce(0);
    else
        live(0, depth);
    return 0;
}
