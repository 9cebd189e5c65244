/* wrong output | example */
#include "workbook.h"

int main(void)
{
    say("1: exit status 0, 27 bytes");
    say("apple");
    say("lemon");
    say("pear");
    say("pear");
    say("plum");
    say("2: exit status 3, 5 bytes");
    say("pear");
    return 1;
}
