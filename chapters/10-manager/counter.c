/* counter.c - 100 processes take 1 from a number in a shared dict. And why that needs a lock.
   Python: manager.dict(), manager.Lock(); with lock: d["count"] -= 1
   Calls:  dict_get, dict_set, lock_acquire, lock_release of manager.h
   Needs:  06-locks/race, manager_step3
   Try:    Run build/counter unlocked 100 a few times: the same without a lock, as it comes. Some
           requests of the others fall between the get and the set of one. How many are lost? */
#include "workbook.h"

#include "manager.h"

#include <string.h>
#include <unistd.h>

enum { CHILDREN = 100 };

struct shop {
    struct dict *dict;
    struct lock *lock;                  /* NULL: none */
    struct event *has_read;             /* NULL: not forced */
    struct event *has_written;
    pid_t parent;
};

static int get_count(const struct shop *shop)
{
    int count;
    check(dict_get(shop->dict, "count", &count, sizeof count));
    return count;
}

static void set_count(const struct shop *shop, int count)
{
    check(dict_set(shop->dict, "count", &count, sizeof count));
}

/* Two requests: each is one step for all others, the two together are not. */
static int take_one(void *argument)
{
    const struct shop *shop = argument;
    check(end_with_parent(shop->parent));
    if (shop->lock != NULL)
        check(lock_acquire(shop->lock, MANAGER_FOREVER));
    int count = get_count(shop);
    set_count(shop, count - 1);
    if (shop->lock != NULL)
        check(lock_release(shop->lock));
    return 0;
}

/* The same, without a lock; another one takes its 1 between our get and our set. */
static int take_one_slowly(void *argument)
{
    const struct shop *shop = argument;
    check(end_with_parent(shop->parent));
    int count = get_count(shop);
    check(event_set(shop->has_read));
    check(event_wait(shop->has_written, MANAGER_FOREVER));
    set_count(shop, count - 1);
    return 0;
}

static int take_one_in_between(void *argument)
{
    const struct shop *shop = argument;
    check(end_with_parent(shop->parent));
    check(event_wait(shop->has_read, MANAGER_FOREVER));
    set_count(shop, get_count(shop) - 1);
    check(event_set(shop->has_written));
    return 0;
}

int main(int argc, char **argv)
{
    long children = CHILDREN;
    if ((argc != 1 && argc != 3) || (argc == 3 && (strcmp(argv[1], "unlocked") != 0 ||
                                                   parse_number(argv[2], 1, CHILDREN, &children) == -1)))
        usage("counter [unlocked COUNT]");
    bool unlocked = argc == 3;
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct shop shop = { .dict = check_ptr(manager_dict(manager)), .parent = getpid() };
    pid_t pids[CHILDREN];
    int failed = 0;
    if (!unlocked)
        shop.lock = check_ptr(manager_lock(manager));

    set_count(&shop, (int)children);
    for (int i = 0; i < children; i++)
        pids[i] = check(start_child(take_one, &shop));
    failed = check(wait_children(pids, (int)children));
    if (!failed)
        say("%s%ld processes have taken 1 each %s: %d left", unlocked ? "Measured: " : "", children,
            unlocked ? "without a lock" : "with the lock", get_count(&shop));

    if (!failed && !unlocked) {
        shop.has_read = check_ptr(manager_event(manager));
        shop.has_written = check_ptr(manager_event(manager));
        set_count(&shop, 2);
        pids[0] = check(start_child(take_one_slowly, &shop));
        pids[1] = check(start_child(take_one_in_between, &shop));
        failed = check(wait_children(pids, 2));
        if (!failed)
            say("WRONG: 2 processes have taken 1 each from 2, without a lock: %d left", get_count(&shop));
    }
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
100 processes have taken 1 each with the lock: 0 left
WRONG: 2 processes have taken 1 each from 2, without a lock: 1 left
*/
