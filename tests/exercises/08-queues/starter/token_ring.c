/* token_ring.c - an exercise: processes in a circle pass a token round, and all of them see its end.
   Task:  token_ring START LIMIT ADD...  starts a child for each ADD: process 1, process 2 ... in a circle.
          1. The token is a number. It begins as START, at process 1.
          2. Whoever has the token adds its own ADD to it and prints it: "process 2 (pid 4711): 3". Only then
             it passes the token on to the next process; the last process passes it on to process 1.
          3. When the token is LIMIT or more, it stays where it is: nobody gets it any more.
          4. Then every process ends, by itself, with exit code 0. main waits for all of them, says
             "all 3 processes have ended", and ends with exit code 0.
          5. main starts all processes first; each one stays until the token stops. Whoever waits for the token
             waits without a busy loop, in read() for example. There may be one process only.
   Calls: pipe(2), fork(2), read(2), write(2), close(2), waitpid(2), _exit(2), getpid(2); print with say()
   Example: with  0 9 1 2 3  the token becomes 1, 3, 6, then 7, 9: process 2 sees that 9 is reached. */
#include "workbook.h"

#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PROCESSES = 16 };
#define USAGE "token_ring START LIMIT ADD...   (1 to 16 numbers ADD, each at least 1)"

/* TODO 1: what one process does. Which pipe does it read, which one does it write? How does it see
           that the token has stopped, when another process has it? */

int main(int argc, char **argv)
{
    int count = argc - 3;
    long start, limit, add[MAX_PROCESSES];
    if (count < 1 || count > MAX_PROCESSES || parse_number(argv[1], 0, 1000000, &start) == -1 ||
        parse_number(argv[2], 1, 1000000, &limit) == -1)
        usage(USAGE);
    for (int i = 0; i < count; i++)
        if (parse_number(argv[3 + i], 1, 1000000, &add[i]) == -1)
            usage(USAGE);

    /* TODO 2: make the pipes, start the processes. Process i (0 is the first) adds add[i]. */

    /* TODO 3: who begins? Which ends must main close, and when? */

    /* TODO 4: wait for all of them. */

    say("all %d processes have ended", count);
    return 0;
}

/* Output of ./token_ring 0 9 1 2 3:
process 1 (pid P1): 1
process 2 (pid P2): 3
process 3 (pid P3): 6
process 1 (pid P1): 7
process 2 (pid P2): 9
all 3 processes have ended
*/
