/* pool.c - how the pool of pool.h works: pool_step3.c, and messages of any length, several items in
   one order, handles. Read it top to bottom. Two rules make it simple:

   1. A worker gets an order only when all of the last one is answered, and reads the whole order before
      it begins. So the parent may wait until the order is written: no deadlock.
   2. A worker sends its answer to one item before it begins the next one. So when it is killed, the
      first item without an answer was in its hands, and those after it were not begun. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_AHEAD = 32,            /* chunks in one order, at most */
    QUICK_US = 200,             /* who has worked so long on an order gives back what is left of it */
    GIVES_BACK = -1,            /* instead of an error: "let others do what I have not begun", and */
    CANNOT_START = -2,          /* "my initializer has failed" */
};

struct order {                  /* to a worker: then come COUNT items of SIZE bytes */
    pool_function *function;    /* NULL: end */
    size_t count, size, chunk;
};

struct answer {                 /* from a worker: then come SIZE bytes, a result or an error text */
    size_t size;
    long error;
};

/* False: the other side has ended. */
static bool get(int fd, void *bytes, size_t size)
{
    return read_full(fd, bytes, size) == (ssize_t)size;
}

static bool put(int fd, const void *bytes, size_t size)
{
    return write_full(fd, bytes, size) == (ssize_t)size;
}

static long long now_us(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* ---- in a worker ---- */

struct reply {
    struct answer *answer;      /* and behind it, its bytes */
};

int reply_bytes(struct reply *reply, const void *bytes, size_t size)
{
    reply->answer = check_ptr(realloc(reply->answer, sizeof *reply->answer + size));
    *reply->answer = (struct answer){ .size = size };
    if (size > 0)               /* memcpy may not be given NULL, not even for 0 bytes */
        memcpy(reply->answer + 1, bytes, size);
    return 0;
}

int reply_error(struct reply *reply, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reply_bytes(reply, text, strlen(text));
    reply->answer->error = EREMOTEIO;
    return -1;
}

static void send_answer(int fd, const struct answer *answer)
{
    if (!put(fd, answer, sizeof *answer + answer->size))
        _exit(1);               /* the parent has ended */
}

/* Does order after order, until one says: end. */
static void serve(int orders, int answers)
{
    struct reply reply = { NULL };
    struct order order;
    char *items = NULL;
    while (get(orders, &order, sizeof order) && order.function != NULL) {
        items = check_ptr(realloc(items, order.count * order.size + 1));
        if (!get(orders, items, order.count * order.size))
            break;
        long long begin = now_us();
        for (size_t i = 0; i < order.count; i++) {
            if (i > 0 && i % order.chunk == 0 && now_us() - begin > QUICK_US) {
                send_answer(answers, &(struct answer){ .error = GIVES_BACK });
                break;
            }
            reply_bytes(&reply, NULL, 0);
            int code = order.function(items + i * order.size, order.size, &reply);
            if (code != 0 && reply.answer->error == 0)
                reply_error(&reply, "the task returned %d", code);
            send_answer(answers, reply.answer);
        }
    }
    free(items);
    free(reply.answer);
}

/* ---- what the parent knows ---- */

struct async {                  /* a job: one task, or a map of many items */
    struct pool *pool;
    pool_function *function;
    const char *items;          /* COUNT of SIZE bytes */
    size_t count, size, chunk;
    size_t ahead;               /* so many chunks go into one order */
    size_t done, failed;        /* items that have a result; those of them that failed */
    struct result *results;     /* by item. If unordered, as they came: those from TAKEN to ARRIVED */
    size_t room, taken, arrived;            /* wait for async_next; the one that it took is CURRENT */
    struct result current;
    bool unordered, ready, forgotten;
    async_callback *on_result, *on_error;
    void *argument;
    struct async *next;         /* in the list of those whose callback is due */
    char message[];             /* of a single task: a copy */
};

struct range {                  /* the items FIRST to END - 1 of a job */
    struct async *job;
    size_t first, end;
    struct range *next;         /* in the list of work */
};

struct worker {
    pid_t pid;                  /* 0: there is none */
    int to, from;               /* our ends of its pipes: orders go in, answers come out */
    struct range range;         /* what it has not answered of its order. Empty: it waits for one */
};

struct pool {
    int (*initializer)(void *argument);
    void *argument;
    int stop_fd;
    bool closed;
    int broken;                 /* not 0: no work can be done any more, for this reason */
    const char *reason;
    size_t unfinished;          /* jobs that wait for results, or for their callback */
    struct range *work, **work_end;         /* a list, and its end: what no worker has */
    struct async *due;                      /* a list: the jobs whose callback is due */
    struct pollfd *fds;
    int count;
    struct worker workers[];
};

static int refused;             /* why the last call failed, for pool_error() */
static char refusal[1024];

static int refuse(int code, const char *text)
{
    snprintf(refusal, sizeof refusal, "%s", text);
    errno = refused = code;
    return -1;
}

const char *pool_error(void)
{
    return errno == refused ? refusal : strerror(errno);
}

static void break_pool(struct pool *pool, int code, const char *reason)
{
    pool->broken = code;
    pool->reason = reason;
}

/* ---- results and callbacks ---- */

/* The first item of the range has this result. BYTES, from malloc, belong to it. */
static void put_result(struct range *range, int error, char *bytes, size_t size)
{
    struct async *job = range->job;
    size_t place = job->unordered ? job->arrived++ : range->first;
    if (place == job->room) {               /* only if unordered; few places, again and again */
        job->room = 2 * job->room + 8;
        job->results = check_ptr(realloc(job->results, job->room * sizeof *job->results));
    }
    bytes[size] = '\0';
    job->results[place] = (struct result){ range->first++, error, size, bytes };
    job->failed += error != 0;
    if (++job->done == job->count) {
        job->next = job->pool->due;
        job->pool->due = job;
    }
}

static void fail_first(struct range *range, int error, const char *text)
{
    put_result(range, error, check_ptr(strdup(text)), strlen(text));
}

static void free_job(struct async *job)
{
    for (size_t i = job->taken; i < (job->unordered ? job->arrived : job->count); i++)
        free(job->results[i].bytes);
    free(job->current.bytes);
    free(job->results);
    free(job);
}

/* Only when the pool is in order: a callback may give it tasks, wait for others, free its own job. */
static void call_callbacks(struct pool *pool)
{
    while (pool->due != NULL) {
        struct async *job = pool->due;
        bool forgotten = job->forgotten;
        async_callback *callback = job->failed > 0 ? job->on_error : job->on_result;
        pool->due = job->next;
        pool->unfinished--;
        job->ready = true;
        if (callback != NULL)
            callback(job, job->argument);
        if (forgotten)
            free_job(job);
    }
}

/* ---- work ---- */

/* Into the list of work, in front of what LINK points to. */
static void add_work(struct pool *pool, struct range **link, struct range range)
{
    struct range *copy = check_ptr(malloc(sizeof *copy));
    *copy = range;
    copy->next = *link;
    *link = copy;
    if (copy->next == NULL)
        pool->work_end = &copy->next;
}

/* The first range of the list, or NULL. Those that have become empty are dropped. */
static struct range *first_work(struct pool *pool)
{
    struct range *first;
    while ((first = pool->work) != NULL && first->first == first->end) {
        pool->work = first->next;
        if (pool->work == NULL)
            pool->work_end = &pool->work;
        free(first);
    }
    return first;
}

/* What the worker has not begun goes to the front: the next worker that waits gets it. */
static void give_back(struct pool *pool, struct worker *worker)
{
    if (worker->range.first < worker->range.end)
        add_work(pool, &pool->work, worker->range);
    worker->range.first = worker->range.end;
}

/* An order for a worker that waits, from the range FROM: as many chunks as AHEAD says; but towards the
   end of a map fewer and fewer, so that none has many while another has nothing to do. */
static void give_order(struct pool *pool, struct worker *worker, struct range *from)
{
    const struct async *job = from->job;
    size_t left = from->end - from->first;
    size_t share = left / job->chunk / (4 * (size_t)pool->count) + 1;
    size_t count = (job->ahead < share ? job->ahead : share) * job->chunk;
    if (count > left)
        count = left;
    struct order order = { job->function, count, job->size, job->chunk };
    const char *items = job->items + from->first * job->size;
    worker->range = (struct range){ from->job, from->first, from->first + count, NULL };
    from->first += count;
    if (!put(worker->to, &order, sizeof order) || !put(worker->to, items, count * job->size))
        give_back(pool, worker);            /* it has ended, and has not begun this */
}

/* ---- the life of a worker ---- */

static void set_action(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL));
}

static void close_two(int one, int other)
{
    check(close(one));
    check(close(other));
}

/* In the child. Returns its exit status. */
static int be_worker(struct pool *pool, int orders, int answers, const sigset_t *mask)
{
    for (int i = 0; i < pool->count; i++)   /* the parent's ends of its siblings' pipes */
        if (pool->workers[i].pid != 0)
            close_two(pool->workers[i].to, pool->workers[i].from);
    set_action(SIGINT, SIG_IGN);            /* Ctrl-C goes to all; only the parent decides */
    set_action(SIGTERM, SIG_DFL);           /* the parent's handlers are not for us */
    set_action(SIGCHLD, SIG_DFL);
    check(sigprocmask(SIG_SETMASK, mask, NULL));
    if (pool->initializer == NULL || pool->initializer(pool->argument) == 0)
        serve(orders, answers);
    else
        send_answer(answers, &(struct answer){ .error = CANNOT_START });
    return fflush(NULL) == EOF ? 1 : 0;
}

/* Returns 0, or -1 with errno; then all is as before. */
static int start_worker(struct pool *pool, struct worker *self)
{
    int orders[2], answers[2];
    if (pipe2(orders, O_CLOEXEC) == -1)
        return -1;
    if (pipe2(answers, O_CLOEXEC) == -1) {
        close_two(orders[0], orders[1]);
        return -1;
    }
    sigset_t all, before;
    sigfillset(&all);
    check(sigprocmask(SIG_BLOCK, &all, &before));   /* no handler of ours may run in the child */
    pid_t parent = getpid();
    pid_t pid = fflush(NULL) == EOF ? -1 : fork();  /* nothing may be printed twice */
    if (pid == 0) {
        check(end_with_parent(parent));
        close_two(orders[1], answers[0]);
        _exit(be_worker(pool, orders[0], answers[1], &before));
    }
    int error = errno;
    check(sigprocmask(SIG_SETMASK, &before, NULL));
    close_two(orders[0], answers[1]);
    if (pid == -1) {
        close_two(orders[1], answers[0]);
        errno = error;
        return -1;
    }
    *self = (struct worker){ .pid = pid, .to = orders[1], .from = answers[0] };
    return 0;
}

/* A worker has ended, or will at once. The item in its hands fails, the rest goes back. */
static void bury(struct pool *pool, struct worker *worker)
{
    char text[100];
    int status = check(wait_child(worker->pid));
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "the worker was killed by signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "the worker ended with exit status %d", WEXITSTATUS(status));
    close_two(worker->to, worker->from);
    worker->pid = 0;
    if (worker->range.first < worker->range.end)
        fail_first(&worker->range, EOWNERDEAD, text);
    give_back(pool, worker);
}

/* Replaces workers that have ended, and gives orders. In a broken pool, all work fails. */
static void hand_out(struct pool *pool)
{
    struct range *from = first_work(pool);
    int living = 0;
    for (int i = 0; i < pool->count && from != NULL && pool->broken == 0; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->pid == 0 && start_worker(pool, worker) == -1)
            continue;                       /* the others go on; the next turn tries again */
        living++;
        if (worker->range.first == worker->range.end)
            give_order(pool, worker, from);
        from = first_work(pool);
    }
    if (from != NULL && pool->broken == 0 && living == 0)
        break_pool(pool, errno, "no worker can be started");
    for (; from != NULL && pool->broken != 0; from = first_work(pool))
        fail_first(from, pool->broken, pool->reason);
}

/* ---- the parent's turn ---- */

/* Takes in one answer. False: the worker has ended. */
static bool take_in(struct pool *pool, struct worker *worker)
{
    struct range *range = &worker->range;
    struct answer answer;
    if (!get(worker->from, &answer, sizeof answer))
        return false;
    if (answer.error == CANNOT_START) {
        give_back(pool, worker);
        break_pool(pool, ECHILD, "the initializer has failed");
    } else if (answer.error == GIVES_BACK) {
        range->job->ahead = 1;
        give_back(pool, worker);
    } else {
        char *bytes = check_ptr(malloc(answer.size + 1));
        if (!get(worker->from, bytes, answer.size)) {
            free(bytes);
            return false;
        }
        put_result(range, (int)answer.error, bytes, answer.size);
        if (range->first == range->end && range->job->ahead < MOST_AHEAD)
            range->job->ahead *= 2;         /* it was quick */
    }
    return true;
}

/* All that the parent does: waits for an event, at most LIMIT_MS ms, takes answers in, hands out work,
   calls callbacks. Returns 0, or -1: EINTR (told to stop), errno of poll(2). */
static int turn(struct pool *pool, int limit_ms)
{
    for (int i = 0; i < pool->count; i++) {
        const struct worker *worker = &pool->workers[i];
        pool->fds[i] = (struct pollfd){ .fd = worker->pid != 0 ? worker->from : -1, .events = POLLIN };
    }
    pool->fds[pool->count] = (struct pollfd){ .fd = pool->stop_fd, .events = POLLIN };
    if (pool->due != NULL)
        limit_ms = 0;                       /* a callback is due: only look */
    if (poll(pool->fds, (nfds_t)pool->count + 1, limit_ms) == -1 && errno != EINTR)
        return -1;
    bool stop = pool->fds[pool->count].revents != 0;
    for (int i = 0; i < pool->count; i++)
        if (pool->fds[i].revents != 0 && !take_in(pool, &pool->workers[i]))
            bury(pool, &pool->workers[i]);
    hand_out(pool);
    call_callbacks(pool);
    return stop ? refuse(EINTR, "told to stop") : 0;
}

/* ---- the calls of pool.h. From here on there is nothing new ---- */

struct pool *pool_open(int workers, int (*initializer)(void *argument), void *argument)
{
    if (workers < 1) {
        refuse(EINVAL, "number of workers must be at least 1");
        return NULL;
    }
    size_t count = (size_t)workers;
    struct pool *pool = check_ptr(calloc(1, sizeof *pool + count * sizeof pool->workers[0]));
    *pool = (struct pool){ .initializer = initializer, .argument = argument, .stop_fd = -1,
                           .work_end = &pool->work, .count = workers };
    pool->fds = check_ptr(calloc(count + 1, sizeof *pool->fds));
    set_action(SIGPIPE, SIG_IGN);           /* a worker may end while we write to it: EPIPE will do */
    for (int i = 0; i < workers; i++)
        if (start_worker(pool, &pool->workers[i]) == -1) {
            int error = errno;
            pool_free(pool);
            errno = error;
            return NULL;
        }
    return pool;
}

int pool_wait(struct pool *pool, int limit_ms)
{
    return pool->unfinished == 0 ? 0 : turn(pool, limit_ms);
}

void pool_stop_on(struct pool *pool, int fd)
{
    pool->stop_fd = fd;
}

void pool_close(struct pool *pool)
{
    pool->closed = true;
}

int pool_join(struct pool *pool)
{
    const struct order end = { .function = NULL };
    if (!pool->closed)
        return refuse(EINVAL, "Pool is still running");
    while (pool->unfinished > 0)
        if (turn(pool, -1) == -1)
            return -1;
    for (int i = 0; i < pool->count; i++)
        if (pool->workers[i].pid != 0) {
            put(pool->workers[i].to, &end, sizeof end);     /* false: it has ended already */
            bury(pool, &pool->workers[i]);
        }
    return 0;
}

void pool_terminate(struct pool *pool)
{
    pool->closed = true;
    break_pool(pool, ECANCELED, "the pool was terminated");
    for (int i = 0; i < pool->count; i++)
        if (pool->workers[i].pid != 0) {
            check(kill(pool->workers[i].pid, SIGKILL));     /* not reaped yet: the pid is still ours */
            give_back(pool, &pool->workers[i]);
            bury(pool, &pool->workers[i]);
        }
    hand_out(pool);                         /* the pool is broken: all that is left fails */
    call_callbacks(pool);
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pool_terminate(pool);
    free(pool->fds);
    free(pool);
}

/* ---- giving it work ---- */

/* MESSAGE: of a single task, else NULL. */
static struct async *give(struct pool *pool, struct async job, const void *message)
{
    if (pool->closed || pool->broken != 0) {
        refuse(pool->closed ? EINVAL : pool->broken, pool->closed ? "Pool not running" : pool->reason);
        return NULL;
    }
    struct async *self = check_ptr(malloc(sizeof *self + job.size));
    *self = job;
    self->pool = pool;
    self->ahead = 1;
    if (message != NULL)
        self->items = memcpy(self->message, message, job.size);
    else if (job.items == NULL)
        self->items = "";                   /* NULL + 0 is not allowed in C */
    if (job.chunk == 0)
        self->chunk = job.count / (4 * (size_t)pool->count) + 1;
    self->room = job.unordered ? 0 : job.count;
    self->results = check_ptr(calloc(self->room + 1, sizeof *self->results));
    self->ready = job.count == 0;
    if (self->ready)
        return self;
    pool->unfinished++;
    add_work(pool, pool->work_end, (struct range){ .job = self, .end = job.count });
    hand_out(pool);
    return self;
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

struct async *pool_apply_async(struct pool *pool, pool_function *function, const void *message,
                               size_t size)
{
    struct async job = { .function = function, .count = 1, .size = size, .chunk = 1 };
    return give(pool, job, message);
}

struct async *pool_map(struct pool *pool, pool_function *function, const void *items, size_t count,
                       size_t size, size_t chunk)
{
    struct async job = { .function = function, .items = items, .count = count, .size = size,
                         .chunk = chunk };
    return waited(give(pool, job, NULL));
}

struct async *pool_imap_unordered(struct pool *pool, pool_function *function, const void *items,
                                  size_t count, size_t size, size_t chunk)
{
    struct async job = { .function = function, .items = items, .count = count, .size = size,
                         .chunk = chunk, .unordered = true };
    return give(pool, job, NULL);
}

/* ---- a handle ---- */

void async_callbacks(struct async *self, async_callback *on_result, async_callback *on_error,
                     void *argument)
{
    self->on_result = on_result;
    self->on_error = on_error;
    self->argument = argument;
}

int async_wait(struct async *self, int limit_ms)
{
    long long end = now_us() + limit_ms * 1000LL, left = limit_ms;
    while (!self->ready && self->taken == self->arrived) {
        if (limit_ms > 0)
            left = end > now_us() ? (end - now_us()) / 1000 : 0;
        if (turn(self->pool, (int)left) == -1)
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
    if (async_wait(self, limit_ms) == -1)
        return NULL;
    for (size_t i = 0; i < self->count && self->failed > 0; i++)
        if (self->results[i].error != 0) {
            refuse(self->results[i].error, self->results[i].bytes);
            return NULL;
        }
    return self->results;
}

const struct result *async_result(struct async *self, size_t index)
{
    return self->ready && index < self->count ? &self->results[index] : NULL;
}

const struct result *async_next(struct async *self, int limit_ms)
{
    free(self->current.bytes);
    self->current.bytes = NULL;
    if (async_wait(self, limit_ms) == -1)
        return NULL;
    if (self->taken == self->arrived) {
        refuse(ENODATA, "there are no more");
        return NULL;
    }
    self->current = self->results[self->taken++];
    if (self->taken == self->arrived)
        self->taken = self->arrived = 0;
    return &self->current;
}

bool async_cancel(struct async *self)
{
    size_t before = self->done;
    if (!self->ready)
        for (struct range *range = self->pool->work; range != NULL; range = range->next)
            while (range->job == self && range->first < range->end)
                fail_first(range, ECANCELED, "the task was cancelled");
    return self->done - before == self->count;
}

void async_free(struct async *self)
{
    if (self != NULL && self->ready)
        free_job(self);
    else if (self != NULL)
        self->forgotten = true;
}
