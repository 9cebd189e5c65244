/* left behind | getppid */
#include "workbook.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each child lets its parent finish first, so that the lines come in order ... */
static void live(long generation, long depth, int parent_is_done)
{
    char byte;
    int ends[2];
    if (generation > 0) {
        check(read(parent_is_done, &byte, 1));      /* end of file: the parent has ended */
        say("generation %ld: pid %d, parent pid %d", generation, getpid(), getppid());
    } else
        say("generation 0: pid %d", getpid());
    if (generation == depth)
        return;
    check(pipe(ends));
    pid_t pid = check(fork());
    if (pid == 0) {
        check(close(ends[1]));
        live(generation + 1, depth, ends[0]);
        _exit(0);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");
    live(0, depth, -1);
    return 0;
}
