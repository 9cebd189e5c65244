/* dict.c - in the server: a dict is a hash table. A Namespace is one, too: its requests have the same numbers. */
#include "workbook.h"

#include "dict.h"

#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void clear_dict(struct object *dict)
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

struct object *serve_dict(struct client *client, struct object *dict)
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
