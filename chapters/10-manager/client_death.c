/* client_death.c - a client is killed while it has the lock. The server frees it, and tells the next one.
   Python: nothing like it; a Manager's lock stays locked when the process that has it is killed
   Calls:  lock_acquire of manager.h, which returns 1; kill(2)
   Needs:  06-locks/robust_lock, counter
   Try:    In waiting.c, take out the give(object) in release_all: the next client waits for
           ever for one that was killed. (End it with Ctrl-C.) */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct bank {
    struct lock *lock;
    struct dict *accounts;              /* "left" and "right": together 100, always */
    int told[2];                        /* the victim says: I am in the middle */
    pid_t parent;
};

static int get(const struct bank *bank, const char *name)
{
    int amount;
    check(dict_get(bank->accounts, name, &amount, sizeof amount));
    return amount;
}

static void set(const struct bank *bank, const char *name, int amount)
{
    check(dict_set(bank->accounts, name, &amount, sizeof amount));
}

/* Moves 30 from left to right, and does not come to its end. */
static int move_and_die(void *argument)
{
    const struct bank *bank = argument;
    check(end_with_parent(bank->parent));
    check(lock_acquire(bank->lock, MANAGER_FOREVER));
    set(bank, "left", get(bank, "left") - 30);
    check(write_full(bank->told[1], "!", 1));
    pause();                            /* here it is killed */
    return 1;
}

/* Has asked for the lock before the victim is killed, or asks later: it is told in both cases. */
static int look_and_repair(void *argument)
{
    const struct bank *bank = argument;
    check(end_with_parent(bank->parent));
    int found = check(lock_acquire(bank->lock, MANAGER_FOREVER));
    int left = get(bank, "left"), right = get(bank, "right");
    say("next client: has the lock%s", found == 1 ? "; the last owner has ended with it" : "");
    say("next client: left %d, right %d: together %d", left, right, left + right);
    if (left + right != 100) {
        set(bank, "left", 100 - right);
        say("next client: repaired: left %d, right %d", get(bank, "left"), right);
    }
    check(lock_release(bank->lock));
    return 0;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct bank bank = { check_ptr(manager_lock(manager)), check_ptr(manager_dict(manager)), { -1, -1 }, getpid() };
    set(&bank, "left", 100);
    set(&bank, "right", 0);
    check(pipe2(bank.told, O_CLOEXEC));

    pid_t victim = check(start_child(move_and_die, &bank));
    check(close(bank.told[1]));
    char byte;
    int failed = check(read_full(bank.told[0], &byte, 1)) != 1, found = 0;
    pid_t next = failed ? -1 : check(start_child(look_and_repair, &bank));
    check(kill(victim, SIGKILL));       /* not reaped yet, so the pid is its own */
    check(wait_child(victim));
    if (failed)
        dprintf(STDERR_FILENO, "the first client has ended too early\n");
    else
        failed = check(wait_children(&next, 1));
    if (!failed) {
        found = check(lock_acquire(bank.lock, MANAGER_FOREVER));
        say("main: has the lock%s", found == 1 ? "; the last owner has ended with it" : ", and all is well");
        check(lock_release(bank.lock));
    }
    check(close(bank.told[0]));
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
next client: has the lock; the last owner has ended with it
next client: left 70, right 0: together 70
next client: repaired: left 100, right 0
main: has the lock, and all is well
*/
