/* worker.c - one worker: what it does, and how the parent starts it, talks with it, ends it. It grows
   out of pool_step3.c and pool_step4.c. New: messages of any length. Three rules:

   1. A worker gets an order only when all of the last one is answered, and reads the whole order before
      it begins. So the parent may wait until the order is written: no deadlock.
   2. A worker sends its answer to one item before it begins the next one. So when it is killed, the
      first item without an answer was in its hands, and those after it were not begun.
   3. The first chunk of an order is the worker's. Each other one belongs to the first who takes it: the
      worker, or the parent, for another worker. So no chunk waits behind a slow one. */
#include "workbook.h"

#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* False: the other side has ended. */
static bool get(int fd, void *bytes, size_t size)
{
    return read_full(fd, bytes, size) == (ssize_t)size;
}

static bool put(int fd, const void *bytes, size_t size)
{
    return write_full(fd, bytes, size) == (ssize_t)size;
}

/* ---- in the worker ---- */

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

/* Takes the next chunk, if it is still there. Returns its number of items, or 0. Each moment is safe for
   a kill: one atomic step, and no lock. */
static size_t take_chunk(atomic_size_t *open, size_t chunk)
{
    size_t left = atomic_load(open), count;
    do
        count = left < chunk ? left : chunk;
    while (!atomic_compare_exchange_weak(open, &left, left - count));   /* fails: LEFT is new */
    return count;
}

/* Does order after order, until one says: end. */
static void serve(int orders, int answers, atomic_size_t *open)
{
    struct reply reply = { NULL };
    struct order order;
    char *items = NULL;
    while (get(orders, &order, sizeof order) && order.function != NULL) {
        items = check_ptr(realloc(items, order.count * order.size + 1));   /* never 0 */
        if (!get(orders, items, order.count * order.size))
            break;
        size_t end = order.count < order.chunk ? order.count : order.chunk;
        for (size_t i = 0; i < end; i++) {
            reply_bytes(&reply, NULL, 0);       /* what goes back if the task replies nothing */
            int code = order.function(items + i * order.size, order.size, &reply);
            if (code != 0 && reply.answer->error == 0)
                reply_error(&reply, "the task returned %d", code);
            if (i + 1 == end)   /* before the answer: after it, OPEN may be about the next order */
                end += take_chunk(open, order.chunk);
            send_answer(answers, reply.answer);
        }
    }
    free(items);
    free(reply.answer);
}

/* ---- its life ---- */

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

int worker_start(struct worker *self, const struct worker *workers, int count,
                 int (*initializer)(void *argument), void *argument)
{
    int orders[2], answers[2];
    set_action(SIGPIPE, SIG_IGN);       /* a worker may end while we write to it: EPIPE is enough */
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
        for (int i = 0; i < count; i++)             /* the parent's ends of its siblings' pipes */
            if (workers[i].pid != 0)
                close_two(workers[i].to, workers[i].from);
        set_action(SIGINT, SIG_IGN);                /* Ctrl-C goes to all; only the parent decides */
        set_action(SIGTERM, SIG_DFL);               /* the parent's handlers are not for us */
        set_action(SIGCHLD, SIG_DFL);
        check(sigprocmask(SIG_SETMASK, &before, NULL));
        if (initializer == NULL || initializer(argument) == 0)
            serve(orders[0], answers[1], self->open);
        else
            send_answer(answers[1], &(struct answer){ .error = CANNOT_START });
        _exit(fflush(NULL) == EOF ? 1 : 0);
    }
    int error = errno;
    check(sigprocmask(SIG_SETMASK, &before, NULL));
    close_two(orders[0], answers[1]);
    if (pid == -1) {
        close_two(orders[1], answers[0]);
        errno = error;
        return -1;
    }
    self->pid = pid;
    self->to = orders[1];
    self->from = answers[0];
    return 0;
}

int worker_end(struct worker *self)
{
    int status = check(wait_child(self->pid));
    close_two(self->to, self->from);
    self->pid = 0;
    return status;
}

/* ---- the parent's side of its pipes ---- */

void worker_send(struct worker *self, const struct order *order, const char *items)
{
    atomic_store(self->open, order->count > order->chunk ? order->count - order->chunk : 0);
    self->sent = put(self->to, order, sizeof *order) && put(self->to, items, order->count * order->size);
}

size_t worker_take_back(struct worker *self)
{
    size_t count = atomic_exchange(self->open, 0);
    self->end -= count;
    return count;
}

char *worker_hear(struct worker *self, struct answer *answer)
{
    if (!get(self->from, answer, sizeof *answer))
        return NULL;
    char *bytes = check_ptr(malloc(answer->size + 1));
    if (get(self->from, bytes, answer->size))
        return bytes;
    free(bytes);
    return NULL;
}
