/* connection.h - inside the client's side: managers, and a connection for each process and thread. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "proxy.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { MANAGER_LIMIT_MS = 5000 };       /* for the proof of the key, and for the server's end */

struct manager {
    struct sockaddr_storage name;       /* the address, for the kernel */
    socklen_t name_size;
    char address[sizeof(struct sockaddr_un)];       /* the same, for people */
    char directory[sizeof(struct sockaddr_un)];     /* of a Unix socket */
    void *key;
    size_t key_size;
    pthread_key_t mine;                 /* this thread's connection */
    struct connection *connections;     /* of all threads */
    struct proxy *proxies;
    pid_t pid;                          /* of the server, in the process that started it; else 0 */
    int life;                           /* there: connected to the server while both are alive; else -1 */
    struct manager *next;
};

extern pthread_mutex_t managers_lock;   /* for this list, and for the lists in it */
extern struct manager *managers;

void register_fork_handler(void);       /* so that children do not have our connections */

/* Connects this thread, if it is not. Returns 0, or -1. */
int try_to_connect(struct manager *manager);
void free_connection(void *connection);         /* also called at the end of a thread */
void hang_up(int *fd);                          /* closes it, if it is not -1; makes it -1; keeps errno */

/* In manager.c. ADDRESS: see manager.h. NULL: errno and manager_error() say why. */
struct manager *new_manager(const char *address, const void *key, size_t key_size);
void free_manager(struct manager *manager);

int fail_errno(void);                           /* as fail(), see proxy.h, with errno */

#endif
