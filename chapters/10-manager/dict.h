/* dict.h - in the server: dict and Namespace. */
#ifndef DICT_H
#define DICT_H

#include "server.h"

struct object *serve_dict(struct client *client, struct object *dict);      /* a handler, see server.h */
void clear_dict(struct object *dict);

#endif
