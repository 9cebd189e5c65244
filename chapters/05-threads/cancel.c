/* cancel.c - ending a thread from outside: ask by a flag, or cancel it, with cleanup handlers.
   Python: threading.Event as a flag; a Thread cannot be ended from outside
   Calls:  pthread_cancel(3), pthread_cleanup_push(3), pthread_setcancelstate(3), pthread_testcancel(3)
   Needs:  thread, 01-fork/pipe
   Try:    In finish_first(), write ENABLE for DISABLE. The thread ends in the middle of what it does:
           the line "cancelled, but first" no longer comes. */
#include "workbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_bool stop_asked;          /* atomic: two threads use it, one of them writes */
/* A pipe, and the place for a byte out of it: one thread reads each. The place is no local variable:
   AddressSanitizer does not know that a cancelled thread leaves its functions early. */
static struct channel { int ends[2]; char byte; } to_thread, to_main;

static void tell(const struct channel *channel)
{
    check(write_full(channel->ends[1], "t", 1));
}

static void wait_for_byte(struct channel *channel)
{
    check(read_full(channel->ends[0], &channel->byte, 1));
}

/* The flag: the thread looks at it where nothing is half done. */
static void *work_until_asked(void *argument)
{
    int *jobs = argument;
    for (;;) {
        wait_for_byte(&to_thread);      /* a job, or only a wake-up */
        if (atomic_load(&stop_asked))
            return NULL;
        *jobs += 1;
        tell(&to_main);
    }
}

static void give_back(void *memory)
{
    say("  cleanup: the memory is given back");
    free(memory);
}

/* Cancelled inside read: the rest of the function never runs, but its handler does. */
static void *wait_with_memory(void *argument)
{
    void *memory = check_ptr(malloc(100));
    pthread_cleanup_push(give_back, memory);    /* push and pop: one pair, in one block */
    tell(&to_main);
    wait_for_byte(&to_thread);          /* nobody writes; read is a cancellation point */
    say("  thread: this line never comes");
    pthread_cleanup_pop(1);             /* 1: call it now, too */
    return argument;
}

/* Not to be cancelled in the middle: the request stays until it is allowed again. */
static void *finish_first(void *argument)
{
    check_pthread(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
    tell(&to_main);
    wait_for_byte(&to_thread);          /* main has called pthread_cancel before it writes */
    say("  thread: cancelled, but first I finish this line");
    check_pthread(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
    pthread_testcancel();               /* a cancellation point that does nothing else */
    say("  thread: this line never comes");
    return argument;
}

static void join_and_tell(pthread_t thread)
{
    void *result;
    check_pthread(pthread_join(thread, &result));
    say("  main: joined, the thread %s", result == PTHREAD_CANCELED ? "was cancelled" : "has returned");
}

int main(void)
{
    pthread_t thread;
    int jobs = 0;
    check(pipe(to_thread.ends));
    check(pipe(to_main.ends));

    say("a flag:");
    check_pthread(pthread_create(&thread, NULL, work_until_asked, &jobs));
    for (int i = 0; i < 3; i++) {
        tell(&to_thread);
        wait_for_byte(&to_main);
    }
    atomic_store(&stop_asked, true);
    tell(&to_thread);                   /* it waits in read, and would not look at the flag */
    join_and_tell(thread);
    say("  main: it has done %d jobs", jobs);

    say("pthread_cancel:");
    check_pthread(pthread_create(&thread, NULL, wait_with_memory, NULL));
    wait_for_byte(&to_main);
    check_pthread(pthread_cancel(thread));
    join_and_tell(thread);              /* pthread_cancel only asks: its end is seen by the join */

    say("pthread_cancel, not allowed for a while:");
    check_pthread(pthread_create(&thread, NULL, finish_first, NULL));
    wait_for_byte(&to_main);
    check_pthread(pthread_cancel(thread));
    tell(&to_thread);
    join_and_tell(thread);
    for (int i = 0; i < 2; i++) {
        check(close(to_thread.ends[i]));
        check(close(to_main.ends[i]));
    }
}

/* Output:
a flag:
  main: joined, the thread has returned
  main: it has done 3 jobs
pthread_cancel:
  cleanup: the memory is given back
  main: joined, the thread was cancelled
pthread_cancel, not allowed for a while:
  thread: cancelled, but first I finish this line
  main: joined, the thread was cancelled
*/
