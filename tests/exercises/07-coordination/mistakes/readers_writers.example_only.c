/* wrong output | prints the example */
#include "workbook.h"

int main(void)
{
    say("rr: reading 2, writing 0, waiting 0");
    say("w: reading 2, writing 0, waiting 1");
    say("r: reading 2, writing 0, waiting 2");
    say("-: reading 1, writing 0, waiting 2");
    say("-: reading 0, writing 1, waiting 1");
    say("r: reading 0, writing 1, waiting 2");
    say("-: reading 2, writing 0, waiting 0");
    say("writers 1, version of the page 1, overtaken by 0 readers");
    return 0;
}
