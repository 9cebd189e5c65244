/* data.h - in the server: dict, list, Namespace, Value, Array. */
#ifndef DATA_H
#define DATA_H

#include "server.h"

/* Makes a new object ready, as the client's request says. Returns 0, or an errno. */
int create_data(struct object *object, const struct client *client);
void free_data(struct object *object);

/* The handler; see server.h. */
struct object *serve_data(struct client *client, struct object *object);

/* A copy of bytes, or NULL: no memory. */
struct bytes *bytes_of(const unsigned char *data, size_t size);

/* Answers with SIZE bytes, or refuses: the client has no room for them. */
struct object *answer_bytes(struct client *client, const unsigned char *data, size_t size);

/* A whole dict or list as bytes. For each item: two lengths, the key, the value. Returns where the next one begins. */
size_t item_size(size_t key_size, size_t size);
unsigned char *write_item(unsigned char *to, const void *key, size_t key_size, const struct bytes *value);

#endif
