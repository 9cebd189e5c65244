/* crash | must end by itself */
#include "workbook.h"

#include <signal.h>
#include <unistd.h>

enum { MAX_PROCESSES = 16 };
#define USAGE "token_ring START LIMIT ADD...   (1 to 16 numbers ADD, each at least 1)"

struct ring {
    int count;                          /* how many processes */
    long limit, add[MAX_PROCESSES];
    int pipes[MAX_PROCESSES][2];        /* process I (0 is the first) reads pipe I and writes pipe I + 1 */
    pid_t parent;
};

struct place {
    const struct ring *ring;
    int number;
};

/* One process of the circle. Who sees the limit reached, ends. So its write end is closed, the next one sees
   the end of file and ends too, and so on, round to the one before it: nothing more has to be sent. */
static int pass_on(void *argument)
{
    const struct place *self = argument;
    const struct ring *ring = self->ring;
    int next = (self->number + 1) % ring->count;
    long value;
    check(end_with_parent(ring->parent));
    for (int i = 0; i < ring->count; i++) {     /* else the end of file would never come */
        if (i != self->number)
            check(close(ring->pipes[i][0]));
        if (i != next)
            check(close(ring->pipes[i][1]));
    }
    while (check(read_full(ring->pipes[self->number][0], &value, sizeof value)) == sizeof value) {
        value += ring->add[self->number];
        say("process %d (pid %d): %ld", self->number + 1, (int)getpid(), value);    /* before the token goes on */
        if (value >= ring->limit)
            return kill(0, SIGTERM);
        check(write_full(ring->pipes[next][1], &value, sizeof value));
    }
    return 0;
}

int main(int argc, char **argv)
{
    long start;
    struct ring ring = { .count = argc - 3, .parent = getpid() };
    if (argc < 4 || ring.count > MAX_PROCESSES || parse_number(argv[1], 0, 1000000, &start) == -1 ||
        parse_number(argv[2], 1, 1000000, &ring.limit) == -1)
        usage(USAGE);
    for (int i = 0; i < ring.count; i++)
        if (parse_number(argv[3 + i], 1, 1000000, &ring.add[i]) == -1)
            usage(USAGE);

    struct place places[MAX_PROCESSES];
    pid_t pids[MAX_PROCESSES];
    for (int i = 0; i < ring.count; i++)        /* all pipes before the first fork: everybody inherits all */
        check(pipe(ring.pipes[i]));
    for (int i = 0; i < ring.count; i++) {
        places[i] = (struct place){ .ring = &ring, .number = i };
        pids[i] = check(start_child(pass_on, &places[i]));
    }
    check(write_full(ring.pipes[0][1], &start, sizeof start));      /* somebody must begin: all the others read */
    for (int i = 0; i < ring.count; i++) {
        check(close(ring.pipes[i][0]));
        check(close(ring.pipes[i][1]));
    }
    if (check(wait_children(pids, ring.count)) != 0)
        return 1;                               /* it has been told */
    say("all %d processes have ended", ring.count);
    return 0;
}
