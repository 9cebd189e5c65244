/* wrong output | buffer */
#include "workbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void live(long generation, long depth)
{
    if (generation == 0)
        printf("generation 0: pid %d\n", getpid());
    else
        printf("generation %ld: pid %d, parent pid %d\n", generation, getpid(), getppid());
    if (generation == depth)
        return;
    pid_t pid = check(fork());
    if (pid == 0) {
        live(generation + 1, depth);
        exit(0);
    }
    check(waitpid(pid, NULL, 0));
    printf("generation %ld: my child pid %d ended\n", generation, pid);
}

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");
    live(0, depth);
    return 0;
}
