/* server.h - inside the manager's server: clients, objects, and how they meet. server.c has the loop, data.c and
   dict.c the objects that are data, waiting.c those that one waits for. */
#ifndef SERVER_H
#define SERVER_H

#include "auth.h"
#include "manager.h"
#include "wire.h"

/* Bytes that a client has sent; they belong to an object. */
struct bytes {
    struct bytes *next;                 /* in a queue */
    size_t size;
    unsigned char data[];
};

struct object {
    enum type type;
    uint32_t number;
    struct client *waiting;             /* who waits for a change of it; first come, first served */
    bool changed;
    struct object *next_changed;
    union {
        struct { struct entry **buckets, *first, *last; size_t room, count; } dict;     /* Namespace, too */
        struct { struct bytes **items; size_t room, count; } list;
        struct { unsigned char *bytes; size_t size, count; } array;     /* Value, too: its count is 1 */
        struct { struct client *owner; long depth; bool orphaned; size_t conditions; } lock;    /* RLock, too */
        struct { struct client **owners; size_t room; long value, first; bool orphaned; } semaphore;
        struct { struct object *lock; bool own; } condition;
        struct { long parties, arrived, round; bool broken; } barrier;
        struct { struct bytes *first, *last; size_t count, capacity, unfinished; bool closed; } queue;
        bool event;
    } as;
};

struct client {
    int fd;
    bool inside;                        /* has proved that it knows the key */
    bool gone;                          /* is forgotten at the end of this turn of the loop */
    struct auth auth;
    unsigned char *in, *out;            /* the request, as far as it has come; the reply */
    size_t in_size, in_room, out_size, out_room, out_sent;

    struct object *waits_for;           /* while its request waits for a change of an object */
    struct client *next_waiting;
    long long end_ms;                   /* until when it waits, or NEVER */
    int late;                           /* not 0: it shall wait no more, and this errno is the reason */
    int stage;                          /* how far the request has come; 0: it is new */
    long place, round;                  /* in a barrier */
    struct object *lock;                /* condition: the lock that it must have again, and its depth */
    long depth;
};

#define NEVER 0x7fffffffffffffffLL      /* no limit, as a time in ms */

/* Serves until LIFE, a socket, brings a byte or end of file, or until SIGTERM. */
void serve(int listener, int life, const void *key, size_t key_size);

/* A handler looks at the client's request, and ends in one of three ways: it has answered, it has refused
   (both return NULL), or it returns the object whose change the client waits for: then it is called again
   after the change. start_answer returns where SIZE bytes of the value are to be written; or NULL: there
   was no memory, and it has refused. So take things away after it, not before. */
void *start_answer(struct client *client, long long number, size_t size);
struct object *answer(struct client *client, long long number);
struct object *refuse(struct client *client, int error, const char *reason);
struct object *no_memory(struct client *client);            /* refuses */
bool was_refused(const struct client *client);

/* The request has its reply: sends it. */
void finish(struct client *client);

struct request_head head_of(const struct client *client);
const unsigned char *value_of(const struct client *client, size_t *size);   /* behind the key */

/* OBJECT has changed: who waits for it is tried again, before the next request is looked at. */
void touch(struct object *object);

/* NULL: there is no such object; no memory; the lock of a condition cannot be deleted. */
struct object *find_object(uint32_t number);
struct object *add_object(enum type type);
bool delete_object(struct object *object);

/* Makes *ARRAY longer, if need be: to COUNT things of SIZE bytes. *ROOM is how many it has. */
bool grow(void *array, size_t *room, size_t count, size_t size);

#endif
