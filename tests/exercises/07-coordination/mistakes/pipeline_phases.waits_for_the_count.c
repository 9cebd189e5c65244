/* deadlock | a slow thread cannot see */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STATIONS = 16, MAX_NUMBERS = 64 };
#define USAGE "pipeline_phases STATIONS NUMBER...   (as in: pipeline_phases +3,*2,-1 5 7 9)"

/* ---- the barrier ---- */

struct barrier {
    pthread_mutex_t lock;       /* for all that follows */
    pthread_cond_t change;      /* "a meeting is over" */
    int parties;
    int arrived;                /* at the meeting that is going on */
};

static void init_barrier(struct barrier *barrier, int parties)
{
    check_pthread(pthread_mutex_init(&barrier->lock, NULL));
    check_pthread(pthread_cond_init(&barrier->change, NULL));
    barrier->parties = parties;
    barrier->arrived = 0;
}

static bool meet(struct barrier *barrier)
{
    check_pthread(pthread_mutex_lock(&barrier->lock));
    barrier->arrived++;
    bool last = barrier->arrived == barrier->parties;
    if (last) {
        barrier->arrived = 0;
        check_pthread(pthread_cond_broadcast(&barrier->change));
    } else {
        while (barrier->arrived < barrier->parties)
            check_pthread(pthread_cond_wait(&barrier->change, &barrier->lock));
    }
    check_pthread(pthread_mutex_unlock(&barrier->lock));
    return last;
}

static void destroy_barrier(struct barrier *barrier)
{
    check_pthread(pthread_cond_destroy(&barrier->change));
    check_pthread(pthread_mutex_destroy(&barrier->lock));
}

/* ---- the belt ---- */

/* What stands at the stations. Between two meetings each station touches its own place only; while the belt is
   moved, nobody does. So nothing here needs a lock of its own: the meetings order it all. */
struct belt {
    struct barrier barrier;
    int stations, numbers, phases;
    long number[MAX_NUMBERS], result[MAX_NUMBERS];
    int at[MAX_STATIONS];               /* which number stands at this station; -1: none */
    long value[MAX_STATIONS];           /* what has become of it so far */
    int moves;
};

struct station {
    struct belt *belt;
    pthread_t thread;
    int place;
    char operation;                     /* + - or * */
    long operand;
};

/* Moves everything one place on. The next number comes to the first station. */
static void move_belt(struct belt *belt)
{
    int last = belt->stations - 1;
    belt->moves++;
    if (belt->at[last] >= 0)
        belt->result[belt->at[last]] = belt->value[last];
    for (int i = last; i > 0; i--) {
        belt->at[i] = belt->at[i - 1];
        belt->value[i] = belt->value[i - 1];
    }
    belt->at[0] = belt->moves < belt->numbers ? belt->moves : -1;
    belt->value[0] = belt->at[0] >= 0 ? belt->number[belt->at[0]] : 0;
}

static void *work(void *argument)
{
    const struct station *self = argument;
    struct belt *belt = self->belt;
    for (int phase = 0; phase < belt->phases; phase++) {
        if (belt->at[self->place] >= 0) {
            long *value = &belt->value[self->place];
            *value = self->operation == '+' ? *value + self->operand :
                     self->operation == '-' ? *value - self->operand : *value * self->operand % 1000000;
        }
        if (meet(&belt->barrier))       /* all have done their work: one of them moves the belt */
            move_belt(belt);
        meet(&belt->barrier);           /* it has been moved: now all go on */
    }
    return NULL;
}

static int read_stations(struct station *stations, const char *text)
{
    for (int count = 0, used; count < MAX_STATIONS; text += used) {
        struct station *station = &stations[count];
        used = 0;
        if (sscanf(text, "%c%4ld%n", &station->operation, &station->operand, &used) != 2 || station->operand < 0 ||
            strchr("+-*", station->operation) == NULL || (text[used] != ',' && text[used] != '\0'))
            break;
        station->place = count++;
        if (text[used++] == '\0')
            return count;
    }
    usage(USAGE);
}

int main(int argc, char **argv)
{
    static struct belt belt;
    static struct station stations[MAX_STATIONS];
    belt.numbers = argc - 2;
    if (belt.numbers < 1 || belt.numbers > MAX_NUMBERS)
        usage(USAGE);
    belt.stations = read_stations(stations, argv[1]);
    belt.phases = belt.numbers + belt.stations - 1;
    for (int i = 0; i < belt.numbers; i++) {
        if (parse_number(argv[i + 2], -999, 999, &belt.number[i]) == -1)
            usage(USAGE);
        belt.result[i] = belt.number[i];
    }
    for (int i = 0; i < belt.stations; i++)
        belt.at[i] = -1;
    belt.at[0] = 0;
    belt.value[0] = belt.number[0];

    init_barrier(&belt.barrier, belt.stations);
    for (int i = 0; i < belt.stations; i++) {
        stations[i].belt = &belt;
        check_pthread(pthread_create(&stations[i].thread, NULL, work, &stations[i]));
    }
    for (int i = 0; i < belt.stations; i++)
        check_pthread(pthread_join(stations[i].thread, NULL));
    destroy_barrier(&belt.barrier);

    for (int i = 0; i < belt.numbers; i++)
        say("%ld becomes %ld", belt.number[i], belt.result[i]);
    say("phases %d, moves %d", belt.phases, belt.moves);
    return 0;
}
