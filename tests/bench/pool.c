/* pool.c - the pool of chapter 09 beside the least that two workers need: two bare pipes each.
   ./pool [TASKS] [TRIPS] [REPEATS]
   map: TASKS tasks of 4 bytes for 2 workers, chunks of 1. apply: TRIPS times there and back. The best of REPEATS rounds, in
   which both take turns, so that a load on the machine meets both. */
#include "workbook.h"

#include "pool.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, AHEAD = 32 };

static int nothing(const void *message, size_t size, struct reply *reply)
{
    (void)message;
    (void)size;
    (void)reply;
    return 0;
}

static double now_us(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

struct bare {
    int to[WORKERS], from[WORKERS];
    pid_t pids[WORKERS];
};

/* A worker of the bare kind: one read and one write a task. */
static void start_bare(struct bare *bare)
{
    for (int i = 0; i < WORKERS; i++) {
        int tasks[2], answers[2], number;
        check(pipe(tasks));
        check(pipe(answers));
        bare->pids[i] = check(fork());
        if (bare->pids[i] == 0) {
            check(close(tasks[1]));
            check(close(answers[0]));
            if (i > 0)
                check(close(bare->to[0]));
            while (check(read_full(tasks[0], &number, sizeof number)) == sizeof number)
                check(write_full(answers[1], &number, sizeof number));
            _exit(0);
        }
        check(close(tasks[0]));
        check(close(answers[1]));
        bare->to[i] = tasks[1];
        bare->from[i] = answers[0];
    }
}

static void end_bare(struct bare *bare)
{
    for (int i = 0; i < WORKERS; i++) {
        check(close(bare->to[i]));
        check(close(bare->from[i]));
    }
    check(wait_children(bare->pids, WORKERS));
}

/* AHEAD tasks in each pipe; then a new one for each answer. */
static void bare_map(const struct bare *bare, long tasks)
{
    long sent = 0, done = 0;
    int numbers[AHEAD] = { 0 };
    struct pollfd fds[WORKERS];
    for (int i = 0; i < WORKERS; i++, sent += AHEAD) {
        fds[i] = (struct pollfd){ .fd = bare->from[i], .events = POLLIN };
        check(write_full(bare->to[i], numbers, sizeof numbers));
    }
    while (done < sent) {
        check(poll(fds, WORKERS, -1));
        for (int i = 0; i < WORKERS; i++)
            if (fds[i].revents != 0) {
                long count = check(read(bare->from[i], numbers, sizeof numbers)) / (long)sizeof numbers[0];
                done += count;
                if (sent >= tasks)
                    count = 0;
                check(write_full(bare->to[i], numbers, (size_t)count * sizeof numbers[0]));
                sent += count;
            }
    }
}

static void bare_apply(const struct bare *bare, long trips)
{
    int number = 0;
    for (long i = 0; i < trips; i++) {
        check(write_full(bare->to[0], &number, sizeof number));
        check(read_full(bare->from[0], &number, sizeof number));
    }
}

static void pool_map_nothing(struct pool *pool, const int *items, long tasks)
{
    struct async *map = check_ptr(pool_map(pool, nothing, items, (size_t)tasks, sizeof *items, 1));
    check_ptr(async_get(map, 0));
    async_free(map);
}

static void pool_apply_nothing(struct pool *pool, long trips)
{
    int number = 0;
    for (long i = 0; i < trips; i++) {
        struct async *task = check_ptr(pool_apply(pool, nothing, &number, sizeof number));
        check_ptr(async_get(task, 0));
        async_free(task);
    }
}

static void keep_best(double *best, double start, long count)
{
    double took = (now_us() - start) / (double)count;
    if (*best == 0 || took < *best)
        *best = took;
}

int main(int argc, char **argv)
{
    long tasks = 200000, trips = 10000, repeats = 5;
    if (argc > 4 || (argc > 1 && parse_number(argv[1], 1000, 100000000, &tasks) == -1) ||
        (argc > 2 && parse_number(argv[2], 1, 100000000, &trips) == -1) ||
        (argc > 3 && parse_number(argv[3], 1, 1000, &repeats) == -1))
        usage("pool [TASKS] [TRIPS] [REPEATS]");
    struct bare bare;
    double best[4] = { 0 };
    int *items = check_ptr(calloc((size_t)tasks, sizeof *items));
    start_bare(&bare);
    struct pool *pool = check_ptr(pool_open(WORKERS, NULL, NULL));
    for (long i = 0; i < repeats; i++) {
        double start = now_us();
        bare_map(&bare, tasks);
        keep_best(&best[0], start, tasks);
        start = now_us();
        pool_map_nothing(pool, items, tasks);
        keep_best(&best[1], start, tasks);
        start = now_us();
        bare_apply(&bare, trips);
        keep_best(&best[2], start, trips);
        start = now_us();
        pool_apply_nothing(pool, trips);
        keep_best(&best[3], start, trips);
    }
    pool_free(pool);            /* first: its workers have copies of the bare pipes' ends */
    end_bare(&bare);
    free(items);
    say("bare     map, 2 workers, %d ahead:    %7.2f us a task;  there and back: %7.2f us", AHEAD, best[0], best[2]);
    say("pool.h   map, 2 workers, chunks of 1: %7.2f us a task;  apply:          %7.2f us", best[1], best[3]);
    say("ratio    %.2f and %.2f", best[1] / best[0], best[3] / best[2]);
}
