/* manager_api.c - what manager.h promises, function by function, for one manager.
   ./manager_api [ADDRESS KEY]
   Prints nothing; one line on stderr and exit 1 if anything is otherwise. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define must(condition) do { if (!(condition)) \
    die("line %d: not so: %s (%s: %s)", __LINE__, #condition, errno_name(errno), manager_error()); } while (0)
#define fails(call, code) do { errno = 0; must((call) == -1); must(errno == (code)); } while (0)

static struct manager *manager;
static char big[MANAGER_LARGEST + 1];

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_dict(void)
{
    struct dict *d = check_ptr(manager_dict(manager));
    struct item *items;
    char key[300];
    int v;
    must(dict_len(d) == 0);
    fails(dict_get(d, "k", &v, sizeof v), ENOENT);
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        must(dict_set(d, key, &i, sizeof i) == 0);
    }
    for (int i = 0; i < 2000; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        must(dict_del(d, key) == 0);
        must(dict_has(d, key) == 0);
        fails(dict_pop(d, key, &v, sizeof v), ENOENT);
    }
    must(dict_len(d) == 1000);
    for (int i = 1; i < 2000; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        must(dict_get(d, key, &v, sizeof v) == sizeof v && v == i);
    }
    must(dict_items(d, &items) == 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", 2 * i + 1);
        must(strcmp(items[i].key, key) == 0 && items[i].size == sizeof v && *(const int *)items[i].value == 2 * i + 1);
    }
    free(items);
    fails(dict_get(d, "k1", &v, 2), EMSGSIZE);
    fails(dict_pop(d, "k1", &v, 2), EMSGSIZE);
    must(dict_pop(d, "k1", &v, sizeof v) == sizeof v && v == 1);
    must(dict_set(d, "k3", "", 0) == 0 && dict_get(d, "k3", NULL, 0) == 0);
    must(dict_clear(d) == 0 && dict_items(d, &items) == 0);
    free(items);
    fails(dict_set(d, "", &v, sizeof v), EINVAL);
    memset(key, 'x', sizeof key);
    key[256] = '\0';
    fails(dict_set(d, key, &v, sizeof v), EINVAL);
    key[255] = '\0';
    must(dict_set(d, key, &v, sizeof v) == 0);
    must(dict_set(d, "b", big, MANAGER_LARGEST - 1) == 0 && dict_get(d, "b", big, sizeof big) == MANAGER_LARGEST - 1);
    fails(dict_set(d, "b", big, MANAGER_LARGEST), EMSGSIZE);
    fails(dict_items(d, &items), EMSGSIZE);
    fails(list_len((struct list *)d), EINVAL);
    must(manager_delete(d) == 0);
}

static void test_list(void)
{
    struct list *l = check_ptr(manager_list(manager));
    struct item *items;
    int v;
    fails(list_pop(l, -1, &v, sizeof v), ERANGE);
    for (int i = 0; i < 10; i++)
        must(list_append(l, &i, sizeof i) == 0);
    must(list_reverse(l) == 0 && list_get(l, 0, &v, sizeof v) == sizeof v && v == 9);
    must(list_get(l, -1, &v, sizeof v) == sizeof v && v == 0);
    fails(list_get(l, 10, &v, sizeof v), ERANGE);
    fails(list_get(l, -11, &v, sizeof v), ERANGE);
    fails(list_pop(l, 0, &v, 1), EMSGSIZE);
    must(list_pop(l, 0, &v, sizeof v) == sizeof v && v == 9);
    v = 77;
    must(list_insert(l, -1, &v, sizeof v) == 0 && list_get(l, -2, &v, sizeof v) == sizeof v && v == 77);
    v = 78;
    must(list_insert(l, 1000, &v, sizeof v) == 0 && list_get(l, -1, &v, sizeof v) == sizeof v && v == 78);
    must(list_set(l, 0, &v, sizeof v) == 0 && list_get(l, 0, &v, sizeof v) == sizeof v && v == 78);
    must(list_len(l) == 11 && list_items(l, &items) == 11);
    must(items[0].key == NULL && *(const int *)items[10].value == 78);
    free(items);
    must(list_clear(l) == 0 && list_len(l) == 0);
}

static void test_numbers(void)
{
    double a[5] = { 1, 2, 3, 4, 5 }, b[5];
    struct array *array = check_ptr(manager_array(manager, a, sizeof *a, 5));
    must(array_set(array, -1, &a[0], sizeof a[0]) == 0 && array_copy(array, b, sizeof b) == sizeof b && b[4] == 1);
    fails(array_copy(array, b, sizeof b - 1), EMSGSIZE);
    fails(array_get(array, 5, b, sizeof b), ERANGE);
    fails(array_set(array, 0, a, 4), EINVAL);
    must(array_len(array) == 5);
    errno = 0;
    must(manager_array(manager, a, sizeof *a, MANAGER_LARGEST) == NULL && errno == EMSGSIZE);
    must(manager_array(manager, a, sizeof *a, 0) == NULL && errno == EINVAL);
    struct value *value = check_ptr(manager_value(manager, a, sizeof *a));
    must(value_set(value, &a[2], sizeof *a) == 0 && value_get(value, b, sizeof b) == sizeof *b && b[0] == 3);
    fails(value_set(value, a, 4), EINVAL);
    struct namespace *names = check_ptr(manager_namespace(manager));
    must(namespace_set(names, "x", "1", 2) == 0 && namespace_get(names, "x", b, sizeof b) == 2);
    must(namespace_del(names, "x") == 0);
    fails(namespace_get(names, "x", b, sizeof b), ENOENT);
}

/* Another thread is another client: what it did not acquire it cannot release, and so does not get it either. */
static void *steal(void *lock)
{
    fails(lock_release(lock), EPERM);
    fails(lock_acquire(lock, 0), EAGAIN);
    return NULL;
}

static void test_locks(void)
{
    pthread_t thread;
    struct lock *lock = check_ptr(manager_lock(manager));
    long start = now_ms();
    must(lock_acquire(lock, 0) == 0);
    fails(lock_acquire(lock, 0), EAGAIN);
    fails(lock_acquire(lock, 30), ETIMEDOUT);
    must(now_ms() - start >= 30);
    check_pthread(pthread_create(&thread, NULL, steal, lock));
    check_pthread(pthread_join(thread, NULL));
    must(lock_release(lock) == 0);
    fails(lock_release(lock), EINVAL);
    struct rlock *rlock = check_ptr(manager_rlock(manager));
    must(rlock_acquire(rlock, 0) == 0 && rlock_acquire(rlock, 0) == 0);
    must(rlock_release(rlock) == 0 && rlock_release(rlock) == 0);
    fails(rlock_release(rlock), EINVAL);

    struct condition *condition = check_ptr(manager_condition(manager, NULL));
    fails(condition_notify(condition, 1), EPERM);
    fails(condition_wait(condition, 0), EPERM);
    must(condition_acquire(condition, 0) == 0 && condition_acquire(condition, 0) == 0);
    fails(condition_wait(condition, 20), ETIMEDOUT);
    fails(condition_wait(condition, 0), EAGAIN);
    must(condition_notify_all(condition) == 0);
    must(condition_release(condition) == 0 && condition_release(condition) == 0);
    fails(condition_release(condition), EPERM);
    struct condition *other = check_ptr(manager_condition(manager, lock));
    fails(manager_delete(lock), EBUSY);
    must(lock_acquire(lock, 0) == 0);
    fails(condition_wait(other, 10), ETIMEDOUT);
    must(lock_release(lock) == 0 && manager_delete(other) == 0 && manager_delete(lock) == 0);
    must(manager_delete(condition) == 0);
    must(manager_condition(manager, (struct lock *)rlock) != NULL);
    must(manager_condition(manager, (struct lock *)check_ptr(manager_list(manager))) == NULL && errno == EINVAL);
}

static void test_others(void)
{
    char text[8];
    struct semaphore *semaphore = check_ptr(manager_semaphore(manager, 0));
    fails(semaphore_acquire(semaphore, 0), EAGAIN);
    fails(semaphore_release(semaphore, 0), EINVAL);
    must(semaphore_release(semaphore, 2) == 0 && semaphore_acquire(semaphore, 0) == 0 && semaphore_acquire(semaphore, 0) == 0);
    must(manager_semaphore(manager, -1) == NULL && errno == EINVAL);
    struct bounded_semaphore *bounded = check_ptr(manager_bounded_semaphore(manager, 2));
    fails(bounded_semaphore_release(bounded), EINVAL);
    must(bounded_semaphore_acquire(bounded, 0) == 0 && bounded_semaphore_acquire(bounded, 0) == 0);
    fails(bounded_semaphore_acquire(bounded, 10), ETIMEDOUT);
    must(bounded_semaphore_release(bounded) == 0 && bounded_semaphore_release(bounded) == 0);

    struct event *event = check_ptr(manager_event(manager));
    must(event_is_set(event) == 0);
    fails(event_wait(event, 10), ETIMEDOUT);
    must(event_set(event) == 0 && event_wait(event, MANAGER_FOREVER) == 0 && event_clear(event) == 0);
    fails(event_wait(event, 0), EAGAIN);

    must(manager_barrier(manager, 0) == NULL && errno == EINVAL);
    struct barrier *alone = check_ptr(manager_barrier(manager, 1)), *pair = check_ptr(manager_barrier(manager, 2));
    must(barrier_wait(alone, MANAGER_FOREVER) == 0 && barrier_abort(alone) == 0);
    fails(barrier_wait(alone, MANAGER_FOREVER), EPIPE);
    must(barrier_reset(alone) == 0 && barrier_wait(alone, MANAGER_FOREVER) == 0);
    fails(barrier_wait(pair, 10), ETIMEDOUT);
    must(barrier_is_broken(pair) == 1 && barrier_waiting(pair) == 0);

    struct shared_queue *queue = check_ptr(manager_queue(manager, 2));
    must(shared_queue_put(queue, "ab", 2, MANAGER_FOREVER) == 0 && shared_queue_put(queue, "cde", 3, 0) == 0);
    fails(shared_queue_put(queue, "f", 1, 0), EAGAIN);
    fails(shared_queue_put(queue, "f", 1, 10), ETIMEDOUT);
    fails(shared_queue_get(queue, text, 1, 0), EMSGSIZE);
    must(shared_queue_size(queue) == 2 && shared_queue_get(queue, text, sizeof text, 0) == 2 && memcmp(text, "ab", 2) == 0);
    must(shared_queue_task_done(queue) == 0);
    fails(shared_queue_join(queue, 10), ETIMEDOUT);
    must(shared_queue_close(queue) == 0);
    fails(shared_queue_put(queue, "f", 1, 0), EPIPE);
    must(shared_queue_get(queue, text, sizeof text, 0) == 3);
    fails(shared_queue_get(queue, text, sizeof text, MANAGER_FOREVER), EPIPE);
    must(shared_queue_task_done(queue) == 0 && shared_queue_join(queue, MANAGER_FOREVER) == 0);
    fails(shared_queue_task_done(queue), EINVAL);
}

/* ---- several at once ---- */

struct all {
    struct lock *lock;
    struct condition *condition;
    struct barrier *barrier;
    struct dict *dict;
    struct shared_queue *queue;
    struct semaphore *ready;
    pid_t parent;
};

static int count(const struct all *all)
{
    int n;
    must(dict_get(all->dict, "n", &n, sizeof n) == sizeof n);
    return n;
}

/* 20 times: takes the lock, reads, writes; then waits for its notify, then at the barrier. */
static int work(const struct all *all)
{
    for (int i = 0; i < 20; i++) {
        must(lock_acquire(all->lock, 5000) == 0);
        int n = count(all) + 1;
        must(dict_set(all->dict, "n", &n, sizeof n) == 0);
        must(lock_release(all->lock) == 0);
    }
    must(condition_acquire(all->condition, 5000) == 0);
    must(semaphore_release(all->ready, 1) == 0);
    must(condition_wait(all->condition, 5000) == 0);
    must(condition_release(all->condition) == 0);
    int place = barrier_wait(all->barrier, 5000);
    must(place >= 0);
    return shared_queue_put(all->queue, &place, sizeof place, 5000);
}

static int be_process(void *argument)
{
    const struct all *all = argument;
    check(end_with_parent(all->parent));
    return work(all);
}

static void *be_thread(void *argument)
{
    must(work(argument) == 0);
    return NULL;
}

static int wait_for_deleted(void *argument)
{
    const struct all *all = argument;
    check(end_with_parent(all->parent));
    must(semaphore_release(all->ready, 1) == 0);
    char byte;
    fails(shared_queue_get(all->queue, &byte, 1, MANAGER_FOREVER), ESRCH);
    fails(shared_queue_size(all->queue), ESRCH);
    return 0;
}

static void test_together(void)
{
    enum { PROCESSES = 6, THREADS = 4, ALL = PROCESSES + THREADS };
    struct all all = {
        check_ptr(manager_lock(manager)), check_ptr(manager_condition(manager, NULL)),
        check_ptr(manager_barrier(manager, ALL)), check_ptr(manager_dict(manager)),
        check_ptr(manager_queue(manager, 0)), check_ptr(manager_semaphore(manager, 0)), getpid(),
    };
    pid_t pids[PROCESSES];
    pthread_t threads[THREADS];
    int zero = 0, seen = 0, place;
    must(dict_set(all.dict, "n", &zero, sizeof zero) == 0);
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = check(start_child(be_process, &all));
    for (int i = 0; i < THREADS; i++)
        check_pthread(pthread_create(&threads[i], NULL, be_thread, &all));
    for (int i = 0; i < ALL; i++)
        must(semaphore_acquire(all.ready, 5000) == 0);
    must(condition_acquire(all.condition, 5000) == 0);      /* all wait now: their locks are given back */
    must(count(&all) == ALL * 20);
    must(condition_notify(all.condition, 2) == 0 && condition_notify_all(all.condition) == 0);
    must(condition_release(all.condition) == 0);
    for (int i = 0; i < THREADS; i++)
        check_pthread(pthread_join(threads[i], NULL));
    must(wait_children(pids, PROCESSES) == 0);
    while (shared_queue_get(all.queue, &place, sizeof place, 0) == sizeof place)
        seen |= 1 << place;
    must(seen == (1 << ALL) - 1);

    pids[0] = check(start_child(wait_for_deleted, &all));
    must(semaphore_acquire(all.ready, 5000) == 0);
    must(manager_delete(all.queue) == 0);
    must(wait_children(pids, 1) == 0);
}

static int wait_for_notify(void *argument)
{
    const struct all *all = argument;
    check(end_with_parent(all->parent));
    must(condition_acquire(all->condition, 5000) == 0);
    must(semaphore_release(all->ready, 1) == 0);
    must(condition_wait(all->condition, 5000) == 0);
    return condition_release(all->condition);
}

/* The first one is notified, and killed before it has the lock again: its notify goes to the second one. Then the third one
   waits for the lock, and is killed: nobody gets a lock for it. */
static void test_killed_waiter(void)
{
    struct all all = { .condition = check_ptr(manager_condition(manager, NULL)),
                       .ready = check_ptr(manager_semaphore(manager, 0)), .parent = getpid() };
    pid_t pids[3];
    for (int i = 0; i < 2; i++) {
        pids[i] = check(start_child(wait_for_notify, &all));
        must(semaphore_acquire(all.ready, 5000) == 0);
    }
    must(condition_acquire(all.condition, 5000) == 0);          /* both wait now */
    must(condition_notify(all.condition, 1) == 0);
    pids[2] = check(start_child(wait_for_notify, &all));
    check(kill(pids[0], SIGKILL));
    must(WIFSIGNALED(check(wait_child(pids[0]))));
    check(wait_for_state(pids[2], 'S', 5000));
    check(kill(pids[2], SIGKILL));
    must(WIFSIGNALED(check(wait_child(pids[2]))));
    must(condition_release(all.condition) == 0);
    must(wait_child(pids[1]) == 0);
    must(condition_acquire(all.condition, 1000) == 0 && condition_release(all.condition) == 0);
}

/* ---- the server's life ---- */

static void test_end(const char *address, const char *key)
{
    struct stat status;
    char place[200];
    struct manager *another = check_ptr(manager_start(address, key, key != NULL ? strlen(key) : 0));
    struct dict *d = check_ptr(manager_dict(another));
    bool file = manager_address(another)[0] == '/';
    snprintf(place, sizeof place, "%s", manager_address(another));
    if (file)
        *strrchr(place, '/') = '\0';
    if (key != NULL) {
        must(manager_connect(manager_address(another), "wrong", 5) == NULL && errno == EACCES);
        struct manager *friend = manager_connect(manager_address(another), key, strlen(key));
        must(friend != NULL && manager_server_pid(friend) == 0 && manager_stop(friend) == 0);
    }
    must(!file || (stat(place, &status) == 0 && (status.st_mode & 0777) == 0700));
    check(kill(manager_server_pid(another), SIGKILL));
    errno = 0;
    must(dict_len(d) == -1 && errno == ECONNRESET);
    must(!file || (stat(place, &status) == -1 && errno == ENOENT));     /* the call has removed it */
    must(dict_len(d) == -1);
    fails(manager_stop(another), ECONNRESET);
    another = check_ptr(manager_start(address, key, key != NULL ? strlen(key) : 0));
    check(kill(manager_server_pid(another), SIGSTOP));
    d = NULL;
    must(manager_connect("/no/such/place", NULL, 0) == NULL && errno == ENOENT);
    must(manager_connect("nonsense", NULL, 0) == NULL && errno == EINVAL);
    must(manager_connect("127.0.0.1:5000", NULL, 0) == NULL && errno == EINVAL);    /* TCP without a key */
    must(manager_start("/no/such/place/socket", NULL, 0) == NULL && errno == ENOENT);
    check(kill(manager_server_pid(another), SIGCONT));
    must(manager_stop(another) == 0);
}

/* Waits for the end of its server, and does not reap it. */
static void wait_for_end(const struct manager *of)
{
    siginfo_t info;
    check(waitid(P_PID, (id_t)manager_server_pid(of), &info, WEXITED | WNOWAIT));
}

static const char *folder_file(const char *folder)
{
    static char path[100];
    snprintf(path, sizeof path, "%s/file", folder);
    return path;
}

/* At a place with a name: one server at a time; and what a killed one has left stops nobody. */
static void test_place(void)
{
    char folder[] = "/tmp/manager-api-XXXXXX", place[100], address[120], other[120];
    check_ptr(mkdtemp(folder));
    snprintf(place, sizeof place, "%s/place", folder);
    snprintf(address, sizeof address, "%s/socket", place);
    struct manager *first = check_ptr(manager_start(address, NULL, 0));
    must(manager_start(address, NULL, 0) == NULL && errno == EADDRINUSE);
    struct dict *d = check_ptr(manager_dict(first));            /* the second one has not harmed the first one */
    struct manager *client = check_ptr(manager_connect(address, NULL, 0));
    must(manager_stop(client) == 0 && dict_len(d) == 0);

    pid_t pid = check(fork());                                  /* both are killed: nobody tidies up */
    if (pid == 0) {
        snprintf(other, sizeof other, "%s-2/socket", place);
        struct manager *lost = check_ptr(manager_start(other, NULL, 0));
        check(kill(manager_server_pid(lost), SIGSTOP));
        check(wait_for_state(manager_server_pid(lost), 'T', 5000));
        check(kill(manager_server_pid(lost), SIGKILL));
        check(raise(SIGKILL));
    }
    check(wait_child(pid));
    snprintf(other, sizeof other, "%s-2/socket", place);
    must(access(other, F_OK) == 0);
    struct manager *second = check_ptr(manager_start(other, NULL, 0));
    must(manager_dict(second) != NULL && manager_stop(second) == 0 && access(other, F_OK) == -1);

    check(kill(manager_server_pid(first), SIGKILL));            /* another one takes its place */
    wait_for_end(first);
    second = check_ptr(manager_start(address, NULL, 0));
    fails(manager_stop(first), ECONNRESET);                     /* does not remove what is the second one's now */
    client = check_ptr(manager_connect(address, NULL, 0));
    must(manager_stop(client) == 0 && access(place, F_OK) == 0);
    check(kill(manager_server_pid(second), SIGTERM));
    wait_for_end(second);
    must(access(place, F_OK) == -1);
    fails(manager_stop(second), ECONNRESET);

    check(close(check(open(folder_file(folder), O_CREAT | O_WRONLY, 0600))));
    must(manager_start(folder_file(folder), NULL, 0) == NULL && errno == EADDRINUSE && unlink(folder_file(folder)) == 0);
    snprintf(other, sizeof other, "%s/socket", folder);
    check(chmod(folder, 0755));
    must(manager_start(other, NULL, 0) == NULL && errno == EACCES);     /* others could enter */
    must(rmdir(folder) == 0);
}

/* Only root can be another user: what the directory lets in by mistake, the server turns away. */
static int be_nobody(void *address)
{
    check(setgid(65534));
    check(setuid(65534));
    struct manager *client = check_ptr(manager_connect(address, NULL, 0));
    must(manager_dict(client) == NULL && errno == ECONNRESET);
    return manager_stop(client);
}

static void test_strangers(void)
{
    char folder[] = "/tmp/manager-api-XXXXXX", place[100], address[120];
    if (geteuid() != 0)
        return;
    check_ptr(mkdtemp(folder));
    snprintf(place, sizeof place, "%s/place", folder);
    snprintf(address, sizeof address, "%s/socket", place);
    struct manager *guarded = check_ptr(manager_start(address, NULL, 0));
    check(chmod(folder, 0755));
    check(chmod(place, 0755));
    check(chmod(address, 0777));
    pid_t pid = check(start_child(be_nobody, address));
    must(wait_children(&pid, 1) == 0 && manager_dict(guarded) != NULL);
    check(chmod(place, 0700));
    must(manager_stop(guarded) == 0 && rmdir(folder) == 0);
}

/* A server with little memory says so, changes nothing, and goes on. (Sanitizers need terabytes of addresses.) */
static void test_memory(void)
{
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    struct rlimit before, little;
    char key[20];
    int count = 0;
    check(getrlimit(RLIMIT_AS, &before));
    little = (struct rlimit){ 64 << 20, before.rlim_max };
    check(setrlimit(RLIMIT_AS, &little));
    struct manager *poor = manager_start(NULL, NULL, 0);
    check(setrlimit(RLIMIT_AS, &before));
    must(poor != NULL);
    struct dict *d = check_ptr(manager_dict(poor));
    do
        snprintf(key, sizeof key, "%d", count);
    while (dict_set(d, key, big, 500000) == 0 && ++count < 1000);
    must(errno == ENOMEM && count > 10 && dict_len(d) == count && dict_has(d, key) == 0);
    must(dict_del(d, "0") == 0 && dict_del(d, "1") == 0 && dict_set(d, "0", big, 500000) == 0);
    must(dict_get(d, "0", big, 500000) == 500000 && manager_stop(poor) == 0);
#endif
}

int main(int argc, char **argv)
{
    const char *address = argc == 3 ? argv[1] : NULL, *key = argc == 3 ? argv[2] : NULL;
    manager = check_ptr(manager_start(address, key, key != NULL ? strlen(key) : 0));
    test_dict();
    test_list();
    test_numbers();
    test_locks();
    test_others();
    test_together();
    test_killed_waiter();
    test_end(address, key);
    test_place();
    test_strangers();
    test_memory();
    must(manager_stop(manager) == 0);
}
