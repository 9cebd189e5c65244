/* objects.c - in the server: the table of objects, who waits for which, and which handler a request is for. */
#include "workbook.h"

#include "objects.h"

#include "data.h"
#include "waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct {
    struct object **objects;    /* those that are there; in the order of their numbers, as they were made */
    size_t count, room;
    uint32_t last_number;
    struct object *changed;     /* whose waiting clients must be tried again */
} table;

/* ---- objects ---- */

/* Where the object NUMBER is, or would be: each look halves the rest. */
static size_t place_of(uint32_t number)
{
    size_t low = 0, high = table.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table.objects[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct object *find_object(uint32_t number)
{
    size_t place = place_of(number);
    return place < table.count && table.objects[place]->number == number ? table.objects[place] : NULL;
}

struct object *add_object(enum type type)
{
    struct object *object = calloc(1, sizeof *object);
    if (object == NULL || table.last_number == UINT32_MAX ||
        !grow(&table.objects, &table.room, table.count + 1, sizeof object)) {
        free(object);
        return NULL;
    }
    object->type = type;
    object->number = ++table.last_number;       /* never given again: an old proxy gets ESRCH, not another object */
    table.objects[table.count++] = object;
    return object;
}

bool delete_object(struct object *object)
{
    if ((object->type == LOCK || object->type == RLOCK) && object->as.lock.conditions > 0)
        return false;
    while (object->waiting != NULL) {
        struct client *client = object->waiting;
        object->waiting = client->next_waiting;
        refuse(client, ESRCH, "the object was deleted");
        finish(client);
    }
    if (object->type >= LOCK)
        free_waiting(object);
    else
        free_data(object);
    size_t place = place_of(object->number);
    memmove(&table.objects[place], &table.objects[place + 1], (--table.count - place) * sizeof object);
    free(object);
    return true;
}

/* ---- who waits ---- */

void touch(struct object *object)
{
    if (object->changed || object->waiting == NULL)
        return;
    object->changed = true;
    object->next_changed = table.changed;
    table.changed = object;
}

void wait_for(struct client *client, struct object *object, long long end_ms)
{
    struct client **link = &object->waiting;    /* where the pointer to a client is: the first one is no special case */
    while (*link != NULL)
        link = &(*link)->next_waiting;
    *link = client;
    client->next_waiting = NULL;
    client->waits_for = object;
    client->end_ms = end_ms;
}

void settle(void)
{
    while (table.changed != NULL) {
        struct object *object = table.changed;
        table.changed = object->next_changed;
        object->changed = false;
        for (struct client **link = &object->waiting, *client; (client = *link) != NULL; ) {
            struct object *waits_for = serve_waiting(client, find_object(head_of(client).object));
            if (waits_for == object) {
                link = &client->next_waiting;
                continue;
            }
            *link = client->next_waiting;
            if (waits_for == NULL)
                finish(client);
            else
                wait_for(client, waits_for, client->end_ms);
        }
    }
}

void is_late(struct client *client, int error)
{
    client->late = error;
    client->end_ms = NEVER;
    stops_waiting(client, client->waits_for);
    touch(client->waits_for);
}

void stop_waiting(struct client *client)
{
    struct object *object = client->waits_for;
    if (object == NULL)
        return;
    struct client **link = &object->waiting;
    while (*link != client)
        link = &(*link)->next_waiting;
    *link = client->next_waiting;
    client->waits_for = NULL;
    stops_waiting(client, object);
}

void release_everything(const struct client *client)
{
    for (size_t i = 0; i < table.count; i++)
        if (table.objects[i]->type >= LOCK)
            release_all(table.objects[i], client);
}

/* ---- which handler ---- */

static struct object *create(struct client *client, enum type type)
{
    struct object *object = add_object(type);
    int error = object == NULL ? ENOMEM : type >= LOCK ? create_waiting(object, client) : create_data(object, client);
    if (error == 0)
        return answer(client, object->number);
    if (object != NULL)
        delete_object(object);
    return error == ENOMEM ? no_memory(client) : refuse(client, error, "such an object cannot be made");
}

/* The last request of each type. */
static const unsigned last_request[TYPES] = {
    [DICT] = DICT_ITEMS, [LIST] = LIST_ITEMS, [NAMESPACE] = NAMESPACE_DEL, [VALUE] = VALUE_GET,
    [ARRAY] = ARRAY_COPY, [LOCK] = LOCK_RELEASE, [RLOCK] = RLOCK_RELEASE, [SEMAPHORE] = SEMAPHORE_RELEASE,
    [BOUNDED_SEMAPHORE] = BOUNDED_RELEASE, [CONDITION] = CONDITION_NOTIFY, [EVENT] = EVENT_WAIT,
    [BARRIER] = BARRIER_IS_BROKEN, [QUEUE] = QUEUE_JOIN,
};

struct object *serve_request(struct client *client)
{
    struct request_head head = head_of(client);
    unsigned type = head.request >> 8, which = head.request & 255;
    if (head.request != DELETE && (type == 0 || type >= TYPES || head.request > last_request[type]))
        return refuse(client, EINVAL, "there is no such request");
    if (which == CREATE)
        return create(client, type);
    struct object *object = find_object(head.object);
    if (object == NULL)
        return refuse(client, ESRCH, "the object was deleted");
    if (head.request == DELETE)
        return delete_object(object) ? answer(client, 0) : refuse(client, EBUSY, "the lock of a condition");
    if (object->type != type)
        return refuse(client, EINVAL, "the object is of another type");
    return object->type >= LOCK ? serve_waiting(client, object) : serve_data(client, object);
}

