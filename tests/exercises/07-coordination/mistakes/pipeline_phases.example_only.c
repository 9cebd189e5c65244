/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("5 becomes 15");
    say("7 becomes 19");
    say("9 becomes 23");
    say("phases 5, moves 5");
    return 0;
}
