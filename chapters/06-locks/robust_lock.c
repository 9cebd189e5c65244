/* robust_lock.c - the owner of a lock is killed: the next one is told, repairs the data and goes on.
   Python: nothing like it; a multiprocessing.Lock whose owner was killed stays locked
   Calls:  pthread_mutexattr_setrobust(3), pthread_mutex_consistent(3)
   Needs:  01-fork/pipe, process_lock
   Try:    In enter, take out the line with pthread_mutex_consistent. The child's unlock now makes the
           lock useless for ever: main's lock fails, as with the argument "unrepaired". */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOOKS = 10 };
enum { RIGHT, STALLED, UNREPAIRED, THREAD };        /* modes */

struct shelves {                    /* in memory that all processes see */
    pthread_mutex_t lock;
    int left, right;                /* together always BOOKS, when nobody has the lock */
};

struct task {
    struct shelves *shelves;
    int mode;
    int report;                     /* a pipe end: "I am in the middle of it" */
    pid_t parent;
};

static const char *name_of(int code)
{
    return code == 0 ? "ok" : code == ENOTRECOVERABLE ? "ENOTRECOVERABLE" : errno_name(code);
}

/* Takes three books from the left. The other half of the work, right += 3, is never done. */
static void begin_to_move(const struct task *task)
{
    check_pthread(pthread_mutex_lock(&task->shelves->lock));
    task->shelves->left -= 3;
}

static int process_owner(void *argument)
{
    const struct task *task = argument;
    check(end_with_parent(task->parent));
    begin_to_move(task);
    check(write_full(task->report, "m", 1));
    return pause();                 /* main kills us here */
}

static void *thread_owner(void *argument)
{
    begin_to_move(argument);
    return NULL;                    /* this thread ends, with the lock */
}

/* The moment that is MS ms after now, by the clock of the mutexes: see try_and_timeout.c. */
static struct timespec moment_in(int ms)
{
    struct timespec moment;
    check(clock_gettime(CLOCK_REALTIME, &moment));
    long ns = moment.tv_nsec + ms % 1000 * 1000000L;
    moment.tv_sec += ms / 1000 + ns / 1000000000;
    moment.tv_nsec = ns % 1000000000;
    return moment;
}

/* For a lock that is not robust: nobody tells that its owner is gone. So not without a limit. */
static int lock_within_100_ms(pthread_mutex_t *lock)
{
    struct timespec limit = moment_in(100);
    return pthread_mutex_timedlock(lock, &limit);
}

/* Locks, as everybody must do who uses the shelves. Returns 0 or an error number. */
static int enter(const char *who, struct shelves *shelves, int mode)
{
    pthread_mutex_t *lock = &shelves->lock;
    int code = mode == STALLED ? lock_within_100_ms(lock) : pthread_mutex_lock(lock);
    say("%s%s locks: %s", code == 0 || code == EOWNERDEAD ? "" : "WRONG: ", who, name_of(code));
    if (code != EOWNERDEAD)
        return code;
    /* We have the lock, and the data may be half changed. Only the program knows how to repair it. */
    say("%s finds %d + %d books", who, shelves->left, shelves->right);
    if (mode == UNREPAIRED)
        return 0;                   /* does not look at the data, and does not say that it is right */
    shelves->left = BOOKS - shelves->right;
    check_pthread(pthread_mutex_consistent(lock));      /* "the data is right again" */
    say("%s repairs: %d + %d books", who, shelves->left, shelves->right);
    return 0;
}

static int next_one(void *argument)
{
    const struct task *task = argument;
    check(end_with_parent(task->parent));
    if (enter("the next one", task->shelves, task->mode) == 0)
        check_pthread(pthread_mutex_unlock(&task->shelves->lock));
    return 0;
}

/* Starts the owner, waits until it is in the middle of its work, and kills it. */
static void kill_the_owner(struct task *task)
{
    int ends[2], status;
    char byte;
    check(pipe(ends));
    task->report = ends[1];
    pid_t pid = check(start_child(process_owner, task));
    check(close(ends[1]));          /* now end of file means: it has ended */
    ssize_t told = check(read_full(ends[0], &byte, 1));
    check(kill(pid, SIGKILL));      /* not reaped yet, so the pid is still its own */
    status = check(wait_child(pid));
    check(close(ends[0]));
    if (told == 0 && WIFSIGNALED(status))
        die("the owner was killed by signal %d before it had the lock", WTERMSIG(status));
    if (!WIFSIGNALED(status))
        die("the owner ended with exit status %d", WEXITSTATUS(status));
    say("the owner, a process, was killed in the middle of its work");
}

int main(int argc, char **argv)
{
    const char *const modes[] = { "", "stalled", "unrepaired", "thread" };
    int mode = argc == 1 ? RIGHT : -1;
    for (int i = STALLED; argc == 2 && i <= THREAD; i++)
        if (strcmp(argv[1], modes[i]) == 0)
            mode = i;
    if (mode == -1)
        usage("robust_lock [stalled|unrepaired|thread]");

    struct shelves *shelves = check_ptr(share(sizeof *shelves));
    shelves->left = BOOKS;
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    if (mode != STALLED)
        check_pthread(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    check_pthread(pthread_mutex_init(&shelves->lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));

    struct task task = { .shelves = shelves, .mode = mode, .parent = getpid() };
    if (mode == THREAD) {
        pthread_t thread;
        check_pthread(pthread_create(&thread, NULL, thread_owner, &task));
        check_pthread(pthread_join(thread, NULL));
        say("the owner, a thread, has returned in the middle of its work");
    } else {
        kill_the_owner(&task);
        pid_t pid = check(start_child(next_one, &task));
        if (check(wait_children(&pid, 1)) != 0)
            return 1;               /* it has been told */
    }
    if (mode != STALLED && enter("main", shelves, mode) == 0) {
        say("books: %d", shelves->left + shelves->right);
        check_pthread(pthread_mutex_unlock(&shelves->lock));
    }
    check(munmap(shelves, sizeof *shelves));
}

/* Output:
the owner, a process, was killed in the middle of its work
the next one locks: EOWNERDEAD
the next one finds 7 + 0 books
the next one repairs: 10 + 0 books
main locks: ok
books: 10
*/

/* Output of ./robust_lock thread:
the owner, a thread, has returned in the middle of its work
main locks: EOWNERDEAD
main finds 7 + 0 books
main repairs: 10 + 0 books
books: 10
*/

/* Output of ./robust_lock stalled:
the owner, a process, was killed in the middle of its work
WRONG: the next one locks: ETIMEDOUT
*/

/* Output of ./robust_lock unrepaired:
the owner, a process, was killed in the middle of its work
the next one locks: EOWNERDEAD
the next one finds 7 + 0 books
WRONG: main locks: ENOTRECOVERABLE
*/
