/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("thread 1 counted 2");
    say("thread 2 counted 0");
    say("total 2");
}
