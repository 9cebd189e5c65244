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

#endif
