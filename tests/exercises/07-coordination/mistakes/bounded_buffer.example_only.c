/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("p5: 2 put, 0 taken, 0 of 0 consumers have ended");
    say("p1: 2 put, 0 taken, 0 of 0 consumers have ended");
    say("c: 6 put, 6 taken, 0 of 1 consumers have ended");
    say("cc: 6 put, 6 taken, 0 of 3 consumers have ended");
    say("end: 6 put, 6 taken, 3 of 3 consumers have ended");
    say("all 6 items were taken, each once, in order");
    return 0;
}
