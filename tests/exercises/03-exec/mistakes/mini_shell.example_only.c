/* wrong output | example */
#include "workbook.h"

#include <stdio.h>
#include <unistd.h>

int main(void)
{
    say("APPLE");
    say("LEMON");
    say("PEAR");
    say("PLUM");
    say("0");
    check(dprintf(STDERR_FILENO, "mini_shell: no_such_program: not found\n"));
    return 1;
}
