/* worker.h - one worker of a pool: a child that does order after order. For pool.c. */
#ifndef WORKER_H
#define WORKER_H

#include "pool.h"

#include <stdatomic.h>
#include <sys/types.h>

struct order {                  /* to a worker: then come COUNT items of SIZE bytes */
    pool_function *function;    /* NULL: end */
    size_t count, size, chunk;
};

struct answer {                 /* from a worker: then come SIZE bytes, a result or an error text */
    size_t size;
    long error;
};

enum { CANNOT_START = -1 };     /* the error that says: my initializer has failed */

struct worker {
    pid_t pid;                  /* 0: there is none */
    int to, from;               /* our ends of its pipes: orders go in, answers come out */
    struct async *job;          /* it has the items FIRST to END - 1 of this job: those of its order */
    size_t first, end;          /* that are not answered */
    bool sent;                  /* false: the order is not sent, or there is none */
    atomic_size_t *open;        /* in memory that both share: so many of its last items are not begun, */
};                              /* and free for whoever takes them first */

/* Starts SELF, one of COUNT workers. Returns 0, or -1 with errno; then all is as before. */
int worker_start(struct worker *self, const struct worker *workers, int count,
                 int (*initializer)(void *argument), void *argument);

/* Sends it this order, with the items. Only when the last one is answered. If it has ended, the order
   is not sent, and the next worker_hear will tell. */
void worker_send(struct worker *self, const struct order *order, const char *items);

/* Takes back what it has not begun. Returns how many items that are: the last ones of its order. */
size_t worker_take_back(struct worker *self);

/* Waits for one answer. Returns its bytes, from malloc, with room for one more. NULL: it has ended. */
char *worker_hear(struct worker *self, struct answer *answer);

/* It has ended, or will at once: closes its pipes and reaps it. Returns its wait status. */
int worker_end(struct worker *self);

#endif
