/* argument_trap.c - passing &i: all threads get the address of one variable, which goes on.
   Python: [Thread(target=lambda: print(i)) for i in range(3)] has the same trap; args=(i,) has not
   Calls:  pthread_create(3) and its last argument
   Needs:  thread, 01-fork/pipe
   Try:    In address_of_i(), move the write_full() up, above the for. Now nothing holds the threads
           back: this is the mistake as people make it. Run it often: 0 3 3, 1 1 3, 3 3 3 ... */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

enum { COUNT = 3 };

static int go[2];               /* one byte for each thread that may go on */

static void *read_late(void *argument)
{
    atomic_int *number = argument;
    char byte;
    check(read_full(go[0], &byte, 1));
    /* Atomic: so the wrong program has a wrong result, and not what C calls undefined behaviour,
       where anything could happen. (Chapter 06 explains _relaxed.) */
    return (void *)(intptr_t)atomic_load_explicit(number, memory_order_relaxed);
}

static void *read_int(void *argument)
{
    return (void *)(intptr_t)*(int *)argument;
}

static void *take_value(void *argument)
{
    return argument;            /* the pointer is not an address: it is the number itself */
}

static void join_and_tell(const char *what, pthread_t *threads)
{
    int got[COUNT];
    for (int i = 0; i < COUNT; i++) {
        void *result;
        check_pthread(pthread_join(threads[i], &result));
        got[i] = (int)(intptr_t)result;
    }
    say("%s: the threads got %d %d %d", what, got[0], got[1], got[2]);
}

/* The mistake: one i for all. We force what may happen on any day: the threads read it late. */
static void address_of_i(void)
{
    pthread_t threads[COUNT];
    atomic_int i;
    check(pipe(go));
    for (i = 0; i < COUNT; i++)
        check_pthread(pthread_create(&threads[i], NULL, read_late, &i));
    check(write_full(go[1], "go!", COUNT));     /* i is 3 by now */
    join_and_tell("WRONG: &i", threads);
    check(close(go[0]));
    check(close(go[1]));
}

/* Right: for each thread a variable of its own, which stays until the thread has been joined. */
static void own_variable(void)
{
    pthread_t threads[COUNT];
    int numbers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = i;
        check_pthread(pthread_create(&threads[i], NULL, read_int, &numbers[i]));
    }
    join_and_tell("&numbers[i]", threads);
}

/* Right too, for one number: no address at all. */
static void value_itself(void)
{
    pthread_t threads[COUNT];
    for (int i = 0; i < COUNT; i++)
        check_pthread(pthread_create(&threads[i], NULL, take_value, (void *)(intptr_t)i));
    join_and_tell("(void *)(intptr_t)i", threads);
}

int main(void)
{
    address_of_i();
    own_variable();
    value_itself();
}

/* Output:
WRONG: &i: the threads got 3 3 3
&numbers[i]: the threads got 0 1 2
(void *)(intptr_t)i: the threads got 0 1 2
*/
