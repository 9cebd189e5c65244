/* proxy.c - what clients call: each function puts its arguments into a struct question. call(), in
   connection.c, makes a request of it. */
#include "workbook.h"

#include "proxy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ask(proxy, REQUEST, .field = value ...): the fields are those of struct question. It returns the reply's number. */
#define ask(proxy, ...) ((int)ask_size(proxy, __VA_ARGS__))
#define ask_size(proxy, ...) ((ssize_t)call(proxy, (struct question){ .request = __VA_ARGS__ }, NULL))

/* ---- new objects ---- */

static void *create(struct manager *manager, enum type type, long long number, const void *initial, size_t size)
{
    struct proxy server = { .manager = manager };       /* object 0: the server itself */
    ssize_t object = ask_size(&server, type << 8 | CREATE, .number = number, .value = initial, .size = size);
    return object == -1 ? NULL : new_proxy(manager, (uint32_t)object);
}

struct dict *manager_dict(struct manager *manager) { return create(manager, DICT, 0, NULL, 0); }
struct list *manager_list(struct manager *manager) { return create(manager, LIST, 0, NULL, 0); }
struct namespace *manager_namespace(struct manager *manager) { return create(manager, NAMESPACE, 0, NULL, 0); }

struct value *manager_value(struct manager *manager, const void *initial, size_t size)
{
    return create(manager, VALUE, 1, initial, size);
}

struct array *manager_array(struct manager *manager, const void *initial, size_t size, size_t count)
{
    if (size != 0 && count > MANAGER_LARGEST / size) {
        fail(EMSGSIZE, "Array: longer than MANAGER_LARGEST");
        return NULL;
    }
    return create(manager, ARRAY, (long long)count, initial, size * count);
}

struct lock *manager_lock(struct manager *manager) { return create(manager, LOCK, 0, NULL, 0); }
struct rlock *manager_rlock(struct manager *manager) { return create(manager, RLOCK, 0, NULL, 0); }

struct semaphore *manager_semaphore(struct manager *manager, long value)
{
    return create(manager, SEMAPHORE, value, NULL, 0);
}

struct bounded_semaphore *manager_bounded_semaphore(struct manager *manager, long value)
{
    return create(manager, BOUNDED_SEMAPHORE, value, NULL, 0);
}

struct condition *manager_condition(struct manager *manager, struct lock *lock)
{
    return create(manager, CONDITION, lock == NULL ? 0 : ((struct proxy *)lock)->object, NULL, 0);
}

struct event *manager_event(struct manager *manager) { return create(manager, EVENT, 0, NULL, 0); }

struct barrier *manager_barrier(struct manager *manager, long parties)
{
    return create(manager, BARRIER, parties, NULL, 0);
}

struct shared_queue *manager_queue(struct manager *manager, size_t capacity)
{
    return create(manager, QUEUE, (long long)capacity, NULL, 0);
}

int manager_delete(void *object)
{
    struct proxy *proxy = object;
    if (ask(proxy, DELETE) == -1)
        return -1;
    free_proxy(proxy);
    return 0;
}

void proxy_address(const void *object, char address[PROXY_ADDRESS])
{
    const struct proxy *proxy = object;
    snprintf(address, PROXY_ADDRESS, "%s %u", manager_address(proxy->manager), (unsigned)proxy->object);
}

void *manager_proxy(struct manager *manager, const char *address)
{
    const char *mine = manager_address(manager);
    size_t length = strlen(mine);
    long number = 0;
    if (strncmp(address, mine, length) != 0 || address[length] != ' ' ||
        parse_number(address + length + 1, 1, UINT32_MAX, &number) == -1) {
        fail(EINVAL, "this is not the address of an object of this manager");
        return NULL;
    }
    return new_proxy(manager, (uint32_t)number);
}

/* ---- dict and list ---- */

int dict_set(struct dict *dict, const char *key, const void *value, size_t size)
{
    return ask(dict, DICT_SET, .key = key, .value = value, .size = size);
}

ssize_t dict_get(struct dict *dict, const char *key, void *value, size_t room)
{
    return ask_size(dict, DICT_GET, .key = key, .to = value, .room = room);
}

ssize_t dict_pop(struct dict *dict, const char *key, void *value, size_t room)
{
    return ask_size(dict, DICT_POP, .key = key, .to = value, .room = room);
}

int dict_del(struct dict *dict, const char *key) { return ask(dict, DICT_DEL, .key = key); }
int dict_has(struct dict *dict, const char *key) { return ask(dict, DICT_HAS, .key = key); }
ssize_t dict_len(struct dict *dict) { return ask_size(dict, DICT_LEN); }
int dict_clear(struct dict *dict) { return ask(dict, DICT_CLEAR); }

/* One piece of memory: the array, then each key with its '\0' and each value. */
static ssize_t items(const void *proxy, enum request request, struct item **result)
{
    const unsigned char *bytes;
    long long count = call(proxy, (struct question){ .request = request }, &bytes);
    if (count == -1)
        return -1;
    uint32_t lengths[2];                /* of a key, of its value */
    const size_t aligned = _Alignof(max_align_t);
    const unsigned char *from = bytes;
    size_t size = ((size_t)count + 1) * sizeof **result + aligned;
    for (long long i = 0; i < count; i++, from += sizeof lengths + lengths[0] + lengths[1]) {
        memcpy(lengths, from, sizeof lengths);
        size += lengths[0] + 1 + lengths[1] + 2 * aligned;
    }
    struct item *array = malloc(size);
    if (array == NULL)
        return fail(ENOMEM, "no memory for the copy");
    unsigned char *to = (unsigned char *)(array + count);
    from = bytes;
    for (long long i = 0; i < count; i++) {
        memcpy(lengths, from, sizeof lengths);
        from += sizeof lengths;
        array[i] = (struct item){ .key = request == DICT_ITEMS ? (char *)to : NULL, .size = lengths[1] };
        memcpy(to, from, lengths[0]);
        to[lengths[0]] = '\0';
        to += lengths[0] + 1;
        to += (aligned - (size_t)(to - (unsigned char *)array) % aligned) % aligned;
        array[i].value = memcpy(to, from + lengths[0], lengths[1]);
        to += lengths[1];
        from += lengths[0] + lengths[1];
    }
    *result = array;
    return (ssize_t)count;
}

ssize_t dict_items(struct dict *dict, struct item **result) { return items(dict, DICT_ITEMS, result); }
ssize_t list_items(struct list *list, struct item **result) { return items(list, LIST_ITEMS, result); }

int list_append(struct list *list, const void *value, size_t size)
{
    return ask(list, LIST_APPEND, .value = value, .size = size);
}

int list_insert(struct list *list, long index, const void *value, size_t size)
{
    return ask(list, LIST_INSERT, .number = index, .value = value, .size = size);
}

int list_set(struct list *list, long index, const void *value, size_t size)
{
    return ask(list, LIST_SET, .number = index, .value = value, .size = size);
}

ssize_t list_get(struct list *list, long index, void *value, size_t room)
{
    return ask_size(list, LIST_GET, .number = index, .to = value, .room = room);
}

ssize_t list_pop(struct list *list, long index, void *value, size_t room)
{
    return ask_size(list, LIST_POP, .number = index, .to = value, .room = room);
}

ssize_t list_len(struct list *list) { return ask_size(list, LIST_LEN); }
int list_reverse(struct list *list) { return ask(list, LIST_REVERSE); }
int list_clear(struct list *list) { return ask(list, LIST_CLEAR); }

/* ---- Namespace, Value, Array ---- */

int namespace_set(struct namespace *names, const char *name, const void *value, size_t size)
{
    return ask(names, NAMESPACE_SET, .key = name, .value = value, .size = size);
}

ssize_t namespace_get(struct namespace *names, const char *name, void *value, size_t room)
{
    return ask_size(names, NAMESPACE_GET, .key = name, .to = value, .room = room);
}

int namespace_del(struct namespace *names, const char *name) { return ask(names, NAMESPACE_DEL, .key = name); }

int value_set(struct value *value, const void *from, size_t size)
{
    return ask(value, VALUE_SET, .value = from, .size = size);
}

ssize_t value_get(struct value *value, void *to, size_t room)
{
    return ask_size(value, VALUE_GET, .to = to, .room = room);
}

int array_set(struct array *array, long index, const void *from, size_t size)
{
    return ask(array, ARRAY_SET, .number = index, .value = from, .size = size);
}

ssize_t array_get(struct array *array, long index, void *to, size_t room)
{
    return ask_size(array, ARRAY_GET, .number = index, .to = to, .room = room);
}

ssize_t array_len(struct array *array) { return ask_size(array, ARRAY_LEN); }

ssize_t array_copy(struct array *array, void *to, size_t room)
{
    return ask_size(array, ARRAY_COPY, .to = to, .room = room);
}

/* ---- what one waits for ---- */

int lock_acquire(struct lock *lock, int limit_ms) { return ask(lock, LOCK_ACQUIRE, .limit_ms = limit_ms); }
int lock_release(struct lock *lock) { return ask(lock, LOCK_RELEASE); }
int rlock_acquire(struct rlock *lock, int limit_ms) { return ask(lock, RLOCK_ACQUIRE, .limit_ms = limit_ms); }
int rlock_release(struct rlock *lock) { return ask(lock, RLOCK_RELEASE); }

int semaphore_acquire(struct semaphore *semaphore, int limit_ms)
{
    return ask(semaphore, SEMAPHORE_ACQUIRE, .limit_ms = limit_ms);
}

int semaphore_release(struct semaphore *semaphore, long times)
{
    return ask(semaphore, SEMAPHORE_RELEASE, .number = times);
}

int bounded_semaphore_acquire(struct bounded_semaphore *semaphore, int limit_ms)
{
    return ask(semaphore, BOUNDED_ACQUIRE, .limit_ms = limit_ms);
}

int bounded_semaphore_release(struct bounded_semaphore *semaphore) { return ask(semaphore, BOUNDED_RELEASE); }

int condition_acquire(struct condition *condition, int limit_ms)
{
    return ask(condition, CONDITION_ACQUIRE, .limit_ms = limit_ms);
}

int condition_release(struct condition *condition) { return ask(condition, CONDITION_RELEASE); }

int condition_wait(struct condition *condition, int limit_ms)
{
    return ask(condition, CONDITION_WAIT, .limit_ms = limit_ms);
}

int condition_notify(struct condition *condition, long times)
{
    return ask(condition, CONDITION_NOTIFY, .number = times);
}

int condition_notify_all(struct condition *condition) { return condition_notify(condition, LONG_MAX); }
int event_set(struct event *event) { return ask(event, EVENT_SET); }
int event_clear(struct event *event) { return ask(event, EVENT_CLEAR); }
int event_is_set(struct event *event) { return ask(event, EVENT_IS_SET); }
int event_wait(struct event *event, int limit_ms) { return ask(event, EVENT_WAIT, .limit_ms = limit_ms); }
int barrier_wait(struct barrier *barrier, int limit_ms) { return ask(barrier, BARRIER_WAIT, .limit_ms = limit_ms); }
int barrier_abort(struct barrier *barrier) { return ask(barrier, BARRIER_ABORT); }
int barrier_reset(struct barrier *barrier) { return ask(barrier, BARRIER_RESET); }
int barrier_waiting(struct barrier *barrier) { return ask(barrier, BARRIER_WAITING); }
int barrier_is_broken(struct barrier *barrier) { return ask(barrier, BARRIER_IS_BROKEN); }

int shared_queue_put(struct shared_queue *queue, const void *message, size_t size, int limit_ms)
{
    return ask(queue, QUEUE_PUT, .limit_ms = limit_ms, .value = message, .size = size);
}

ssize_t shared_queue_get(struct shared_queue *queue, void *message, size_t room, int limit_ms)
{
    return ask_size(queue, QUEUE_GET, .limit_ms = limit_ms, .to = message, .room = room);
}

ssize_t shared_queue_size(struct shared_queue *queue) { return ask_size(queue, QUEUE_SIZE); }
int shared_queue_close(struct shared_queue *queue) { return ask(queue, QUEUE_CLOSE); }
int shared_queue_task_done(struct shared_queue *queue) { return ask(queue, QUEUE_TASK_DONE); }

int shared_queue_join(struct shared_queue *queue, int limit_ms)
{
    return ask(queue, QUEUE_JOIN, .limit_ms = limit_ms);
}
