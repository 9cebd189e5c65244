/* manager_kill.c - clients of the manager, and its server, are killed at random moments.
   ./manager_kill ROUNDS SEED
   Each round: a manager and 6 clients, which move money under a lock, wait in a condition, put and get. One of
   them is killed after up to 3 ms; in every fourth round the server. The others must end within 5 s: with exit 0,
   or when the server was killed, with ECONNRESET. Then: what the lock protects was whole, or its next owner was
   told; no message came twice, at most one is missing; the socket's directory is gone. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 6, EACH = 30, LIMIT_MS = 5000, PRODUCER = 3, CONSUMER = 4, WAITER = 5 };

struct all {
    struct lock *lock;
    struct dict *money;                 /* "a" and "b": as much */
    struct condition *condition;
    struct value *steps;                /* the waiter waits for a change of it */
    struct shared_queue *queue;
    pid_t parent;
    atomic_int *seen;                   /* shared: how often each message came */
    atomic_int *put;                    /* shared: so many were put */
};

struct client {
    struct all *all;
    int number;
};

/* ECONNRESET, ENOENT, ECONNREFUSED: the server was killed. Then nothing more is to be done. */
static int ask(int result, int line)
{
    if (result == -1 && (errno == ECONNRESET || errno == ENOENT || errno == ECONNREFUSED))
        _exit(3);
    if (result == -1)
        die("line %d: %s: %s", line, errno_name(errno), manager_error());
    return result;
}
#define ask(call) ask((int)(call), __LINE__)

static int get(struct all *all, const char *name)
{
    int amount;
    ask(dict_get(all->money, name, &amount, sizeof amount));
    return amount;
}

static void set(struct all *all, const char *name, int amount)
{
    ask(dict_set(all->money, name, &amount, sizeof amount));
}

static int move_money(struct all *all)
{
    for (int i = 0; i < EACH; i++) {
        int told = ask(lock_acquire(all->lock, LIMIT_MS)), a = get(all, "a"), b = get(all, "b");
        if (a != b && told != 1)
            die("a is %d, b is %d, and nobody said that an owner had died", a, b);
        if (a - b > 1 || b > a)
            die("a is %d, b is %d", a, b);
        set(all, "a", a + 1);
        set(all, "b", a + 1);
        ask(lock_release(all->lock));

        int steps;
        ask(condition_acquire(all->condition, LIMIT_MS));
        ask(value_get(all->steps, &steps, sizeof steps));
        steps++;
        ask(value_set(all->steps, &steps, sizeof steps));
        ask(condition_notify(all->condition, 1));
        ask(condition_release(all->condition));
    }
    return 0;
}

static int put_and_count(struct all *all)
{
    for (int i = 0; i < EACH; i++) {
        ask(shared_queue_put(all->queue, &i, sizeof i, LIMIT_MS));
        atomic_store(all->put, i + 1);
    }
    return 0;
}

/* Until the main process has closed the queue. */
static int get_and_count(struct all *all)
{
    int number;
    for (;;) {
        ssize_t size = shared_queue_get(all->queue, &number, sizeof number, MANAGER_FOREVER);
        if (size == -1 && errno == EPIPE)
            return 0;
        ask(size);
        atomic_fetch_add(&all->seen[number], 1);
    }
}

/* Until steps is -1; each time that it wakes it must have the lock. */
static int wait_in_condition(struct all *all)
{
    int steps;
    ask(condition_acquire(all->condition, LIMIT_MS));
    ask(value_get(all->steps, &steps, sizeof steps));       /* the last notify may have been before it came */
    while (steps != -1) {
        ask(condition_wait(all->condition, MANAGER_FOREVER));
        ask(value_get(all->steps, &steps, sizeof steps));
    }
    ask(condition_release(all->condition));
    return 0;
}

static int be_client(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->all->parent));
    switch (self->number) {
    case PRODUCER: return put_and_count(self->all);
    case CONSUMER: return get_and_count(self->all);
    case WAITER: return wait_in_condition(self->all);
    default: return move_money(self->all);
    }
}

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for one child; VICTIM was killed, the others end as they should. */
static void reap(pid_t pid, int number, int victim, bool no_server, long end, int round)
{
    int status;
    pid_t ended;
    while ((ended = check(waitpid(pid, &status, WNOHANG))) == 0 && now_ms() < end) {
        struct timespec rest = { .tv_nsec = 200000 };
        nanosleep(&rest, NULL);
    }
    if (ended == 0)
        die("round %d: %d was killed, and client %d does not end", round, victim, number);
    bool good = WIFEXITED(status) && (WEXITSTATUS(status) == 0 || (no_server && WEXITSTATUS(status) == 3));
    if (!good && !(number == victim && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        die("round %d: %d was killed, and client %d ended with wait status %d", round, victim, number, status);
}

static void play(int round, atomic_int *shared)
{
    int zero = 0, end_of_all = -1;
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct all all = {
        check_ptr(manager_lock(manager)), check_ptr(manager_dict(manager)), check_ptr(manager_condition(manager, NULL)),
        check_ptr(manager_value(manager, &zero, sizeof zero)), check_ptr(manager_queue(manager, 3)), getpid(),
        shared, shared + EACH,
    };
    struct client clients[CLIENTS];
    pid_t pids[CLIENTS];
    memset(shared, 0, (EACH + 1) * sizeof *shared);
    set(&all, "a", 0);
    set(&all, "b", 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ &all, i };
        pids[i] = check(start_child(be_client, &clients[i]));
    }
    bool no_server = round % 4 == 3;
    int victim = no_server ? CLIENTS : rand() % CLIENTS;
    struct timespec rest = { .tv_nsec = rand() % 3000000 };
    nanosleep(&rest, NULL);
    check(kill(no_server ? manager_server_pid(manager) : pids[victim], SIGKILL));   /* none is reaped yet */

    long end = now_ms() + LIMIT_MS;
    for (int i = 0; i < CONSUMER; i++) {
        reap(pids[i], i, victim, no_server, end, round);
        if (i == PRODUCER - 1 && victim == CONSUMER) {
            int number;                 /* nobody else takes what the producer puts */
            while (atomic_load(all.put) < EACH && now_ms() < end)
                if (shared_queue_get(all.queue, &number, sizeof number, 100) != -1)
                    atomic_fetch_add(&all.seen[number], 1);
        }
    }
    if (!no_server) {
        check(shared_queue_close(all.queue));
        check(condition_acquire(all.condition, LIMIT_MS));
        check(value_set(all.steps, &end_of_all, sizeof end_of_all));
        check(condition_notify_all(all.condition));
        check(condition_release(all.condition));
    }
    reap(pids[CONSUMER], CONSUMER, victim, no_server, end, round);
    reap(pids[WAITER], WAITER, victim, no_server, end, round);

    int lost = 0, number;
    while (!no_server && shared_queue_get(all.queue, &number, sizeof number, 0) != -1)
        atomic_fetch_add(&all.seen[number], 1);
    for (int i = 0; i < EACH; i++) {
        if (all.seen[i] > 1)
            die("round %d: message %d came %d times", round, i, all.seen[i]);
        lost += all.seen[i] == 0 && i < *all.put;
    }
    if (!no_server && lost > (victim == CONSUMER ? 1 : 0))
        die("round %d: %d was killed, and %d messages are lost", round, victim, lost);

    char place[200];
    snprintf(place, sizeof place, "%s", manager_address(manager));
    *strrchr(place, '/') = '\0';
    if (manager_stop(manager) == -1 && !no_server)
        die("round %d: manager_stop: %s", round, manager_error());
    if (access(place, F_OK) == 0)
        die("round %d: %s is left", round, place);
}

int main(int argc, char **argv)
{
    long rounds, seed;
    if (argc != 3 || parse_number(argv[1], 0, 1000000, &rounds) == -1 || parse_number(argv[2], 0, 1 << 30, &seed) == -1)
        usage("manager_kill ROUNDS SEED");
    srand((unsigned)seed);
    atomic_int *shared = check_ptr(share((EACH + 1) * sizeof *shared));
    for (int round = 0; round < rounds; round++)
        play(round, shared);
    say("%ld rounds", rounds);
}
