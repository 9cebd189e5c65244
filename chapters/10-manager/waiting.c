/* waiting.c - in the server: what clients wait for. To wait is to have no reply yet. A handler is called when
   the request comes, and again after each change of the object that it has returned, until it has answered
   or refused. In between, the server serves others. First come, first served: settle() tries in that order. */
#include "workbook.h"

#include "waiting.h"

#include "data.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lock and RLock ---- */

/* Takes the lock, DEPTH times, if it is free or the client's own RLock. */
static bool take(struct client *client, struct object *lock, long depth)
{
    if (lock->as.lock.depth > 0 && !(lock->type == RLOCK && lock->as.lock.owner == client))
        return false;
    lock->as.lock.owner = client;
    lock->as.lock.depth += depth;
    return true;
}

static void give(struct object *lock)
{
    lock->as.lock.owner = NULL;
    lock->as.lock.depth = 0;
    touch(lock);
}

/* You have it; and 1: the last owner ended without a release. That is told once. */
static struct object *has_it(struct client *client, bool *orphaned)
{
    bool told = *orphaned;
    *orphaned = false;
    return answer(client, told);
}

static struct object *acquire(struct client *client, struct object *lock)
{
    return take(client, lock, 1) ? has_it(client, &lock->as.lock.orphaned) : lock;
}

static struct object *release(struct client *client, struct object *lock)
{
    if (lock->as.lock.depth == 0)
        return refuse(client, EINVAL, "it is released, and was not acquired");
    if (lock->as.lock.owner != client)
        return refuse(client, EPERM, "it is not yours: another one has it");
    if (--lock->as.lock.depth == 0)
        give(lock);
    return answer(client, 0);
}

/* ---- Condition ---- */

enum { NEW, WAITS_FOR_NOTIFY, WAITS_FOR_LOCK };     /* stages of CONDITION_WAIT */

static struct object *wait_for_notify(struct client *client, struct object *condition)
{
    if (client->stage == NEW) {
        client->depth = client->lock->as.lock.depth;
        client->stage = WAITS_FOR_NOTIFY;
        give(client->lock);
    }
    if (client->stage == WAITS_FOR_NOTIFY && client->late == 0)
        return condition;               /* CONDITION_NOTIFY brings it to the next stage */
    client->stage = WAITS_FOR_LOCK;
    client->end_ms = NEVER;             /* whatever has happened: wait returns with the lock */
    if (!take(client, client->lock, client->depth))
        return client->lock;
    if (client->late != 0)
        return refuse(client, client->late, "Condition: no notify came in time");
    return has_it(client, &client->lock->as.lock.orphaned);
}

static void notify(struct object *condition, long long times)
{
    for (struct client *client = condition->waiting; client != NULL && times > 0; client = client->next_waiting)
        if (client->stage == WAITS_FOR_NOTIFY) {
            client->stage = WAITS_FOR_LOCK;
            times--;
            touch(condition);
        }
}

static struct object *serve_condition(struct client *client, struct object *condition)
{
    struct request_head head = head_of(client);
    if (client->lock == NULL)
        client->lock = condition->as.condition.lock;
    struct object *lock = client->lock;
    if (head.request == CONDITION_ACQUIRE)
        return acquire(client, lock);
    if (client->stage == NEW && lock->as.lock.owner != client)
        return refuse(client, EPERM, "Condition: you do not have its lock");
    if (head.request == CONDITION_RELEASE)
        return release(client, lock);
    if (head.request == CONDITION_WAIT)
        return wait_for_notify(client, condition);
    notify(condition, head.number);
    return answer(client, 0);
}

/* ---- Semaphore and BoundedSemaphore. For the bounded one: OWNERS, one for each acquire ---- */

static struct object *serve_semaphore(struct client *client, struct object *semaphore)
{
    struct request_head head = head_of(client);
    long *value = &semaphore->as.semaphore.value;
    if (head.request == SEMAPHORE_RELEASE && (head.number < 1 || head.number > LONG_MAX - *value))
        return refuse(client, EINVAL, "Semaphore: a release is 1 or more times");
    if (head.request == SEMAPHORE_RELEASE) {
        *value += (long)head.number;
        touch(semaphore);
        return answer(client, 0);
    }
    if (*value == 0)
        return semaphore;
    *value -= 1;
    return answer(client, 0);
}

static struct object *serve_bounded(struct client *client, struct object *semaphore)
{
    struct client **owners = semaphore->as.semaphore.owners;
    long taken = semaphore->as.semaphore.first - semaphore->as.semaphore.value;
    if (head_of(client).request == BOUNDED_ACQUIRE) {
        if (semaphore->as.semaphore.value == 0)
            return semaphore;
        if (!grow(&semaphore->as.semaphore.owners, &semaphore->as.semaphore.room, (size_t)taken + 1, sizeof client))
            return no_memory(client);
        semaphore->as.semaphore.value--;
        semaphore->as.semaphore.owners[taken] = client;
        return has_it(client, &semaphore->as.semaphore.orphaned);
    }
    if (taken == 0)
        return refuse(client, EINVAL, "BoundedSemaphore: released more often than acquired");
    long mine = taken - 1;              /* one's own; or, as Python allows it, another one's */
    while (mine > 0 && owners[mine] != client)
        mine--;
    owners[mine] = owners[taken - 1];
    semaphore->as.semaphore.value++;
    touch(semaphore);
    return answer(client, 0);
}

/* ---- Event ---- */

static struct object *serve_event(struct client *client, struct object *event)
{
    unsigned request = head_of(client).request;
    if (request == EVENT_IS_SET)
        return answer(client, event->as.event);
    if (request == EVENT_WAIT && !event->as.event)
        return event;
    if (request != EVENT_WAIT) {
        event->as.event = request == EVENT_SET;
        touch(event);
    }
    return answer(client, 0);
}

/* ---- Barrier ---- */

static void send_away(struct object *barrier, int error)
{
    for (struct client *client = barrier->waiting; client != NULL; client = client->next_waiting)
        if (client->late == 0)
            client->late = error;
    barrier->as.barrier.arrived = 0;
    touch(barrier);
}

static struct object *serve_barrier(struct client *client, struct object *barrier)
{
    unsigned request = head_of(client).request;
    if (request == BARRIER_WAITING)
        return answer(client, barrier->as.barrier.arrived);
    if (request == BARRIER_IS_BROKEN)
        return answer(client, barrier->as.barrier.broken);
    if (request != BARRIER_WAIT) {
        barrier->as.barrier.broken = request == BARRIER_ABORT;
        send_away(barrier, EPIPE);
        return answer(client, 0);
    }
    if (client->stage == 0) {
        if (barrier->as.barrier.broken)
            return refuse(client, EPIPE, "Barrier: it is broken");
        client->stage = 1;
        client->round = barrier->as.barrier.round;
        client->place = barrier->as.barrier.arrived++;
        if (barrier->as.barrier.arrived == barrier->as.barrier.parties) {
            barrier->as.barrier.arrived = 0;
            barrier->as.barrier.round++;
            touch(barrier);
        }
    }
    return client->round != barrier->as.barrier.round ? answer(client, client->place) : barrier;
}

/* ---- Queue ---- */

static struct object *put(struct client *client, struct object *queue)
{
    size_t size;
    const unsigned char *value = value_of(client, &size);
    if (queue->as.queue.closed)
        return refuse(client, EPIPE, "Queue: it is closed");
    if (queue->as.queue.capacity > 0 && queue->as.queue.count >= queue->as.queue.capacity)
        return queue;
    struct bytes *message = bytes_of(value, size);
    if (message == NULL)
        return no_memory(client);
    *(queue->as.queue.first == NULL ? &queue->as.queue.first : &queue->as.queue.last->next) = message;
    queue->as.queue.last = message;
    queue->as.queue.count++;
    queue->as.queue.unfinished++;
    touch(queue);
    return answer(client, 0);
}

static struct object *get(struct client *client, struct object *queue)
{
    struct bytes *message = queue->as.queue.first;
    if (message == NULL && queue->as.queue.closed)
        return refuse(client, EPIPE, "Queue: it is closed, and empty");
    if (message == NULL)
        return queue;
    if (message->size > head_of(client).room)
        return refuse(client, EMSGSIZE, "Queue: the message is longer than the room for it");
    void *to = start_answer(client, (long long)message->size, message->size);
    if (to == NULL)
        return NULL;
    memcpy(to, message->data, message->size);
    queue->as.queue.first = message->next;
    queue->as.queue.count--;
    free(message);
    touch(queue);
    return NULL;
}

static struct object *serve_queue(struct client *client, struct object *queue)
{
    switch (head_of(client).request) {
    case QUEUE_PUT:
        return put(client, queue);
    case QUEUE_GET:
        return get(client, queue);
    case QUEUE_SIZE:
        return answer(client, (long long)queue->as.queue.count);
    case QUEUE_JOIN:
        return queue->as.queue.unfinished > 0 ? queue : answer(client, 0);
    case QUEUE_CLOSE:
        queue->as.queue.closed = true;
        break;
    case QUEUE_TASK_DONE:
        if (queue->as.queue.unfinished == 0)
            return refuse(client, EINVAL, "Queue: task_done more often than put");
        queue->as.queue.unfinished--;
        break;
    }
    touch(queue);
    return answer(client, 0);
}

/* ---- all of them ---- */

int create_waiting(struct object *object, const struct client *client)
{
    long long number = head_of(client).number;
    if (number < 0 || number > LONG_MAX)
        return EINVAL;
    switch (object->type) {
    case SEMAPHORE:
    case BOUNDED_SEMAPHORE:
        object->as.semaphore.first = object->as.semaphore.value = (long)number;
        return 0;
    case BARRIER:
        object->as.barrier.parties = (long)number;
        return number > 0 ? 0 : EINVAL;
    case QUEUE:
        object->as.queue.capacity = (size_t)number;
        return 0;
    case CONDITION:
        object->as.condition.own = number == 0;
        object->as.condition.lock = number == 0 ? add_object(RLOCK)
                                    : number <= UINT32_MAX ? find_object((uint32_t)number) : NULL;
        if (object->as.condition.lock == NULL)
            return number == 0 ? ENOMEM : ESRCH;
        if (object->as.condition.lock->type != RLOCK && object->as.condition.lock->type != LOCK) {
            object->as.condition.lock = NULL;
            return EINVAL;
        }
        object->as.condition.lock->as.lock.conditions++;
        return 0;
    default:
        return 0;
    }
}

void free_waiting(struct object *object)
{
    if (object->type == BOUNDED_SEMAPHORE)
        free(object->as.semaphore.owners);
    struct object *lock = object->type == CONDITION ? object->as.condition.lock : NULL;
    if (lock != NULL)
        lock->as.lock.conditions--;
    if (lock != NULL && object->as.condition.own)
        delete_object(lock);
    while (object->type == QUEUE && object->as.queue.first != NULL) {
        struct bytes *message = object->as.queue.first;
        object->as.queue.first = message->next;
        free(message);
    }
}

void release_all(struct object *object, const struct client *client)
{
    if ((object->type == LOCK || object->type == RLOCK) && object->as.lock.owner == client) {
        object->as.lock.orphaned = true;
        give(object);
    }
    long taken = object->type == BOUNDED_SEMAPHORE ? object->as.semaphore.first - object->as.semaphore.value : 0;
    for (long i = taken; i-- > 0; )
        if (object->as.semaphore.owners[i] == client) {
            object->as.semaphore.owners[i] = object->as.semaphore.owners[--taken];
            object->as.semaphore.value++;
            object->as.semaphore.orphaned = true;
            touch(object);
        }
}

void stops_waiting(struct client *client, struct object *object)
{
    if (object->type == BARRIER) {
        object->as.barrier.broken = true;
        send_away(object, EPIPE);
    }
    struct object *condition = find_object(head_of(client).object);
    if (condition != NULL && condition->type == CONDITION && client->stage == WAITS_FOR_LOCK && client->late == 0)
        notify(condition, 1);           /* its notify goes to the next one */
}

struct object *serve_waiting(struct client *client, struct object *object)
{
    enum type type = head_of(client).request >> 8;
    if (client->late != 0 && !(type == CONDITION && client->stage != NEW))
        return refuse(client, client->late, client->late == EPIPE ? "Barrier: it is broken" : "not in time");
    switch (type) {
    case LOCK:
    case RLOCK:
        return head_of(client).request == LOCK_ACQUIRE || head_of(client).request == RLOCK_ACQUIRE
               ? acquire(client, object) : release(client, object);
    case SEMAPHORE:
        return serve_semaphore(client, object);
    case BOUNDED_SEMAPHORE:
        return serve_bounded(client, object);
    case CONDITION:
        return serve_condition(client, object);
    case EVENT:
        return serve_event(client, object);
    case BARRIER:
        return serve_barrier(client, object);
    default:
        return serve_queue(client, object);
    }
}
