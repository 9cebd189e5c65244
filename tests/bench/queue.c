/* queue.c - how fast is the queue of chapter 08, beside a bare ring? Both in one run, in turns.
   ./queue [messages] [rounds trip] [repeats]
   Prints for each: microseconds per message, the best of the repeats, and the ratio to the bare ring.
   The bare ring is a mutex and two condition variables: nothing in it survives a killed process. */
#include "workbook.h"

#include "queue.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CAPACITY = 1024 };

struct bare {
    pthread_mutex_t lock;
    pthread_cond_t filled, room;
    int items[CAPACITY], first, count;
};

static void *bare_create(void)
{
    struct bare *bare = check_ptr(share(sizeof *bare));
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    check_pthread(pthread_mutexattr_init(&mutex));
    check_pthread(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(&bare->lock, &mutex));
    check_pthread(pthread_condattr_init(&condition));
    check_pthread(pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_cond_init(&bare->filled, &condition));
    check_pthread(pthread_cond_init(&bare->room, &condition));
    return bare;
}

static void bare_destroy(void *queue)
{
    check(munmap(queue, sizeof(struct bare)));
}

static void bare_put(void *queue, int item)
{
    struct bare *bare = queue;
    check_pthread(pthread_mutex_lock(&bare->lock));
    while (bare->count == CAPACITY)
        check_pthread(pthread_cond_wait(&bare->room, &bare->lock));
    bare->items[(bare->first + bare->count) % CAPACITY] = item;
    bare->count++;
    check_pthread(pthread_cond_signal(&bare->filled));
    check_pthread(pthread_mutex_unlock(&bare->lock));
}

static int bare_get(void *queue)
{
    struct bare *bare = queue;
    check_pthread(pthread_mutex_lock(&bare->lock));
    while (bare->count == 0)
        check_pthread(pthread_cond_wait(&bare->filled, &bare->lock));
    int item = bare->items[bare->first];
    bare->first = (bare->first + 1) % CAPACITY;
    bare->count--;
    check_pthread(pthread_cond_signal(&bare->room));
    check_pthread(pthread_mutex_unlock(&bare->lock));
    return item;
}

static void *part_create(void)
{
    return check_ptr(queue_create(sizeof(int), CAPACITY));
}

static void part_destroy(void *queue)
{
    check(queue_destroy(queue));
}

static void part_put(void *queue, int item)
{
    check(queue_put(queue, &item));
}

static int part_get(void *queue)
{
    int item;
    check(queue_get(queue, &item));
    return item;
}

static const struct kind {
    const char *name;
    void *(*create)(void);
    void (*destroy)(void *queue);
    void (*put)(void *queue, int item);
    int (*get)(void *queue);
} kinds[] = {
    { "bare", bare_create, bare_destroy, bare_put, bare_get },
    { "queue.h", part_create, part_destroy, part_put, part_get },
};

struct job {
    const struct kind *kind;
    void *there, *back;             /* two queues; BACK is used for trips only */
    long count;
    pid_t parent;
};

static int take_all(void *argument)
{
    const struct job *job = argument;
    check(end_with_parent(job->parent));
    for (long i = 0; i < job->count; i++)
        if (job->kind->get(job->there) != (int)i)
            die("%s: message %ld is another one", job->kind->name, i);
    return 0;
}

static int send_back(void *argument)
{
    const struct job *job = argument;
    check(end_with_parent(job->parent));
    for (long i = 0; i < job->count; i++)
        job->kind->put(job->back, job->kind->get(job->there));
    return 0;
}

static double now(void)
{
    struct timespec time;
    check(clock_gettime(CLOCK_MONOTONIC, &time));
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Microseconds per message, or per trip there and back. */
static double measure(const struct kind *kind, long count, bool trip)
{
    struct job job = { kind, kind->create(), kind->create(), count, getpid() };
    double start = now();
    pid_t child = check(start_child(trip ? send_back : take_all, &job));
    for (long i = 0; i < count; i++) {
        kind->put(job.there, (int)i);
        if (trip)
            kind->get(job.back);
    }
    if (check(wait_children(&child, 1)) != 0)
        exit(1);
    double seconds = now() - start;
    kind->destroy(job.there);
    kind->destroy(job.back);
    return seconds / (double)count * 1e6;
}

static void compare(const char *what, long count, long repeats, bool trip)
{
    double best[2] = { 1e9, 1e9 };
    for (long r = 0; r < repeats; r++)
        for (int k = 0; k < 2; k++) {
            double us = measure(&kinds[k], count, trip);
            if (us < best[k])
                best[k] = us;
        }
    printf("%-28s bare %7.3f us   queue.h %7.3f us   ratio %.2f\n", what, best[0], best[1],
        best[1] / best[0]);
}

int main(int argc, char **argv)
{
    long count[3] = { 1000000, 20000, 5 };
    for (int i = 1; i < argc; i++)
        if (i > 3 || parse_number(argv[i], 1, 100000000, &count[i - 1]) == -1)
            usage("queue [messages] [trips] [repeats]");
    compare("one way, 4 bytes", count[0], count[2], false);
    compare("there and back", count[1], count[2], true);
}
