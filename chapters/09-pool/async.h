/* async.h - what stands behind a handle: a job, and its results. For pool.c. */
#ifndef ASYNC_H
#define ASYNC_H

#include "pool.h"

struct async {                  /* a job: one task, or a map of many items */
    struct pool *pool;
    pool_function *function;
    const char *items;          /* COUNT of SIZE bytes */
    size_t count, size, chunk;
    size_t given;               /* so many items have been given to workers */
    size_t done, failed;        /* items that have a result; those of them that failed */
    struct result *results;     /* by item. If unordered, as they came: those from TAKEN to ARRIVED */
    size_t room, taken, arrived;            /* wait for async_next; the one that it took is CURRENT */
    struct result current;
    bool unordered, ready, forgotten;
    async_callback *on_result, *on_error;
    void *argument;
    struct async *next;         /* in a list of the pool */
    char message[];             /* of a single task: a copy */
};

struct jobs {                   /* a list */
    struct async *first, **end; /* END: the address of the pointer that is NULL, where the next one goes */
};

void jobs_append(struct jobs *list, struct async *job);

/* Takes out the job *LINK. LINK is the address of FIRST, or of NEXT in the job before. */
void jobs_take_out(struct jobs *list, struct async **link);

/* A job like JOB. MESSAGE: of a single task, else NULL. A job without items is ready at once. */
struct async *async_new(const struct async *job, const void *message);

/* ITEM has this result; BYTES, from malloc and with room for one more, belong to the job from now on.
   Returns whether it was the last one. */
bool async_put(struct async *job, size_t item, int error, char *bytes, size_t size);

/* All have a result: it is ready. Calls the callback, which may free it. */
void async_finish(struct async *job);

/* In pool.c: gives a job like JOB to the pool. Returns its handle, or NULL: the pool is closed or broken. */
struct async *pool_give(struct pool *pool, struct async *job, const void *message);

/* For pool_error: sets errno to CODE and keeps the words. Returns -1. */
int refuse(int code, const char *text);

#endif
