/* manager.h - objects that live in a server process, for any process that may reach it: Python's
   multiprocessing.Manager. manager_step1.c to manager_step3.c lead to it.

       struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
       struct dict *ages = check_ptr(manager_dict(manager));            (now start children)
       check(dict_set(ages, "Ann", &age, sizeof age));                  (in any of them)
       ...                                                              (wait for them)
       check(manager_stop(manager));

   The object is in the server. What you have is a proxy: it knows the server and the object's number.
   Each function that gets a proxy sends one request, and waits for one reply. So each is one step that
   nobody comes between; two calls are two steps. A value is bytes: it is copied to the server, and back.

   A proxy may be used by all threads of this process, and by children that are started later: each
   process and thread has its own connection, made when it is needed. Not in a signal handler.

   Every function that fails returns -1 (or NULL), sets errno, and has changed nothing; manager_error()
   has the reason in words. Besides what is said below, each one may fail with
       ECONNRESET   the server has ended, or was killed, before its reply came
       ENOENT, ECONNREFUSED   there is no server any more
       EMSGSIZE     longer than MANAGER_LARGEST, or longer than the room that you gave: nothing was taken
       ENOMEM       no memory for it, here or at the server
       ESRCH        the object was deleted; EINVAL: it is of another type
   After ECONNRESET nobody knows whether the server has done it. May one ask again? When asking twice does
   the same as asking once: yes (get, has, len, items, set, clear, is_set). Else no: append, insert, pop,
   del, put, get of a queue, release, notify, task_done might be done twice. What a connection held or
   waited for is given up when it ends, so acquire and wait are asked again as if for the first time
   (wait of a Condition: after its acquire).

   LIMIT_MS is how long to wait: MANAGER_FOREVER, 0: not at all, else EAGAIN; more: so many ms, else
   ETIMEDOUT.

   Whoever is killed, at any moment: a client is forgotten by the server, and its locks are freed (see
   lock_acquire). When the server is killed, its clients get ECONNRESET. The server ends when the process
   that started it ends, however that happens. */
#ifndef MANAGER_H
#define MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MANAGER_LARGEST = 1 << 20 };     /* bytes of one key and its value together */
enum { MANAGER_FOREVER = -1 };

struct manager;

/* ---- the server ---- */

/* Starts a server process. ADDRESS NULL: it listens on a Unix socket, in a new directory that only this
   user can enter. Or "/path/private/socket": the directory /path/private is made, unless it is there and is
   for this user alone; a socket that a killed server has left there is taken over. Or "127.0.0.1:5000", TCP;
   with port 0 it takes a free one. Both sides of a connection must prove that they know KEY (see auth.h);
   NULL: no proof; TCP must have a key. Who is inside may do everything. Start it before other threads.
   Errors: EADDRINUSE (another server is there), EACCES (the directory is not for this user alone), EINVAL,
   errno of fork(2), mkdir(2), bind(2) ... Python: Manager(); BaseManager(address, authkey).start() */
struct manager *manager_start(const char *address, const void *key, size_t key_size);

/* For a process that did not inherit a manager. ADDRESS is manager_address(), or a proxy's address.
   EACCES: not the right key. Python: BaseManager(address, authkey).connect() */
struct manager *manager_connect(const char *address, const void *key, size_t key_size);

/* "/tmp/manager-0123456789abcdef/socket" or "127.0.0.1:40123": it can be sent to other processes. */
const char *manager_address(const struct manager *manager);

/* Gives back all proxies and connections of this process. In the process that started the server, the
   server ends too, and its socket and directory go, even if it was killed: so always call it there.
   Returns 0, or -1: ECONNRESET (the server had ended too early). Python: shutdown() */
int manager_stop(struct manager *manager);

/* The reason why the last call of this thread failed, in words: "dict: no such key". */
const char *manager_error(void);

pid_t manager_server_pid(const struct manager *manager);    /* 0 where it was not started */

/* ---- proxies ---- */

/* Each makes a new object; it lives until manager_delete or the server's end. (Python counts the proxies,
   and deletes an object with its last one.) NULL: see above. */
struct dict *manager_dict(struct manager *manager);
struct list *manager_list(struct manager *manager);
struct namespace *manager_namespace(struct manager *manager);
struct value *manager_value(struct manager *manager, const void *initial, size_t size);
struct array *manager_array(struct manager *manager, const void *initial, size_t size, size_t count);
struct lock *manager_lock(struct manager *manager);
struct rlock *manager_rlock(struct manager *manager);
struct semaphore *manager_semaphore(struct manager *manager, long value);
struct bounded_semaphore *manager_bounded_semaphore(struct manager *manager, long value);
struct condition *manager_condition(struct manager *manager, struct lock *lock);    /* NULL: with its own */
struct event *manager_event(struct manager *manager);
struct barrier *manager_barrier(struct manager *manager, long parties);
struct shared_queue *manager_queue(struct manager *manager, size_t capacity);    /* 0: no limit */

/* Deletes the object that PROXY stands for, for all. Who waits for it gets ESRCH. EBUSY: it is the lock of
   a condition. */
int manager_delete(void *proxy);

/* A proxy's address is a line of text, "/tmp/manager-0123456789abcdef/socket 7". It can be sent to a
   process that was started before the object; there manager_proxy makes a proxy of it. EINVAL: this is
   not the address of an object of this manager. A server that was started anew knows no old objects, and
   counts from 1 again: then make new proxies. */
enum { PROXY_ADDRESS = 128 };
void proxy_address(const void *proxy, char address[PROXY_ADDRESS]);
void *manager_proxy(struct manager *manager, const char *address);

/* ---- dict: KEY is a text of 1 to 255 bytes ---- */

/* Errors of get, pop, del: ENOENT (no such key). get and pop copy the value, at most ROOM bytes, and
   return its size. has returns 1 or 0. len returns how many there are. */
int dict_set(struct dict *dict, const char *key, const void *value, size_t size);
ssize_t dict_get(struct dict *dict, const char *key, void *value, size_t room);
ssize_t dict_pop(struct dict *dict, const char *key, void *value, size_t room);
int dict_del(struct dict *dict, const char *key);
int dict_has(struct dict *dict, const char *key);
ssize_t dict_len(struct dict *dict);
int dict_clear(struct dict *dict);

/* All that is in it, as it was at one moment: *ITEMS becomes an array, give it back with free(*items).
   Returns how many there are. A dict has them in the order in which the keys were first set.
   Python: d.copy(), d.items(); l[:] */
struct item {
    const char *key;                    /* NULL in a list */
    const void *value;                  /* aligned for any type */
    size_t size;
};
ssize_t dict_items(struct dict *dict, struct item **items);

/* ---- list: INDEX may be negative, -1 is the last; ERANGE: there is no such index ---- */

int list_append(struct list *list, const void *value, size_t size);
int list_insert(struct list *list, long index, const void *value, size_t size);  /* before INDEX, as Python */
int list_set(struct list *list, long index, const void *value, size_t size);
ssize_t list_get(struct list *list, long index, void *value, size_t room);
ssize_t list_pop(struct list *list, long index, void *value, size_t room);
ssize_t list_len(struct list *list);
int list_reverse(struct list *list);
int list_clear(struct list *list);
ssize_t list_items(struct list *list, struct item **items);

/* ---- Namespace: attributes with names, like a dict that is written ns.x ---- */

int namespace_set(struct namespace *names, const char *name, const void *value, size_t size);
ssize_t namespace_get(struct namespace *names, const char *name, void *value, size_t room);     /* ENOENT */
int namespace_del(struct namespace *names, const char *name);                                   /* ENOENT */

/* ---- Value and Array: one thing, or COUNT things, of a fixed size. They have no lock of their own. ---- */

int value_set(struct value *value, const void *from, size_t size);      /* EINVAL: not its size */
ssize_t value_get(struct value *value, void *to, size_t room);
int array_set(struct array *array, long index, const void *from, size_t size);  /* ERANGE, EINVAL */
ssize_t array_get(struct array *array, long index, void *to, size_t room);      /* ERANGE */
ssize_t array_len(struct array *array);
ssize_t array_copy(struct array *array, void *to, size_t room);         /* all of it, at one moment */

/* ---- Lock and RLock ---- */

/* Returns 0: you have it; 1: you have it, and the last one who had it has ended without a release, so
   look whether what it protects is whole; or -1: EAGAIN, ETIMEDOUT. First come, first served. The owner
   is the thread that has acquired it. (Python's Lock may be released by anybody: take a Semaphore for that.) */
int lock_acquire(struct lock *lock, int limit_ms);
int lock_release(struct lock *lock);            /* EPERM: another one has it; EINVAL: nobody has it */

/* Who has it may acquire it again, and must release it as often. */
int rlock_acquire(struct rlock *lock, int limit_ms);
int rlock_release(struct rlock *lock);          /* EPERM, EINVAL: as lock_release */

/* ---- Semaphore and BoundedSemaphore ---- */

/* A number that acquire makes 1 smaller; at 0 it waits. A Semaphore belongs to nobody: what a killed
   client has acquired stays acquired. A BoundedSemaphore never rises above its first value (EINVAL), so
   the server knows who has how much of it: what a client had when it ended is released. */
int semaphore_acquire(struct semaphore *semaphore, int limit_ms);
int semaphore_release(struct semaphore *semaphore, long times);
int bounded_semaphore_acquire(struct bounded_semaphore *semaphore, int limit_ms);   /* 0, 1 as lock_acquire */
int bounded_semaphore_release(struct bounded_semaphore *semaphore);

/* ---- Condition: wait and notify only with its lock; EPERM: you do not have it ---- */

/* acquire and release are those of its lock. wait gives the lock back, waits for a notify, and has the lock
   again when it returns: 0 or 1 as lock_acquire; after ETIMEDOUT and EAGAIN too. Call it in a loop that
   looks at what you wait for. A waiter that is killed is not counted; its notify goes to the next one. */
int condition_acquire(struct condition *condition, int limit_ms);
int condition_release(struct condition *condition);
int condition_wait(struct condition *condition, int limit_ms);
int condition_notify(struct condition *condition, long times);
int condition_notify_all(struct condition *condition);

/* ---- Event ---- */

int event_set(struct event *event);
int event_clear(struct event *event);
int event_is_set(struct event *event);          /* 1 or 0 */
int event_wait(struct event *event, int limit_ms);

/* ---- Barrier: wait returns when so many as PARTIES wait ---- */

/* wait returns a number from 0 to PARTIES - 1, another one to each; or -1: EPIPE (the barrier is broken).
   It breaks by abort, and when one who waits there is killed, or has waited for its limit (this one gets
   EAGAIN or ETIMEDOUT). Who is killed on the way to it is missing: use a limit. reset makes it whole. */
int barrier_wait(struct barrier *barrier, int limit_ms);
int barrier_abort(struct barrier *barrier);
int barrier_reset(struct barrier *barrier);     /* those who wait get EPIPE */
int barrier_waiting(struct barrier *barrier);   /* how many wait there now */
int barrier_is_broken(struct barrier *barrier); /* 1 or 0 */

/* ---- Queue. (Its name is shared_queue here: struct queue is the part of chapter 08.) ---- */

/* put waits while it is full, get while it is empty. Returns: put 0; get the size. After a close, put
   fails with EPIPE; get too, when all is taken. A message whose getter was killed before it could
   read the reply is lost: one at most. task_done: EINVAL, more often than messages were put. */
int shared_queue_put(struct shared_queue *queue, const void *message, size_t size, int limit_ms);
ssize_t shared_queue_get(struct shared_queue *queue, void *message, size_t room, int limit_ms);
ssize_t shared_queue_size(struct shared_queue *queue);
int shared_queue_close(struct shared_queue *queue);
int shared_queue_task_done(struct shared_queue *queue);
int shared_queue_join(struct shared_queue *queue, int limit_ms);

#endif
