/* wrong output | example */
#include "workbook.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long depth;
    if (argc != 2 || parse_number(argv[1], 1, 20, &depth) == -1)
        usage("family_tree DEPTH   (DEPTH: 1 to 20)");
    say("generation 0: pid 1001");
    say("generation 1: pid 1002, parent pid 1001");
    say("generation 2: pid 1003, parent pid 1002");
    say("generation 1: my child pid 1003 ended");
    say("generation 0: my child pid 1002 ended");
    return 0;
}
