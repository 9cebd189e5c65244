/* wrong output | example */
#include "workbook.h"

int main(void)
{
    say("child 1: sum 14");
    say("child 2: sum 50");
    say("child 3: sum 15");
    say("total 79");
    return 0;
}
