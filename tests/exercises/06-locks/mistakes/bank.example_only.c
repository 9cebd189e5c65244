/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("account 1: 70");
    say("account 2: 40");
    say("account 3: 40");
    say("done 2, refused 1");
    say("total 150");
}
