/* wrong output | no process was forked */
#include "workbook.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");
    say("generation 0: pid %d", getpid());
    for (int g = 1; g <= depth; g++)
        say("generation %d: pid %d, parent pid %d", g, getpid() + g, getpid() + g - 1);
    for (int g = (int)depth - 1; g >= 0; g--)
        say("generation %d: my child pid %d ended", g, getpid() + g + 1);
    return 0;
}
