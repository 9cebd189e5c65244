/* thread.c - one thread more: create it, give it an argument, wait for it, take its result.
   Python: t = Thread(target=add_up, args=(part,)), t.start(), t.join()
   Calls:  pthread_create(3), pthread_join(3)
   Needs:  01-fork/fork, 01-fork/many_children, 02-process/process_step1
   Try:    Move the pthread_join() of many() into its first loop. The output stays the same, but
           the threads no longer run at the same time: each one is waited for at once. */
#include "workbook.h"

#include <pthread.h>
#include <unistd.h>

enum { COUNT = 3 };

/* What one thread gets, and where it puts its result. */
struct part {
    long from;
    long to;
    long sum;
};

/* What a thread runs has always this form: a pointer to anything in, a pointer to anything out. */
static void *add_up(void *argument)
{
    struct part *part = argument;
    part->sum = 0;
    for (long number = part->from; number <= part->to; number++)
        part->sum += number;
    return &part->sum;          /* never the address of a local variable: that ends with the thread */
}

static void *greet(void *argument)
{
    say("thread (pid %d): hello, %s", getpid(), (const char *)argument);
    return NULL;                /* the end of the thread, not of the process */
}

static void one(void)
{
    char name[] = "Anna";
    pthread_t thread;
    say("main (pid %d): start", getpid());
    check_pthread(pthread_create(&thread, NULL, greet, name));
    check_pthread(pthread_join(thread, NULL));  /* until then `name` must stay where it is */
    say("main (pid %d): joined", getpid());
}

static void many(void)
{
    pthread_t threads[COUNT];
    struct part parts[COUNT] = { { 1, 100, 0 }, { 101, 200, 0 }, { 201, 300, 0 } };
    long total = 0;

    for (int i = 0; i < COUNT; i++)         /* start all ... */
        check_pthread(pthread_create(&threads[i], NULL, add_up, &parts[i]));
    for (int i = 0; i < COUNT; i++) {       /* ... and only then wait for each */
        void *result;
        check_pthread(pthread_join(threads[i], &result));
        long sum = *(long *)result;         /* what add_up returned */
        say("main: from %ld to %ld: %ld", parts[i].from, parts[i].to, sum);
        total += sum;
    }
    say("main: all together: %ld", total);
}

int main(void)
{
    one();
    many();
}

/* Output:
main (pid P1): start
thread (pid P1): hello, Anna
main (pid P1): joined
main: from 1 to 100: 5050
main: from 101 to 200: 15050
main: from 201 to 300: 25050
main: all together: 45150
*/
