/* semaphore_limit.c - at most so many at once: eight processes and a room with 1, 3 or 8 places.
   Python: multiprocessing.Semaphore(3), with semaphore: ...
   Calls:  sem_init(3), sem_wait(3), sem_post(3)
   Needs:  06-locks/process_lock, semaphore
   Try:    In visit(), take out the wait for room->full. Now a quick visitor has gone before the next
           one comes: the most at once is too low, and main says so. Is the limit tested then? */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

enum { VISITORS = 8 };

struct room {
    sem_t places;           /* how many places are free */
    int size;               /* how many there are */

    pthread_mutex_t lock;   /* for the four below, which only watch */
    int inside, most, visits;
    bool was_full;
    sem_t full;             /* the first visitors stay until the room is full once */
    pid_t parent;
};

static int visit(void *argument)
{
    struct room *room = argument;
    check(end_with_parent(room->parent));
    check(wait_semaphore(&room->places));       /* takes a place; waits when there is none */

    check_pthread(pthread_mutex_lock(&room->lock));
    room->visits++;
    room->inside++;
    if (room->most < room->inside)
        room->most = room->inside;
    if (room->inside == room->size && !room->was_full) {
        room->was_full = true;
        for (int i = 0; i < VISITORS; i++)      /* one for each: from now on nobody has to stay */
            check(sem_post(&room->full));
    }
    check_pthread(pthread_mutex_unlock(&room->lock));

    check(wait_semaphore(&room->full));         /* without this, a quick visitor may never meet another */

    check_pthread(pthread_mutex_lock(&room->lock));
    room->inside--;
    check_pthread(pthread_mutex_unlock(&room->lock));
    check(sem_post(&room->places));             /* gives the place back */
    return 0;
}

static void open_room(struct room *room, int size)
{
    pthread_mutexattr_t attributes;
    *room = (struct room){ .size = size, .parent = getpid() };
    check(sem_init(&room->places, 1, (unsigned)size));
    check(sem_init(&room->full, 1, 0));
    check_pthread(pthread_mutexattr_init(&attributes));
    check_pthread(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    check_pthread(pthread_mutex_init(&room->lock, &attributes));
    check_pthread(pthread_mutexattr_destroy(&attributes));
}

int main(void)
{
    const int sizes[] = { 1, 3, 8 };
    struct room *room = check_ptr(share(sizeof *room));
    for (int s = 0; s < 3; s++) {
        pid_t children[VISITORS];
        open_room(room, sizes[s]);
        for (int i = 0; i < VISITORS; i++)
            children[i] = check(start_child(visit, room));
        if (check(wait_children(children, VISITORS)) != 0)
            return 1;       /* one was killed, perhaps inside: its place would never be free again */
        say("%d places, %d visits: most at once: %d", sizes[s], room->visits, room->most);
        if (room->most != sizes[s])
            die("%d were inside at once", room->most);
        check(sem_destroy(&room->places));
        check(sem_destroy(&room->full));
        check_pthread(pthread_mutex_destroy(&room->lock));
    }
    check(munmap(room, sizeof *room));
}

/* Output:
1 places, 8 visits: most at once: 1
3 places, 8 visits: most at once: 3
8 places, 8 visits: most at once: 8
*/
