/* wrong output | a number, not a flag */
#include "workbook.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_VISITORS = 64 };
#define USAGE "readers_writers STEP...   (as in: readers_writers r w rr - - r)"

/* ---- the room ---- */

struct room {
    pthread_mutex_t lock;       /* for all that follows. Nobody holds it while it reads or writes */
    pthread_cond_t changed;     /* "somebody has left": all look again who may go in */
    int readers;                /* how many are inside */
    bool writer;                /* is one inside? */
    int writers_wait;
};

static void init_room(struct room *room)
{
    check_pthread(pthread_mutex_init(&room->lock, NULL));
    check_pthread(pthread_cond_init(&room->changed, NULL));
    room->readers = room->writers_wait = 0;
    room->writer = false;
}

static void start_read(struct room *room)
{
    check_pthread(pthread_mutex_lock(&room->lock));
    while (room->writer || room->writers_wait > 0)      /* a writer that waits goes first */
        check_pthread(pthread_cond_wait(&room->changed, &room->lock));
    room->readers++;
    check_pthread(pthread_mutex_unlock(&room->lock));
}

static void end_read(struct room *room)
{
    check_pthread(pthread_mutex_lock(&room->lock));
    room->readers--;
    if (room->readers == 0)
        check_pthread(pthread_cond_broadcast(&room->changed));
    check_pthread(pthread_mutex_unlock(&room->lock));
}

static void start_write(struct room *room)
{
    check_pthread(pthread_mutex_lock(&room->lock));
    room->writers_wait = 1;
    while (room->writer || room->readers > 0)
        check_pthread(pthread_cond_wait(&room->changed, &room->lock));
    room->writers_wait = 0;
    room->writer = true;
    check_pthread(pthread_mutex_unlock(&room->lock));
}

static void end_write(struct room *room)
{
    check_pthread(pthread_mutex_lock(&room->lock));
    room->writer = false;
    check_pthread(pthread_cond_broadcast(&room->changed));  /* it may be the turn of many readers */
    check_pthread(pthread_mutex_unlock(&room->lock));
}

static void destroy_room(struct room *room)
{
    check_pthread(pthread_cond_destroy(&room->changed));
    check_pthread(pthread_mutex_destroy(&room->lock));
}

/* ---- the play: who comes and leaves when ---- */

enum { WAITS, INSIDE, GONE };

struct visitor {
    struct play *play;
    pthread_t thread;
    bool writes;
    int step;                   /* in which it came */
    sem_t may_leave;            /* main posts it */
    bool saw_change;            /* a reader: the page was not the same at its end. Main looks after the join */
    atomic_int tid, state, turn;    /* main looks at these while the thread runs. Relaxed: they order nothing */
};

struct play {
    struct room room;
    atomic_int page;            /* what is read and written in the room: its version. -1: half written */
    atomic_int turns;           /* how many have come in */
    struct visitor visitor[MAX_VISITORS];
    int visitors, steps;
};

static void come_in(struct visitor *self)
{
    int turn = atomic_fetch_add_explicit(&self->play->turns, 1, memory_order_relaxed);
    atomic_store_explicit(&self->turn, turn, memory_order_relaxed);
    atomic_store_explicit(&self->state, INSIDE, memory_order_relaxed);
}

static void *visit(void *argument)
{
    struct visitor *self = argument;
    struct play *play = self->play;
    atomic_store_explicit(&self->tid, gettid(), memory_order_relaxed);
    if (self->writes) {
        start_write(&play->room);
        come_in(self);
        int version = play->page;
        play->page = -1;
        check(wait_semaphore(&self->may_leave));
        play->page = version + 1;
        end_write(&play->room);
    } else {
        start_read(&play->room);
        come_in(self);
        int version = play->page;
        check(wait_semaphore(&self->may_leave));
        self->saw_change = version == -1 || play->page != version;
        end_read(&play->room);
    }
    atomic_store_explicit(&self->state, GONE, memory_order_relaxed);
    return NULL;
}

static int state_of_visitor(struct visitor *visitor)
{
    return atomic_load_explicit(&visitor->state, memory_order_relaxed);
}

/* Waits until each visitor has gone, or waits for something, and nothing moves any more, at five looks. Only the
   kernel can say so. For at most 8 s: whoever waits in a busy loop never seems to wait. */
static void let_them_run(struct play *play)
{
    for (int looks = 0, same = 0, before = -1; looks < 8000 && same < 5; looks++) {
        bool all_wait = true;
        int now = 0;
        for (int i = 0; i < play->visitors; i++) {
            struct visitor *visitor = &play->visitor[i];
            int state = state_of_visitor(visitor);
            now += state;
            if (state == GONE)
                continue;
            all_wait = all_wait && state_of(atomic_load_explicit(&visitor->tid, memory_order_relaxed)) == 'S';
        }
        same = all_wait && now == before ? same + 1 : 0;
        before = now;
        check(poll(NULL, 0, 1));        /* 1 ms; then it looks again */
    }
}

/* Of those that were INSIDE when the step began, the one that has been there longest, or NULL. Only once. */
static struct visitor *longest_inside(struct play *play, bool *inside)
{
    struct visitor *longest = NULL;
    for (int i = 0; i < play->visitors; i++)
        if (inside[i] && (longest == NULL || play->visitor[i].turn < longest->turn))
            longest = &play->visitor[i];
    if (longest != NULL)
        inside[longest - play->visitor] = false;
    return longest;
}

/* One step: visitors that come at the same time, as in rrw; or -- : two leave at the same time. */
static void do_step(struct play *play, const char *step)
{
    bool inside[MAX_VISITORS] = { false };
    int count[3] = { 0 }, writing = 0;
    play->steps++;
    for (int i = 0; i < play->visitors; i++)
        inside[i] = state_of_visitor(&play->visitor[i]) == INSIDE;
    for (const char *at = step; *at != '\0'; at++) {
        if (*at == '-') {
            struct visitor *leaves = longest_inside(play, inside);
            if (leaves != NULL)
                check(sem_post(&leaves->may_leave));
            continue;
        }
        if ((*at != 'r' && *at != 'w') || play->visitors == MAX_VISITORS)
            usage(USAGE);
        struct visitor *visitor = &play->visitor[play->visitors++];
        visitor->play = play;
        visitor->writes = *at == 'w';
        visitor->step = play->steps;
        check(sem_init(&visitor->may_leave, 0, 0));
        check_pthread(pthread_create(&visitor->thread, NULL, visit, visitor));
    }
    let_them_run(play);
    for (int i = 0; i < play->visitors; i++) {
        int state = state_of_visitor(&play->visitor[i]);
        count[state]++;
        writing += state == INSIDE && play->visitor[i].writes;
    }
    if (strchr(step, 'r') != NULL && strchr(step, 'w') != NULL)     /* who of them was first is open */
        say("%s: inside or waiting %d", step, count[INSIDE] + count[WAITS]);
    else
        say("%s: reading %d, writing %d, waiting %d", step, count[INSIDE] - writing, writing, count[WAITS]);
}

/* How many readers came in before a writer that had come, and waited, in a step before theirs? */
static int overtakings(struct play *play)
{
    int count = 0;
    for (int w = 0; w < play->visitors; w++)
        for (int r = 0; r < play->visitors; r++) {
            const struct visitor *writer = &play->visitor[w], *reader = &play->visitor[r];
            count += writer->writes && !reader->writes && reader->step > writer->step && reader->turn < writer->turn;
        }
    return count;
}

int main(int argc, char **argv)
{
    static struct play play;
    int writers = 0;
    if (argc < 2)
        usage(USAGE);
    init_room(&play.room);
    for (int i = 1; i < argc; i++)
        do_step(&play, argv[i]);
    for (int i = 0; i < play.visitors; i++)     /* now all may leave, when they like */
        check(sem_post(&play.visitor[i].may_leave));
    for (int i = 0; i < play.visitors; i++)
        check_pthread(pthread_join(play.visitor[i].thread, NULL));

    for (int i = 0; i < play.visitors; i++) {
        writers += play.visitor[i].writes;
        if (play.visitor[i].saw_change)
            say("visitor %d saw the page change while it read", i + 1);
        check(sem_destroy(&play.visitor[i].may_leave));
    }
    say("writers %d, version of the page %d, overtaken by %d readers", writers, (int)play.page, overtakings(&play));
    destroy_room(&play.room);
    return 0;
}
