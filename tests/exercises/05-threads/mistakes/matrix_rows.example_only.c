/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("row 1: 7 10");
    say("row 2: 15 22");
    say("thread 1 computed 1 of 2 rows");
    say("thread 2 computed 1 of 2 rows");
}
