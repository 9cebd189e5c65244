/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("building the table");
    say("thread 1: 6");
    say("thread 2: no need");
    say("thread 3: 55");
}
