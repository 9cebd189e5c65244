/* wrong call | waits in a busy loop */
#include "workbook.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_PROCESSES = 16 };
#define USAGE "token_ring START LIMIT ADD...   (1 to 16 numbers ADD, each at least 1)"

struct ring {
    int count;
    long limit, add[MAX_PROCESSES];
    atomic_long value;
    atomic_int turn;                /* who has the token; -1: nobody any more */
    pid_t parent;
};

struct place {
    struct ring *ring;
    int number;
};

static int pass_on(void *argument)
{
    const struct place *self = argument;
    struct ring *ring = self->ring;
    check(end_with_parent(ring->parent));
    for (;;) {
        int turn;
        while ((turn = atomic_load(&ring->turn)) != self->number && turn != -1)
            ;
        if (turn == -1)
            return 0;
        long value = atomic_load(&ring->value) + ring->add[self->number];
        atomic_store(&ring->value, value);
        say("process %d (pid %d): %ld", self->number + 1, (int)getpid(), value);
        atomic_store(&ring->turn, value >= ring->limit ? -1 : (self->number + 1) % ring->count);
    }
}

int main(int argc, char **argv)
{
    long start;
    struct ring *ring = check_ptr(share(sizeof *ring));
    ring->count = argc - 3;
    ring->parent = getpid();
    if (argc < 4 || ring->count > MAX_PROCESSES || parse_number(argv[1], 0, 1000000, &start) == -1 ||
        parse_number(argv[2], 1, 1000000, &ring->limit) == -1)
        usage(USAGE);
    for (int i = 0; i < ring->count; i++)
        if (parse_number(argv[3 + i], 1, 1000000, &ring->add[i]) == -1)
            usage(USAGE);

    struct place places[MAX_PROCESSES];
    pid_t pids[MAX_PROCESSES];
    ring->value = start;
    for (int i = 0; i < ring->count; i++) {
        places[i] = (struct place){ .ring = ring, .number = i };
        pids[i] = check(start_child(pass_on, &places[i]));
    }
    int count = ring->count;
    if (check(wait_children(pids, count)) != 0)
        return 1;
    say("all %d processes have ended", count);
    check(munmap(ring, sizeof *ring));
    return 0;
}
