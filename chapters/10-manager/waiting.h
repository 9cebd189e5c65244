/* waiting.h - in the server: Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event, Barrier, Queue. */
#ifndef WAITING_H
#define WAITING_H

#include "server.h"

/* Makes a new object ready, as the client's request says. Returns 0, or an errno. */
int create_waiting(struct object *object, const struct client *client);
void free_waiting(struct object *object);

/* The handler; see server.h. When the client shall not wait any more (client->late), it refuses. */
struct object *serve_waiting(struct client *client, struct object *object);

/* CLIENT has ended: what it has of OBJECT is free again. */
void release_all(struct object *object, const struct client *client);

/* CLIENT has ended, or been late, while it waited for OBJECT: do others have to know? */
void stops_waiting(struct client *client, struct object *object);

#endif
