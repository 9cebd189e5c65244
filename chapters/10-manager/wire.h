/* wire.h - what goes over a connection to the manager's server: one request, one reply, one request ...

    a request       0        4         8        12           16     20      24       32
                    | length | request | object | key length | room | limit | number | key ... | value ... |
    a reply         0        4       8        16
                    | length | error | number | value ... |

   LENGTH is the number of bytes behind the head: at most MANAGER_LARGEST; who sends more is closed at
   once, before any memory is taken for it. Of these, KEY LENGTH bytes are the key, the rest the value.
   ROOM is how much the client can take, LIMIT how long it waits, in ms, NUMBER an index, a count or what
   else the request needs. ERROR is 0, or an errno; then the value is the reason in words.

   Numbers are sent as they lie in memory, so both sides must be machines of one kind (11-sockets/byte_order
   is about others). Nobody sends a second request before the reply to the first. */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

enum type {
    DICT = 1, LIST, NAMESPACE, VALUE, ARRAY,                                        /* data */
    LOCK, RLOCK, SEMAPHORE, BOUNDED_SEMAPHORE, CONDITION, EVENT, BARRIER, QUEUE,    /* to wait for */
    TYPES
};

/* A request is the type that it is for, times 256, and a number: so the server can check the type. */
enum request {
    CREATE = 0,                         /* DICT << 8 | CREATE: the reply's number is the new object's */
    DELETE = 1,                         /* whatever its type */
    DICT_SET = DICT << 8 | 1, DICT_GET, DICT_POP, DICT_DEL, DICT_HAS, DICT_LEN, DICT_CLEAR, DICT_ITEMS,
    LIST_APPEND = LIST << 8 | 1, LIST_INSERT, LIST_SET, LIST_GET, LIST_POP, LIST_LEN, LIST_REVERSE,
    LIST_CLEAR, LIST_ITEMS,
    NAMESPACE_SET = NAMESPACE << 8 | 1, NAMESPACE_GET, NAMESPACE_DEL = NAMESPACE << 8 | 4,   /* as of a dict */
    VALUE_SET = VALUE << 8 | 1, VALUE_GET,
    ARRAY_SET = ARRAY << 8 | 1, ARRAY_GET, ARRAY_LEN, ARRAY_COPY,
    LOCK_ACQUIRE = LOCK << 8 | 1, LOCK_RELEASE,
    RLOCK_ACQUIRE = RLOCK << 8 | 1, RLOCK_RELEASE,
    SEMAPHORE_ACQUIRE = SEMAPHORE << 8 | 1, SEMAPHORE_RELEASE,
    BOUNDED_ACQUIRE = BOUNDED_SEMAPHORE << 8 | 1, BOUNDED_RELEASE,
    CONDITION_ACQUIRE = CONDITION << 8 | 1, CONDITION_RELEASE, CONDITION_WAIT, CONDITION_NOTIFY,
    EVENT_SET = EVENT << 8 | 1, EVENT_CLEAR, EVENT_IS_SET, EVENT_WAIT,
    BARRIER_WAIT = BARRIER << 8 | 1, BARRIER_ABORT, BARRIER_RESET, BARRIER_WAITING, BARRIER_IS_BROKEN,
    QUEUE_PUT = QUEUE << 8 | 1, QUEUE_GET, QUEUE_SIZE, QUEUE_CLOSE, QUEUE_TASK_DONE, QUEUE_JOIN,
};

struct request_head {
    uint32_t length, request, object, key_length, room;
    int32_t limit_ms;
    int64_t number;
};

struct reply_head {
    uint32_t length;
    int32_t error;
    int64_t number;
};

enum { LONGEST_KEY = 255 };

_Static_assert(sizeof(struct request_head) == 32 && sizeof(struct reply_head) == 16, "as drawn, without gaps");

#endif
