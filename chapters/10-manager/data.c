/* data.c - in the server: dict, list, Namespace, Value, Array. Nobody waits here, and there is no lock: one
   process does one request after the other. That is why each request is one step for its clients. */
#include "workbook.h"

#include "data.h"

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

static struct object *answer_bytes(struct client *client, const unsigned char *data, size_t size)
{
    if (size > head_of(client).room)
        return refuse(client, EMSGSIZE, "the value is longer than the room for it");
    void *to = start_answer(client, (long long)size, size);
    if (to != NULL && size > 0)
        memcpy(to, data, size);
    return NULL;
}

/* ---- items: a whole dict or list as bytes. For each: two lengths, the key, the value ---- */

static size_t item_size(size_t key_size, size_t size)
{
    return 2 * sizeof(uint32_t) + key_size + size;
}

static unsigned char *write_item(unsigned char *to, const void *key, size_t key_size, const struct bytes *value)
{
    uint32_t lengths[2] = { (uint32_t)key_size, (uint32_t)value->size };
    memcpy(to, lengths, sizeof lengths);
    if (key_size > 0)
        memcpy(to + sizeof lengths, key, key_size);
    memcpy(to + sizeof lengths + key_size, value->data, value->size);
    return to + item_size(key_size, value->size);
}

/* ---- dict ---- */

/* Buckets of a hash table; and a list through all, in the order in which the keys were first set. */
struct entry {
    struct entry *chain, *before, *after;
    struct bytes *value;
    size_t hash, key_size;
    unsigned char key[];
};

static size_t hash_of(const unsigned char *key, size_t size)
{
    size_t hash = 14695981039346656037u;        /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ key[i]) * 1099511628211u;
    return hash;
}

/* Where the pointer to the entry is, or to NULL where it would be. There must be buckets. */
static struct entry **find_entry(struct object *dict, const unsigned char *key, size_t size, size_t hash)
{
    struct entry **link = &dict->as.dict.buckets[hash % dict->as.dict.room];
    while (*link != NULL && ((*link)->hash != hash || (*link)->key_size != size ||
                             memcmp((*link)->key, key, size) != 0))
        link = &(*link)->chain;
    return link;
}

/* More buckets, so that the chains stay short. */
static bool widen(struct object *dict)
{
    size_t room = dict->as.dict.room * 2 + 8;
    struct entry **buckets = calloc(room, sizeof *buckets);
    if (buckets == NULL)
        return false;
    for (struct entry *entry = dict->as.dict.first; entry != NULL; entry = entry->after) {
        entry->chain = buckets[entry->hash % room];
        buckets[entry->hash % room] = entry;
    }
    free(dict->as.dict.buckets);
    dict->as.dict.buckets = buckets;
    dict->as.dict.room = room;
    return true;
}

static void remove_entry(struct object *dict, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->chain;
    *(entry->before != NULL ? &entry->before->after : &dict->as.dict.first) = entry->after;
    *(entry->after != NULL ? &entry->after->before : &dict->as.dict.last) = entry->before;
    dict->as.dict.count--;
    free(entry->value);
    free(entry);
}

static void clear_dict(struct object *dict)
{
    while (dict->as.dict.first != NULL) {
        struct entry *entry = dict->as.dict.first;
        remove_entry(dict, find_entry(dict, entry->key, entry->key_size, entry->hash));
    }
}

/* All memory first; what can fail comes before what changes. */
static bool set_entry(struct object *dict, const unsigned char *key, size_t key_size, size_t hash,
                      struct bytes *value)
{
    if (dict->as.dict.count >= dict->as.dict.room && !widen(dict))
        return false;
    struct entry **link = find_entry(dict, key, key_size, hash), *entry = *link;
    if (entry == NULL) {
        entry = malloc(sizeof *entry + key_size);
        if (entry == NULL)
            return false;
        *entry = (struct entry){ .hash = hash, .key_size = key_size, .before = dict->as.dict.last };
        memcpy(entry->key, key, key_size);
        *(dict->as.dict.last != NULL ? &dict->as.dict.last->after : &dict->as.dict.first) = entry;
        dict->as.dict.last = *link = entry;
        dict->as.dict.count++;
    }
    free(entry->value);
    entry->value = value;
    return true;
}

static struct object *dict_copy(struct client *client, const struct object *dict)
{
    size_t size = 0;
    for (struct entry *entry = dict->as.dict.first; entry != NULL; entry = entry->after)
        size += item_size(entry->key_size, entry->value->size);
    unsigned char *to = start_answer(client, (long long)dict->as.dict.count, size);
    for (struct entry *entry = dict->as.dict.first; to != NULL && entry != NULL; entry = entry->after)
        to = write_item(to, entry->key, entry->key_size, entry->value);
    return NULL;
}

/* For a Namespace too: its requests have the same numbers. */
static struct object *serve_dict(struct client *client, struct object *dict)
{
    struct request_head head = head_of(client);
    size_t size;
    const unsigned char *value = value_of(client, &size), *key = value - head.key_length;
    unsigned request = DICT << 8 | (head.request & 255);
    if (request == DICT_LEN)
        return answer(client, (long long)dict->as.dict.count);
    if (request == DICT_ITEMS)
        return dict_copy(client, dict);
    if (request == DICT_CLEAR) {
        clear_dict(dict);
        return answer(client, 0);
    }

    if (head.key_length == 0)
        return refuse(client, EINVAL, "a key has 1 to 255 bytes");
    size_t hash = hash_of(key, head.key_length);
    if (request == DICT_SET) {
        struct bytes *bytes = bytes_of(value, size);
        if (bytes != NULL && set_entry(dict, key, head.key_length, hash, bytes))
            return answer(client, 0);
        free(bytes);
        return no_memory(client);
    }
    struct entry **link = dict->as.dict.room > 0 ? find_entry(dict, key, head.key_length, hash) : NULL;
    bool there = link != NULL && *link != NULL;
    if (request == DICT_HAS)
        return answer(client, there);
    if (!there)
        return refuse(client, ENOENT, dict->type == DICT ? "dict: no such key" : "Namespace: no such attribute");
    if (request == DICT_GET || request == DICT_POP)
        answer_bytes(client, (*link)->value->data, (*link)->value->size);
    else
        answer(client, 0);
    if (request == DICT_DEL || (request == DICT_POP && !was_refused(client)))
        remove_entry(dict, link);
    return NULL;
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
