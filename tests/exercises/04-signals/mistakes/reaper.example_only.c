/* wrong output | example */
#include "workbook.h"

int main(void)
{
    say("read: good morning");
    say("read: lunch");
    say("read: good night");
    say("child 2 ended with exit status 7");
    say("child 1 was killed by signal 9");
    say("child 3 ended with exit status 0");
    say("all 3 children were reaped");
}
