/* pool_api.c - what the programs of chapter 09 do not show of pool.h.
   ./pool_api WORKERS TASKS
   Prints one line; exit 1 and a line on stderr if anything is wrong; SIGALRM ends it after 60 s. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(condition) do { if (!(condition)) die("line %d: not so: %s (%s)", __LINE__, #condition, pool_error()); } while (0)

static int same(const void *message, size_t size, struct reply *reply) { return reply_bytes(reply, message, size); }

static int nothing(const void *message, size_t size, struct reply *reply)
{
    (void)message, (void)size, (void)reply;
    return 0;
}

static struct pool *open_pool(int workers) { return check_ptr(pool_open(workers, NULL, NULL)); }

static void end_pool(struct pool *pool)
{
    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
    MUST(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static long open_ends(void)
{
    long count = 0;
    for (int fd = 0; fd < 1000; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static void wrong_uses(void)
{
    for (int workers = -2; workers <= 0; workers++)
        MUST(pool_open(workers, NULL, NULL) == NULL && errno == EINVAL);
    struct pool *pool = open_pool(2);
    struct async *empty = pool_map(pool, same, NULL, 0, 4, 0);
    MUST(empty != NULL && async_get(empty, 0) != NULL && async_successful(empty) == 1);
    async_free(empty);
    empty = pool_imap_unordered(pool, same, NULL, 0, 4, 3);
    MUST(async_next(empty, -1) == NULL && errno == ENODATA && async_next(empty, -1) == NULL);
    MUST(async_get(empty, 0) == NULL && errno == EINVAL && async_result(empty, 0) == NULL);
    async_free(empty);
    empty = pool_map(pool, same, NULL, 3, 0, 2);        /* three items of 0 bytes */
    MUST(async_get(empty, 0)[2].size == 0);
    async_free(empty);
    MUST(pool_wait(pool, -1) == 0);                     /* nothing to wait for */
    MUST(pool_join(pool) == -1 && errno == EINVAL);
    async_free(NULL);
    pool_free(NULL);
    end_pool(pool);
    pool = open_pool(2);
    pool_close(pool);
    MUST(pool_apply_async(pool, same, "", 0) == NULL && errno == EINVAL && pool_map(pool, same, "", 1, 1, 1) == NULL);
    pool_free(pool);
}

/* ---- sizes ---- */

static int lengthen(const void *message, size_t size, struct reply *reply)
{
    char *bytes = check_ptr(malloc(10 * size + 1));
    for (size_t i = 0; i < 10 && size > 0; i++)
        memcpy(bytes + i * size, message, size);
    reply_bytes(reply, bytes, 10 * size);
    free(bytes);
    return 0;
}

static int long_error(const void *message, size_t size, struct reply *reply)
{
    reply_bytes(reply, message, size);      /* is dropped */
    return reply_error(reply, "%0900d", 7);
}

static void sizes(void)
{
    enum { BIG = 3 << 20 };
    struct pool *pool = open_pool(3);
    char *bytes = check_ptr(malloc(BIG));
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char)(i * i % 251);
    struct async *tasks[12];
    for (size_t i = 0; i < 12; i++)
        tasks[i] = pool_apply_async(pool, lengthen, bytes, i < 6 ? (size_t)BIG - i : i);
    for (size_t i = 0; i < 12; i++) {
        size_t size = i < 6 ? (size_t)BIG - i : i;
        const struct result *result = async_get(tasks[i], -1);
        MUST(result != NULL && result->size == 10 * size);
        for (size_t k = 0; k < 10; k++)
            MUST(memcmp((char *)result->bytes + k * size, bytes, size) == 0);
        async_free(tasks[i]);
    }
    struct async *map = pool_map(pool, same, bytes, 30, 100000, 1);     /* big items, aligned or not */
    MUST(async_get(map, 0) != NULL && memcmp(async_result(map, 29)->bytes, bytes + 2900000, 100000) == 0);
    async_free(map);
    struct async *task = pool_apply(pool, long_error, bytes, BIG);
    MUST(async_get(task, 0) == NULL && errno == EREMOTEIO && strlen(pool_error()) == 900);
    async_free(task);
    free(bytes);
    end_pool(pool);
}

/* ---- waiting for each other ---- */

static int gate[2];

static int wait_at_gate(const void *message, size_t size, struct reply *reply)
{
    char byte;
    check(read_full(gate[0], &byte, 1));
    return reply_bytes(reply, message, size);
}

static int open_gate(const void *message, size_t size, struct reply *reply)
{
    check(write_full(gate[1], "!", 1));
    return reply_bytes(reply, message, size);
}

static struct async *quick_map(struct pool *pool, size_t count)
{
    static int items[1000];
    return check_ptr(pool_imap_unordered(pool, same, items, count, sizeof items[0], 1));
}

/* Takes all its results. Returns how many of them have this error. */
static int drain(struct async *map, int error)
{
    const struct result *result;
    int count = 0;
    while ((result = async_next(map, -1)) != NULL)
        count += result->error == error;
    MUST(errno == ENODATA);
    async_free(map);
    return count;
}

/* A task that waits for a later one: a single task never waits behind another one while a worker is idle. */
static void tasks_that_wait(void)
{
    check(pipe(gate));
    struct pool *pool = open_pool(2);
    for (int i = 0; i < 200; i++) {
        struct async *quick = quick_map(pool, (size_t)i);
        struct async *waits = pool_apply_async(pool, wait_at_gate, "w", 1);
        struct async *opens = pool_apply_async(pool, open_gate, "o", 1);
        MUST(async_get(waits, -1) != NULL && async_get(opens, -1) != NULL && drain(quick, 0) == i);
        async_free(waits);
        async_free(opens);
    }
    struct async *first = pool_apply_async(pool, wait_at_gate, "1", 1);
    struct async *second = pool_apply_async(pool, wait_at_gate, "2", 1);
    struct async *third = quick_map(pool, 1000);
    MUST(async_wait(first, 0) == -1 && errno == ETIMEDOUT);
    MUST(async_wait(first, 30) == -1 && errno == ETIMEDOUT && !async_ready(second) && async_successful(second) == -1);
    MUST(async_cancel(third) && drain(third, ECANCELED) == 1000);
    check(write_full(gate[1], "!!", 2));
    MUST(async_get(second, -1) != NULL && async_get(first, -1) != NULL && !async_cancel(first));
    MUST(async_get(first, 0) != NULL && async_successful(first) == 1);
    async_free(first);
    async_free(second);
    end_pool(pool);
}

/* ---- long ones among quick ones ---- */

/* Answers with its worker's pid. A negative number: after 20 ms. */
static int take_so_long(const void *message, size_t size, struct reply *reply)
{
    pid_t pid = getpid();
    struct timespec rest = { 0, 20000000 };
    (void)size;
    if (*(const int *)message < 0)
        nanosleep(&rest, NULL);
    return reply_bytes(reply, &pid, sizeof pid);
}

/* 1000 items, 8 of them long, one after the other from FROM on. All 8 behind each other at one worker: that must not be. */
static void long_ones(struct pool *pool, int from)
{
    int items[1000] = { 0 }, here = 0;
    for (int i = from; i < from + 8; i++)
        items[i] = -1;
    struct async *map = pool_map(pool, take_so_long, items, 1000, sizeof items[0], 1);
    const struct result *results = async_get(map, -1);
    MUST(results != NULL);
    for (int i = from; i < from + 8; i++)
        here += *(pid_t *)results[i].bytes == *(pid_t *)results[from].bytes;
    MUST(here >= 2 && here <= 6);
    async_free(map);
}

/* Item 500 waits for the one behind it: that one must find another worker, at once. */
static int wait_for_next(const void *message, size_t size, struct reply *reply)
{
    int number = *(const int *)message;
    return number == 500 ? wait_at_gate(message, size, reply) :
           number == 501 ? open_gate(message, size, reply) : same(message, size, reply);
}

static void items_that_wait(struct pool *pool)
{
    int items[1000];
    for (int i = 0; i < 1000; i++)
        items[i] = i;
    for (int i = 0; i < 20; i++) {
        struct async *map = pool_map(pool, wait_for_next, items, 1000, sizeof items[0], 1);
        MUST(async_get(map, 0) != NULL && *(int *)async_result(map, 501)->bytes == 501);
        async_free(map);
    }
}

/* ---- callbacks ---- */

static struct pool *called_pool;
static int calls;

static void on_ready(struct async *task, void *argument)
{
    const struct result *result = async_get(task, 0);
    MUST(result != NULL && async_successful(task) == 1);
    if (++calls < 50) {
        int number = calls;
        struct async *next = pool_apply_async(called_pool, same, &number, sizeof number);
        async_callbacks(next, on_ready, NULL, argument);
        if (calls % 5 == 0) {
            struct async *other = pool_apply(called_pool, same, "x", 1);        /* a wait inside a callback */
            MUST(async_get(other, 0) != NULL);
            async_free(other);
        }
        async_free(next);           /* forgotten: it is called all the same */
    }
}

static void callbacks(void)
{
    called_pool = open_pool(2);
    struct async *task = pool_apply_async(called_pool, same, "", 0);
    async_callbacks(task, on_ready, NULL, NULL);
    async_free(task);
    pool_close(called_pool);         /* callbacks cannot give new tasks now: so wait first */
    pool_free(called_pool);
    calls = 0;
    called_pool = open_pool(2);
    task = pool_apply_async(called_pool, same, "", 0);
    async_callbacks(task, on_ready, NULL, NULL);
    while (calls < 50)
        check(pool_wait(called_pool, -1));
    async_free(task);
    end_pool(called_pool);
}

/* ---- workers that end ---- */

static int tell_pid(const void *message, size_t size, struct reply *reply)
{
    pid_t pid = getpid();
    (void)message, (void)size;
    return reply_bytes(reply, &pid, sizeof pid);
}

static int begin_badly(void *argument)
{
    (void)argument;
    return kill(getpid(), SIGKILL);
}

static void workers_that_end(int workers)
{
    int items[500];
    for (int i = 0; i < 500; i++)
        items[i] = i;
    struct pool *pool = open_pool(2);
    struct async *task;
    for (int i = 0; i < 20; i++) {          /* an idle one is killed, and replaced: no task is lost */
        task = pool_apply(pool, tell_pid, "", 0);
        pid_t pid = *(pid_t *)async_get(task, -1)->bytes;
        async_free(task);
        check(kill(pid, SIGKILL));
        check(wait_for_state(pid, 'Z', 5000));
        struct async *map = pool_map(pool, same, items, 100, sizeof items[0], 3);
        MUST(async_get(map, -1) != NULL);
        for (int k = 0; k < 100; k++)
            MUST(*(int *)async_result(map, (size_t)k)->bytes == k);
        async_free(map);
    }
    end_pool(pool);

    pool = check_ptr(pool_open(2, begin_badly, NULL));
    task = pool_apply(pool, same, "", 0);
    MUST(async_get(task, 0) == NULL && errno == EOWNERDEAD);
    async_free(task);
    struct async *some = quick_map(pool, 100);
    MUST(drain(some, EOWNERDEAD) == 100);
    pool_free(pool);

    /* two pools at once: the workers of the second have copies of the first's ends */
    struct pool *one = open_pool(2), *two = open_pool(workers);
    for (int i = 0; i < 3; i++) {
        struct async *a = pool_imap_unordered(one, same, items, 500, sizeof items[0], 7);
        struct async *b = pool_imap_unordered(two, same, items, 500, sizeof items[0], 7);
        MUST(drain(a, 0) == 500 && drain(b, 0) == 500);
    }
    pool_close(one);
    check(pool_join(one));
    pool_free(one);
    end_pool(two);
}

/* ---- many ---- */

static long resident_kb(void)
{
    struct rusage usage;
    check(getrusage(RUSAGE_SELF, &usage));
    return usage.ru_maxrss;
}

static void many(int workers, long tasks)
{
    struct pool *pool = open_pool(workers);
    long before = 0;
    for (long i = 0; i < tasks / 10; i++) {
        struct async *task = pool_apply_async(pool, same, &i, sizeof i);
        if (i % 8 == 0)
            MUST(*(long *)async_get(task, -1)->bytes == i);
        async_free(task);
        if (i == tasks / 50)
            before = resident_kb();
    }
    MUST(resident_kb() < before + 2000);
    int *items = check_ptr(calloc((size_t)tasks, sizeof *items));
    for (long i = 0; i < tasks; i++)
        items[i] = (int)i;
    struct async *map = pool_imap_unordered(pool, same, items, (size_t)tasks, sizeof *items, 1);
    const struct result *result;
    long long sum = 0, count = 0;
    before = resident_kb();
    for (; (result = async_next(map, -1)) != NULL; count++)
        sum += *(int *)result->bytes;
    MUST(async_next(map, 0) == NULL && errno == ENODATA && count == tasks && sum == (long long)tasks * (tasks - 1) / 2);
    MUST(resident_kb() < before + 2000);
    async_free(map);
    map = pool_map(pool, same, items, (size_t)tasks, sizeof *items, 0);
    MUST(async_get(map, 0) != NULL);
    for (long i = 0; i < tasks; i++)
        MUST(*(int *)async_result(map, (size_t)i)->bytes == i);
    async_free(map);
    map = pool_map(pool, nothing, items, (size_t)tasks, sizeof *items, 1);
    MUST(async_get(map, 0) != NULL);
    async_free(map);
    free(items);
    end_pool(pool);
}

int main(int argc, char **argv)
{
    long workers, tasks;
    if (argc != 3 || parse_number(argv[1], 1, 1000, &workers) == -1 || parse_number(argv[2], 8, 100000000, &tasks) == -1)
        usage("pool_api WORKERS TASKS");
    alarm(60);
    long ends = open_ends();
    wrong_uses();
    sizes();
    tasks_that_wait();
    struct pool *pool = open_pool(2);
    long_ones(pool, 992);
    long_ones(pool, 0);                 /* the first ones, right after a map that was quick */
    long_ones(pool, 500);
    items_that_wait(pool);
    end_pool(pool);
    callbacks();
    workers_that_end((int)workers);
    many((int)workers, tasks);
    check(close(gate[0]));
    check(close(gate[1]));
    MUST(open_ends() == ends);
    say("pool.h does what it says, with %ld workers and %ld tasks", workers, tasks);
}
