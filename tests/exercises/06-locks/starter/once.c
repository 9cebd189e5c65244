/* once.c - an exercise: lazy initialisation. The first thread that needs the table builds it, once for all.
   Task:  once NUMBER...  starts a thread for each NUMBER (0 to 100; at most 16 threads).
          1. A thread whose number is above 0 gets the table from get_table(), and takes from it the
             value at its number: table[NUMBER]. A thread with the number 0 does not need the table.
          2. The table is built (build_table, given) by whoever needs it first, while the threads run.
             Nobody gets the table before it is complete; all get the same one. It is built ONCE, however
             many threads need it at the same moment; and it is not built at all if nobody needs it.
          3. All threads work at the same time: start them all, then wait for them. Each one gives its
             value back. main joins every thread, prints the values in the order of the threads ("no
             need" for the number 0), and ends with exit code 0.
   Calls: pthread_mutex_lock(3), or pthread_once(3), or stdatomic.h; pthread_create(3); say()
   Example: with  3 0 10  threads 1 and 3 need the table. It is built by one of them. */
#include "workbook.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_THREADS = 16, MAX_NUMBER = 100 };

/* Given, nothing to do here. Builds the table: at n it holds 1 + 2 + ... + n. This costs a lot of time,
   let us say; so nobody should do it twice, and nobody should do it for nothing. */
static long *build_table(void)
{
    say("building the table");
    long *table = check_ptr(malloc((MAX_NUMBER + 1) * sizeof *table));
    table[0] = 0;
    for (int n = 1; n <= MAX_NUMBER; n++)
        table[n] = table[n - 1] + n;
    return table;
}

/* TODO 1: where is the table, once it is built? And what makes sure that it is built once? */

/* TODO 2: called by each thread that needs the table. */
static const long *get_table(void)
{
    return build_table();
}

/* TODO 3: what each thread runs: with get_table(), if its number is above 0. */

int main(int argc, char **argv)
{
    long numbers[MAX_THREADS];
    int count = argc - 1;
    for (int i = 0; i < count && count <= MAX_THREADS; i++)
        if (parse_number(argv[i + 1], 0, MAX_NUMBER, &numbers[i]) == -1)
            count = 0;
    if (count < 1 || count > MAX_THREADS)
        usage("once NUMBER...   (1 to 16 numbers from 0 to 100)");

    /* TODO 4: start all the threads, then join them all, then print.
               This line is here only until you have threads: */
    say("thread 1: %ld", get_table()[numbers[0]]);
    return 0;
}

/* Output of ./once 3 0 10:
building the table
thread 1: 6
thread 2: no need
thread 3: 55
*/
