/* robust_lock.c - the owner of a lock is killed: the next one is told, repairs the data and goes on.
   Python: nothing like it; a multiprocessing.Lock whose owner was killed stays locked
   Calls:  pthread_mutexattr_setrobust(3), pthread_mutex_consistent(3)
   Needs:  01-fork/exit_status, process_lock
   Try:    Take out the line with pthread_mutex_consistent. The unlock now makes the lock useless for
           ever: main's second lock fails, as with the argument "unrepaired". */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { BOOKS = 10 };

struct shelves {                    /* in memory that both processes see */
    pthread_mutex_t lock;
    int left, right;                /* together always BOOKS, when nobody has the lock */
};

static void make_lock(pthread_mutex_t *lock, int robust)
{
    pthread_mutexattr_t attributes;
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutexattr_setrobust(&attributes, robust));
    check_pthread(pthread_mutex_init(lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));
}

/* Takes three books from the left. The other half of the work, right += 3, is never done. */
static void begin_to_move(struct shelves *shelves)
{
    check_pthread(pthread_mutex_lock(&shelves->lock));
    shelves->left -= 3;
}

static int process_owner(void *shelves)
{
    begin_to_move(shelves);
    return raise(SIGKILL);          /* as if somebody had killed us just here, with the lock */
}

static void *thread_owner(void *shelves)
{
    begin_to_move(shelves);
    return NULL;                    /* the thread ends, with the lock */
}

/* What each user of the shelves must do with the result CODE of pthread_mutex_lock. Returns
   whether we have the lock. */
static bool enter(struct shelves *shelves, int code, bool repair)
{
    say("%smain locks: %s", code == 0 || code == EOWNERDEAD ? "" : "WRONG: ",
        code == 0 ? "ok" : errno_name(code));
    if (code != EOWNERDEAD)
        return code == 0;
    /* We have the lock, and the data may be half changed. Only the program knows how to repair it. */
    say("main finds %d + %d books", shelves->left, shelves->right);
    if (repair) {
        shelves->left = BOOKS - shelves->right;
        check_pthread(pthread_mutex_consistent(&shelves->lock));    /* "the data is right again" */
        say("main repairs: %d + %d books", shelves->left, shelves->right);
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *mode = argc == 2 ? argv[1] : "";
    bool stalled = strcmp(mode, "stalled") == 0, unrepaired = strcmp(mode, "unrepaired") == 0;
    bool thread = strcmp(mode, "thread") == 0;
    if (argc > 1 && !stalled && !unrepaired && !thread)
        usage("robust_lock [stalled|unrepaired|thread]");

    struct shelves *shelves = check_ptr(share(sizeof *shelves));
    pthread_mutex_t *lock = &shelves->lock;
    shelves->left = BOOKS;
    make_lock(lock, stalled ? PTHREAD_MUTEX_STALLED : PTHREAD_MUTEX_ROBUST);

    if (thread) {
        pthread_t owner;
        check_pthread(pthread_create(&owner, NULL, thread_owner, shelves));
        check_pthread(pthread_join(owner, NULL));
        say("the owner, a thread, has ended");
    } else {
        pid_t pid = check(start_child(process_owner, shelves));
        int status = check(wait_child(pid));
        if (!WIFSIGNALED(status))
            die("the owner ended with exit status %d", WEXITSTATUS(status));
        say("the owner, a process, was killed");
    }

    /* Not robust: pthread_mutex_lock would wait for ever here. So this one only tries. */
    int code = stalled ? pthread_mutex_trylock(lock) : pthread_mutex_lock(lock);
    if (enter(shelves, code, !unrepaired)) {
        check_pthread(pthread_mutex_unlock(lock));
        if (enter(shelves, pthread_mutex_lock(lock), true)) {
            say("books: %d", shelves->left + shelves->right);
            check_pthread(pthread_mutex_unlock(lock));
        }
    }
    check(munmap(shelves, sizeof *shelves));
}

/* Output:
the owner, a process, was killed
main locks: EOWNERDEAD
main finds 7 + 0 books
main repairs: 10 + 0 books
main locks: ok
books: 10
*/

/* Output of ./robust_lock thread:
the owner, a thread, has ended
main locks: EOWNERDEAD
main finds 7 + 0 books
main repairs: 10 + 0 books
main locks: ok
books: 10
*/

/* Output of ./robust_lock stalled:
the owner, a process, was killed
WRONG: main locks: EBUSY
*/

/* Output of ./robust_lock unrepaired:
the owner, a process, was killed
main locks: EOWNERDEAD
main finds 7 + 0 books
WRONG: main locks: ENOTRECOVERABLE
*/
