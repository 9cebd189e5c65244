/* locks.c - Lock and RLock in the server: with a limit, by whom they are released, and twice by the same.
   Python: manager.Lock(), manager.RLock(); lock.acquire(timeout=0.05), lock.acquire(blocking=False)
   Calls:  lock_..., rlock_... of manager.h
   Needs:  06-locks/rlock, manager_step3, counter
   Try:    Acquire the Lock twice in main, without a limit: main waits for itself. (End it with Ctrl-C.) */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <unistd.h>

struct locks {
    struct lock *lock;
    struct rlock *rlock;
    pid_t parent;
};

static const char *result_of(int result)
{
    return result == -1 ? errno_name(errno) : "yes";
}

/* Main has both locks now. */
static int try_both(void *argument)
{
    const struct locks *locks = argument;
    check(end_with_parent(locks->parent));
    say("child: acquires the Lock, at once: %s", result_of(lock_acquire(locks->lock, 0)));
    say("child: acquires the RLock, within 50 ms: %s", result_of(rlock_acquire(locks->rlock, 50)));
    say("child: releases the RLock: %s", result_of(rlock_release(locks->rlock)));
    say("child: releases the Lock: %s", result_of(lock_release(locks->lock)));
    return 0;
}

/* Waits in the server until main releases the RLock for the second time. */
static int wait_for_rlock(void *argument)
{
    const struct locks *locks = argument;
    check(end_with_parent(locks->parent));
    say("child: acquires the RLock: %s", result_of(rlock_acquire(locks->rlock, MANAGER_FOREVER)));
    check(rlock_release(locks->rlock));
    return 0;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct locks locks = { check_ptr(manager_lock(manager)), check_ptr(manager_rlock(manager)), getpid() };
    say("main: acquires the Lock: %s", result_of(lock_acquire(locks.lock, MANAGER_FOREVER)));
    say("main: acquires it again, at once: %s", result_of(lock_acquire(locks.lock, 0)));
    say("main: acquires the RLock: %s", result_of(rlock_acquire(locks.rlock, MANAGER_FOREVER)));
    say("main: acquires it again, at once: %s", result_of(rlock_acquire(locks.rlock, 0)));

    pid_t child = check(start_child(try_both, &locks));
    int failed = check(wait_children(&child, 1));
    if (!failed) {
        say("main: releases the Lock: %s", result_of(lock_release(locks.lock)));
        say("main: releases it once more: %s", result_of(lock_release(locks.lock)));
        child = check(start_child(wait_for_rlock, &locks));
        say("main: releases the RLock: %s", result_of(rlock_release(locks.rlock)));
        say("main: acquires and releases it, while it has it once: %s",
            result_of(rlock_acquire(locks.rlock, 0) == -1 ? -1 : rlock_release(locks.rlock)));
        check(rlock_release(locks.rlock));
        failed = check(wait_children(&child, 1));
    }
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
main: acquires the Lock: yes
main: acquires it again, at once: EAGAIN
main: acquires the RLock: yes
main: acquires it again, at once: yes
child: acquires the Lock, at once: EAGAIN
child: acquires the RLock, within 50 ms: ETIMEDOUT
child: releases the RLock: EPERM
child: releases the Lock: EPERM
main: releases the Lock: yes
main: releases it once more: EINVAL
main: releases the RLock: yes
main: acquires and releases it, while it has it once: yes
child: acquires the RLock: yes
*/
