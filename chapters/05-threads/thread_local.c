/* thread_local.c - a variable of which each thread has its own: _Thread_local, errno, and keys.
   Python: mine = threading.local(); mine.value = 1
   Calls:  _Thread_local (C11), errno(3), pthread_key_create(3), pthread_setspecific(3)
   Needs:  thread, shared_or_copied, 01-fork/pipe
   Try:    Take out the word _Thread_local. Then all have one `value`: both threads read what the
           later of them has written, 10 or 20, and main reads it too. */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { COUNT = 2 };

static _Thread_local int value = 1;     /* a copy in each thread; each copy begins with 1 */
static pthread_key_t key;               /* one key for all; behind it, in each thread, a pointer */
static int ready[2], go[2];             /* pipes: a thread has written; a thread may read */

struct task {
    int number;                 /* what the thread writes into its copy */
    int first, later;           /* what it has read, before and after */
    int error;
};

/* The kernel does not know our memory: at the end of a thread this is called with its pointer. */
static void give_back(void *memory)
{
    say("thread %d: ends, its memory is given back", *(int *)memory);
    free(memory);
}

static void *use_own_copy(void *argument)
{
    struct task *task = argument;
    char byte;
    task->first = value;
    value = task->number;
    errno = task->number == 10 ? ENOENT : EINTR;
    check(write_full(ready[1], "r", 1));
    check(read_full(go[0], &byte, 1));          /* now the other thread has written, too */
    task->error = errno;        /* ours is untouched: on Linux, a call that works leaves it alone */
    task->later = value;
    return NULL;
}

static void *use_key(void *argument)
{
    int *memory = check_ptr(malloc(sizeof *memory));
    *memory = *(int *)argument;
    check_pthread(pthread_setspecific(key, memory));
    say("thread %d: behind the key is %d", *memory, *(int *)pthread_getspecific(key));
    return NULL;
}

int main(void)
{
    struct task tasks[COUNT] = { { .number = 10 }, { .number = 20 } };
    pthread_t threads[COUNT];
    char bytes[COUNT];

    check(pipe(ready));
    check(pipe(go));
    for (int i = 0; i < COUNT; i++)
        check_pthread(pthread_create(&threads[i], NULL, use_own_copy, &tasks[i]));
    check(read_full(ready[0], bytes, COUNT));   /* both have written ... */
    check(write_full(go[1], bytes, COUNT));     /* ... now both may read */
    for (int i = 0; i < COUNT; i++) {
        check_pthread(pthread_join(threads[i], NULL));
        say("thread %d: first %d, later %d, errno %s", i + 1, tasks[i].first, tasks[i].later,
            errno_name(tasks[i].error));
    }
    say("main: value is %d", value);

    check_pthread(pthread_key_create(&key, give_back));
    for (int number = 1; number <= COUNT; number++) {
        check_pthread(pthread_create(&threads[0], NULL, use_key, &number));
        check_pthread(pthread_join(threads[0], NULL));  /* so &number is no trap here */
    }
    check_pthread(pthread_key_delete(key));
    for (int i = 0; i < 2; i++) {
        check(close(ready[i]));
        check(close(go[i]));
    }
}

/* Output:
thread 1: first 1, later 10, errno ENOENT
thread 2: first 1, later 20, errno EINTR
main: value is 1
thread 1: behind the key is 1
thread 1: ends, its memory is given back
thread 2: behind the key is 2
thread 2: ends, its memory is given back
*/
