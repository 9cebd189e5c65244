/* objects.h - in the server: the table of objects, who waits for which, and which handler a request is for. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include "server.h"

/* Does what the client's request says: a handler, see server.h. */
struct object *serve_request(struct client *client);

/* From now on CLIENT waits for a change of OBJECT, until END_MS. */
void wait_for(struct client *client, struct object *object, long long end_ms);

/* Tries again all who wait for a changed object, until nothing changes any more. */
void settle(void);

/* CLIENT shall wait no more: its limit has passed. It gets its reply by settle. */
void is_late(struct client *client, int error);

/* CLIENT has ended: it waits for nothing, and what it held is free. Then settle. */
void stop_waiting(struct client *client);
void release_everything(const struct client *client);

#endif
