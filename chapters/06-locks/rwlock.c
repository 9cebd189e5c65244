/* rwlock.c - many may read at the same time; who writes is alone.
   Python: nothing like it in the standard library
   Calls:  pthread_rwlock_rdlock(3), pthread_rwlock_wrlock(3), pthread_rwlock_unlock(3),
           pthread_rwlock_trywrlock(3), pthread_rwlock_timedwrlock(3)
   Needs:  01-fork/pipe, 05-threads/thread, lock, try_and_timeout
   Try:    In read_text, write wrlock for rdlock. The program hangs: the first reader is inside, alone,
           and main waits for three. (End it with Ctrl-C.) */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READERS = 3 };

struct page {
    pthread_rwlock_t lock;
    char text[16];
    int report[2];                  /* a reader says: I am inside */
    int gate[2];                    /* end of file says: leave */
};

static void *read_text(void *argument)
{
    struct page *page = argument;
    char byte = 'r';
    check_pthread(pthread_rwlock_rdlock(&page->lock));
    check(write_full(page->report[1], &byte, 1));
    check(read_full(page->gate[0], &byte, 1));      /* stays inside until main closes the gate */
    void *same = strcmp(page->text, "old") == 0 ? page : NULL;
    check_pthread(pthread_rwlock_unlock(&page->lock));
    return same;
}

/* Tries to become a reader while there is a writer. */
static void *try_to_read(void *argument)
{
    struct page *page = argument;
    say("a reader tries to come in: %s", errno_name(pthread_rwlock_tryrdlock(&page->lock)));
    return NULL;
}

/* The moment that is MS ms after now, by the clock of the locks: see try_and_timeout.c. */
static struct timespec moment_in(int ms)
{
    struct timespec moment;
    check(clock_gettime(CLOCK_REALTIME, &moment));
    long ns = moment.tv_nsec + ms % 1000 * 1000000L;
    moment.tv_sec += ms / 1000 + ns / 1000000000;
    moment.tv_nsec = ns % 1000000000;
    return moment;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct page page = { .lock = PTHREAD_RWLOCK_INITIALIZER, .text = "old" };
    pthread_t readers[READERS], late;
    check(pipe(page.report));
    check(pipe(page.gate));
    for (int i = 0; i < READERS; i++)
        check_pthread(pthread_create(&readers[i], NULL, read_text, &page));
    char inside[READERS];
    ssize_t count = check(read_full(page.report[0], inside, READERS));
    say("readers inside at the same time: %zd", count);
    say("a writer tries to come in: %s", errno_name(pthread_rwlock_trywrlock(&page.lock)));
    check(close(page.gate[1]));
    int same = 0;
    for (int i = 0; i < READERS; i++) {
        void *result;
        check_pthread(pthread_join(readers[i], &result));
        same += result != NULL;
    }
    say("readers that found the old text until they left: %d", same);

    check_pthread(pthread_rwlock_wrlock(&page.lock));
    strcpy(page.text, "new");
    say("a writer is inside, and has changed the text");
    check_pthread(pthread_create(&late, NULL, try_to_read, &page));
    check_pthread(pthread_join(late, NULL));
    check_pthread(pthread_rwlock_unlock(&page.lock));

    /* A reader that wants to write waits until all readers have left. It is one of them. */
    check_pthread(pthread_rwlock_rdlock(&page.lock));
    struct timespec limit = moment_in(50);
    int code = pthread_rwlock_timedwrlock(&page.lock, &limit);
    say("WRONG: a reader waits for itself to leave: %s", errno_name(code));
    /* Right: leave, then lock for writing, and look again. */
    check_pthread(pthread_rwlock_unlock(&page.lock));
    check_pthread(pthread_rwlock_wrlock(&page.lock));
    say("it leaves first, then it may write; the text is still \"%s\"", page.text);
    check_pthread(pthread_rwlock_unlock(&page.lock));

    check(close(page.gate[0]));
    check(close(page.report[0]));
    check(close(page.report[1]));
    check_pthread(pthread_rwlock_destroy(&page.lock));
}

/* Output:
readers inside at the same time: 3
a writer tries to come in: EBUSY
readers that found the old text until they left: 3
a writer is inside, and has changed the text
a reader tries to come in: EBUSY
WRONG: a reader waits for itself to leave: ETIMEDOUT
it leaves first, then it may write; the text is still "new"
*/
