/* wrong output | example */
#include "workbook.h"

int main(void)
{
    say("worker 1: done, starts 1");
    say("worker 2: done, starts 1");
    say("worker 3: done, starts 3");
    say("worker 4: gave up, starts 4, exit status 44");
    say("worker 5: done, starts 2");
    return 1;
}
