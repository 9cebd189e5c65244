/* wrong output | example */
#include "workbook.h"

int main(void)
{
    say("fails: in time, exit status 5");
    return 0;
}
