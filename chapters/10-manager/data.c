/* data.c - in the server: list, Value, Array; dict.c has the rest of the data. Nobody waits here, and there is no lock:
   one process does one request after the other. That is why each request is one step for its clients. */
#include "workbook.h"

#include "data.h"

#include "dict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bytes *bytes_of(const unsigned char *data, size_t size)
{
    struct bytes *bytes = malloc(sizeof *bytes + size);
    if (bytes == NULL)
        return NULL;
    bytes->next = NULL;
    bytes->size = size;
    if (size > 0)
        memcpy(bytes->data, data, size);
    return bytes;
}

struct object *answer_bytes(struct client *client, const unsigned char *data, size_t size)
{
    if (size > head_of(client).room)
        return refuse(client, EMSGSIZE, "the value is longer than the room for it");
    void *to = start_answer(client, (long long)size, size);
    if (to != NULL && size > 0)
        memcpy(to, data, size);
    return NULL;
}

size_t item_size(size_t key_size, size_t size)
{
    return 2 * sizeof(uint32_t) + key_size + size;
}

unsigned char *write_item(unsigned char *to, const void *key, size_t key_size, const struct bytes *value)
{
    uint32_t lengths[2] = { (uint32_t)key_size, (uint32_t)value->size };
    memcpy(to, lengths, sizeof lengths);
    if (key_size > 0)
        memcpy(to + sizeof lengths, key, key_size);
    memcpy(to + sizeof lengths + key_size, value->data, value->size);
    return to + item_size(key_size, value->size);
}

/* ---- list ---- */

/* Where INDEX is, or -1. A negative one counts from the end, as in Python. */
static long place_of(long long index, size_t count)
{
    if (index < 0)
        index += (long long)count;
    return index >= 0 && index < (long long)count ? (long)index : -1;
}

/* Where to insert before INDEX: as in Python, one that is too far means the beginning or the end. */
static size_t place_before(long long index, size_t count)
{
    if (index < 0)
        index += (long long)count;
    return index < 0 ? 0 : index > (long long)count ? count : (size_t)index;
}

static void clear_list(struct object *list)
{
    while (list->as.list.count > 0)
        free(list->as.list.items[--list->as.list.count]);
}

static struct object *list_copy(struct client *client, const struct object *list)
{
    size_t size = 0;
    for (size_t i = 0; i < list->as.list.count; i++)
        size += item_size(0, list->as.list.items[i]->size);
    unsigned char *to = start_answer(client, (long long)list->as.list.count, size);
    for (size_t i = 0; to != NULL && i < list->as.list.count; i++)
        to = write_item(to, NULL, 0, list->as.list.items[i]);
    return NULL;
}

static struct object *insert(struct client *client, struct object *list, size_t place)
{
    size_t size, count = list->as.list.count;
    const unsigned char *value = value_of(client, &size);
    struct bytes *bytes = bytes_of(value, size);
    if (bytes == NULL || !grow(&list->as.list.items, &list->as.list.room, count + 1, sizeof bytes)) {
        free(bytes);
        return no_memory(client);
    }
    memmove(&list->as.list.items[place + 1], &list->as.list.items[place], (count - place) * sizeof bytes);
    list->as.list.items[place] = bytes;
    list->as.list.count++;
    return answer(client, 0);
}

static struct object *serve_list(struct client *client, struct object *list)
{
    struct request_head head = head_of(client);
    struct bytes **items = list->as.list.items;
    size_t count = list->as.list.count, size;
    switch (head.request) {
    case LIST_APPEND:
        return insert(client, list, count);
    case LIST_INSERT:
        return insert(client, list, place_before(head.number, count));
    case LIST_LEN:
        return answer(client, (long long)count);
    case LIST_ITEMS:
        return list_copy(client, list);
    case LIST_REVERSE:
        for (size_t i = 0; i < count / 2; i++) {
            struct bytes *other = items[i];
            items[i] = items[count - 1 - i];
            items[count - 1 - i] = other;
        }
        return answer(client, 0);
    case LIST_CLEAR:
        clear_list(list);
        return answer(client, 0);
    }

    long place = place_of(head.number, count);
    if (place == -1)
        return refuse(client, ERANGE, "list: there is no such index");
    struct bytes *item = items[place];
    if (head.request == LIST_SET) {
        const unsigned char *value = value_of(client, &size);
        struct bytes *bytes = bytes_of(value, size);
        if (bytes == NULL)
            return no_memory(client);
        items[place] = bytes;
        free(item);
        return answer(client, 0);
    }
    answer_bytes(client, item->data, item->size);
    if (head.request == LIST_POP && !was_refused(client)) {
        memmove(&items[place], &items[place + 1], (count - 1 - (size_t)place) * sizeof *items);
        list->as.list.count--;
        free(item);
    }
    return NULL;
}

/* ---- Value and Array: SIZE bytes, COUNT times ---- */

static struct object *serve_array(struct client *client, struct object *array)
{
    struct request_head head = head_of(client);
    size_t size, width = array->as.array.size;
    const unsigned char *value = value_of(client, &size);
    if (head.request == ARRAY_LEN)
        return answer(client, (long long)array->as.array.count);
    if (head.request == ARRAY_COPY)
        return answer_bytes(client, array->as.array.bytes, width * array->as.array.count);

    long place = array->type == VALUE ? 0 : place_of(head.number, array->as.array.count);
    if (place == -1)
        return refuse(client, ERANGE, "Array: there is no such index");
    unsigned char *thing = array->as.array.bytes + (size_t)place * width;
    if (head.request == VALUE_GET || head.request == ARRAY_GET)
        return answer_bytes(client, thing, width);
    if (size != width)
        return refuse(client, EINVAL, "Value, Array: this is not the size of its things");
    memcpy(thing, value, size);
    return answer(client, 0);
}

/* ---- all of them ---- */

int create_data(struct object *object, const struct client *client)
{
    size_t size;
    const unsigned char *initial = value_of(client, &size);
    if (object->type != VALUE && object->type != ARRAY)
        return 0;                       /* a dict or list is empty: all zeros */
    long long count = object->type == VALUE ? 1 : head_of(client).number;
    if (count < 1 || size == 0 || size % (unsigned long long)count != 0)
        return EINVAL;
    object->as.array.bytes = malloc(size);
    if (object->as.array.bytes == NULL)
        return ENOMEM;
    memcpy(object->as.array.bytes, initial, size);
    object->as.array.size = size / (size_t)count;
    object->as.array.count = (size_t)count;
    return 0;
}

void free_data(struct object *object)
{
    if (object->type == DICT || object->type == NAMESPACE) {
        clear_dict(object);
        free(object->as.dict.buckets);
    } else if (object->type == LIST) {
        clear_list(object);
        free(object->as.list.items);
    } else {
        free(object->as.array.bytes);
    }
}

struct object *serve_data(struct client *client, struct object *object)
{
    if (object->type == DICT || object->type == NAMESPACE)
        return serve_dict(client, object);
    return object->type == LIST ? serve_list(client, object) : serve_array(client, object);
}
