/* async.c - handles: a job, how its results come together, and how you get them. Only pool_wait makes
   something happen; all else looks at what is there. */
#include "workbook.h"

#include "async.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int refused;             /* why the last call failed, for pool_error() */
static char refusal[1024];

int refuse(int code, const char *text)
{
    snprintf(refusal, sizeof refusal, "%s", text);
    errno = refused = code;
    return -1;
}

static const struct result *refuse_result(int code, const char *text)
{
    refuse(code, text);
    return NULL;
}

const char *pool_error(void)
{
    return errno == refused ? refusal : strerror(errno);
}

/* ---- the life of a job ---- */

struct async *async_new(const struct async *job, const void *message)
{
    struct async *self = check_ptr(malloc(sizeof *self + job->size));
    *self = *job;
    if (message != NULL)
        self->items = memcpy(self->message, message, job->size);
    else if (job->items == NULL)
        self->items = "";                   /* NULL + 0 is not allowed in C */
    self->room = job->unordered ? 0 : job->count;
    self->results = check_ptr(calloc(self->room + 1, sizeof *self->results));
    self->ready = job->count == 0;
    return self;
}

bool async_put(struct async *job, size_t item, int error, char *bytes, size_t size)
{
    size_t place = job->unordered ? job->arrived++ : item;
    if (place == job->room) {               /* only if unordered: places for what is not taken yet */
        job->room = 2 * job->room + 8;
        job->results = check_ptr(realloc(job->results, job->room * sizeof *job->results));
    }
    bytes[size] = '\0';
    job->results[place] = (struct result){ item, error, size, bytes };
    job->failed += error != 0;
    return ++job->done == job->count;
}

static void free_job(struct async *job)
{
    for (size_t i = job->taken; i < (job->unordered ? job->arrived : job->count); i++)
        free(job->results[i].bytes);
    free(job->current.bytes);
    free(job->results);
    free(job);
}

void async_finish(struct async *job)
{
    bool forgotten = job->forgotten;
    async_callback *callback = job->failed > 0 ? job->on_error : job->on_result;
    job->ready = true;
    if (callback != NULL)
        callback(job, job->argument);
    if (forgotten)
        free_job(job);
}

void async_free(struct async *self)
{
    if (self != NULL && self->ready)
        free_job(self);
    else if (self != NULL)
        self->forgotten = true;
}

void jobs_append(struct jobs *list, struct async *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

void jobs_take_out(struct jobs *list, struct async **link)
{
    *link = (*link)->next;
    if (*link == NULL)
        list->end = link;
}

/* ---- a handle: the calls of pool.h ---- */

void async_callbacks(struct async *self, async_callback *on_result, async_callback *on_error,
                     void *argument)
{
    self->on_result = on_result;
    self->on_error = on_error;
    self->argument = argument;
}

static long long now_us(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* If ordered, TAKEN and ARRIVED are 0. */
int async_wait(struct async *self, int limit_ms)
{
    long long end = now_us() + limit_ms * 1000LL, left = limit_ms;
    while (!self->ready && self->taken == self->arrived) {
        if (limit_ms > 0) {
            long long left_us = end - now_us();     /* read once: the clock goes on */
            left = left_us > 0 ? (left_us + 999) / 1000 : 0;
        }
        if (pool_wait(self->pool, (int)left) == -1)
            return -1;
        if (left == 0 && !self->ready && self->taken == self->arrived)
            return refuse(ETIMEDOUT, "the limit has passed");
    }
    return 0;
}

bool async_ready(struct async *self)
{
    return async_wait(self, 0) == 0;
}

int async_successful(struct async *self)
{
    return async_ready(self) ? self->failed == 0 : refuse(EINVAL, "not ready");
}

const struct result *async_get(struct async *self, int limit_ms)
{
    if (self->unordered)
        return refuse_result(EINVAL, "async_next gives the results of imap_unordered");
    if (async_wait(self, limit_ms) == -1)
        return NULL;
    for (size_t i = 0; i < self->count && self->failed > 0; i++)
        if (self->results[i].error != 0)
            return refuse_result(self->results[i].error, self->results[i].bytes);
    return self->results;
}

const struct result *async_result(struct async *self, size_t index)
{
    return self->ready && !self->unordered && index < self->count ? &self->results[index] : NULL;
}

const struct result *async_next(struct async *self, int limit_ms)
{
    free(self->current.bytes);
    self->current.bytes = NULL;
    if (async_wait(self, limit_ms) == -1)
        return NULL;
    if (self->taken == self->arrived)
        return refuse_result(ENODATA, "there are no more");
    self->current = self->results[self->taken++];
    if (self->taken == self->arrived)
        self->taken = self->arrived = 0;
    return &self->current;
}

/* ---- what you can give ---- */

struct async *pool_apply_async(struct pool *pool, pool_function *function, const void *message,
                               size_t size)
{
    struct async job = { .function = function, .count = 1, .size = size, .chunk = 1 };
    return pool_give(pool, &job, message);
}

struct async *pool_imap_unordered(struct pool *pool, pool_function *function, const void *items,
                                  size_t count, size_t size, size_t chunk)
{
    struct async job = { .function = function, .items = items, .count = count, .size = size,
                         .chunk = chunk, .unordered = true };
    return pool_give(pool, &job, NULL);
}

static struct async *waited(struct async *self)
{
    if (self != NULL)
        async_wait(self, -1);               /* if that fails, async_get will tell */
    return self;
}

struct async *pool_apply(struct pool *pool, pool_function *function, const void *message, size_t size)
{
    return waited(pool_apply_async(pool, function, message, size));
}

struct async *pool_map(struct pool *pool, pool_function *function, const void *items, size_t count,
                       size_t size, size_t chunk)
{
    struct async job = { .function = function, .items = items, .count = count, .size = size,
                         .chunk = chunk };
    return waited(pool_give(pool, &job, NULL));
}
