/* value_array.c - no queue: one number and some numbers in memory that processes share, with a lock.
   Python: num = Value("d", 0.0), arr = Array("i", range(10)), num.get_lock()
   Calls:  mmap(2) with MAP_SHARED, pthread_mutexattr_setpshared(3)
   Needs:  01-fork/share, 06-locks/with, 06-locks/process_lock
   Try:    Take out the line with with_lock in add(), and the } of its block. The total may now be too
           small, as in 06-locks/race.c, but rarely: make draw-value_array names the race. */
#include "workbook.h"

#include <sys/mman.h>
#include <unistd.h>

enum { LENGTH = 10, ADDERS = 4, EACH = 100 };

/* Values and arrays, with the lock that guards them. They are plain members: no address is in here,
   so the struct means the same in every process. */
struct shared {
    pthread_mutex_t lock;
    double number;
    int list[LENGTH];
    long total;
    pid_t parent;
};

/* What f(num, arr) does in Python's tutorial. */
static int change_all(void *argument)
{
    struct shared *shared = argument;
    check(end_with_parent(shared->parent));
    with_lock(&shared->lock) {
        shared->number = 3.1415927;
        for (int i = 0; i < LENGTH; i++)
            shared->list[i] = -shared->list[i];
    }
    return 0;
}

static int add(void *argument)
{
    struct shared *shared = argument;
    check(end_with_parent(shared->parent));
    for (int i = 0; i < EACH; i++) {
        with_lock(&shared->lock) {
            shared->total += 1;     /* reads, adds, writes: three steps, so it needs the lock */
        }
    }
    return 0;
}

static void make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));
}

int main(void)
{
    struct shared *shared = check_ptr(share(sizeof *shared));
    int copied[LENGTH];             /* not shared: for comparison */
    pid_t pids[ADDERS];

    shared->parent = getpid();
    make_lock(&shared->lock);
    for (int i = 0; i < LENGTH; i++)
        shared->list[i] = copied[i] = i;

    pids[0] = check(start_child(change_all, shared));
    if (check(wait_children(pids, 1)) != 0)
        return 1;
    /* The child has ended and nobody else is there: main may look without the lock. */
    say("number: %.7f", shared->number);
    say("list: %d %d %d ... %d", shared->list[0], shared->list[1], shared->list[2], shared->list[9]);
    say("main's own array: %d %d %d ... %d", copied[0], copied[1], copied[2], copied[9]);

    for (int i = 0; i < ADDERS; i++)
        pids[i] = check(start_child(add, shared));
    if (check(wait_children(pids, ADDERS)) != 0)
        return 1;                   /* killed with the lock, perhaps: so main did not try to get it */
    say("total: %ld", shared->total);
    check_pthread(pthread_mutex_destroy(&shared->lock));
    check(munmap(shared, sizeof *shared));
}

/* Output:
number: 3.1415927
list: 0 -1 -2 ... -9
main's own array: 0 1 2 ... 9
total: 400
*/
