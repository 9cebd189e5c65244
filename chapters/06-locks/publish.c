/* publish.c - one thread writes a value, then sets a flag: who sees the flag shall see the value.
   Python: nothing like it; the interpreter's own lock hides the question
   Calls:  stdatomic.h of C11: atomic_store_explicit, atomic_load_explicit; memory_order_release, _acquire
   Needs:  01-fork/pipe, 05-threads/thread, atomic
   Try:    In publish, write memory_order_relaxed for memory_order_release. The output is most likely
           the same. But make VARIANT=tsan, and build/tsan/publish: it tells of a data race. */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct letter {
    int text;                       /* an ordinary variable: written before the flag, read after it */
    atomic_int ready;               /* the flag */
    atomic_int early_text;          /* for the wrong order: two threads use it at once */
    int step[2], done[2];           /* pipes, for the wrong order: the flag is set; main has looked */
};

static void *publish(void *argument)
{
    struct letter *letter = argument;
    letter->text = 42;
    /* release: all that this thread did before is seen by whoever reads this 1 with acquire */
    atomic_store_explicit(&letter->ready, 1, memory_order_release);
    return NULL;
}

/* What a compiler or a processor may make of two relaxed, or two volatile, writes: the flag first. */
static void *publish_too_early(void *argument)
{
    struct letter *letter = argument;
    char byte = 's';
    atomic_store_explicit(&letter->ready, 1, memory_order_relaxed);
    check(write_full(letter->step[1], &byte, 1));
    check(read_full(letter->done[0], &byte, 1));
    atomic_store_explicit(&letter->early_text, 42, memory_order_relaxed);
    return NULL;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct letter letter = { .text = 0 };
    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, publish, &letter));
    while (atomic_load_explicit(&letter.ready, memory_order_acquire) == 0)
        ;                           /* asks again and again: good only for a very short time */
    say("flag 1, text %d", letter.text);
    check_pthread(pthread_join(thread, NULL));

    char byte;
    letter.ready = 0;
    check(pipe(letter.step));
    check(pipe(letter.done));
    check_pthread(pthread_create(&thread, NULL, publish_too_early, &letter));
    check(read_full(letter.step[0], &byte, 1));
    int ready = atomic_load_explicit(&letter.ready, memory_order_relaxed);
    int text = atomic_load_explicit(&letter.early_text, memory_order_relaxed);
    say("WRONG: flag %d, text %d", ready, text);
    check(write_full(letter.done[1], &byte, 1));
    check_pthread(pthread_join(thread, NULL));
    for (int i = 0; i < 2; i++) {
        check(close(letter.step[i]));
        check(close(letter.done[i]));
    }
}

/* Output:
flag 1, text 42
WRONG: flag 1, text 0
*/
