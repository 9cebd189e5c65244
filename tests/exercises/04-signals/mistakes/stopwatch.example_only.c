/* wrong output | example */
#include "workbook.h"

int main(void)
{
    for (int lap = 1; lap <= 3; lap++)
        say("lap %d", lap);
    say("total 3");
}
