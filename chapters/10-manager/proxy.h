/* proxy.h - inside the client's side: what a proxy is, and the one way that all its functions go. */
#ifndef PROXY_H
#define PROXY_H

#include "manager.h"
#include "wire.h"

/* struct dict, struct list and the others are this one; their names are for the compiler's checks only. */
struct proxy {
    struct manager *manager;
    uint32_t object;
    struct proxy *next;                 /* of this manager */
};

/* What a request is made of; a field that is not named is 0. */
struct question {
    unsigned request;
    int limit_ms;
    long long number;
    const char *key;
    const void *value;                  /* SIZE bytes, sent along */
    size_t size;
    void *to;                           /* where the reply's value shall go, at most ROOM bytes; or NULL */
    size_t room;
};

/* One request, one reply: returns its number, or -1 with errno and manager_error(). The reply's value is
   at *BYTES too, if that is not NULL, until this thread's next call. */
long long call(const void *proxy, struct question question, const unsigned char **bytes);

struct proxy *new_proxy(struct manager *manager, uint32_t object);
void free_proxy(struct proxy *proxy);
int fail(int error, const char *reason);        /* sets errno and the reason; returns -1 */

#endif
