/* wrong output | started once */
#include "workbook.h"

#include <unistd.h>

enum { MAX_PROCESSES = 16 };
#define USAGE "token_ring START LIMIT ADD...   (1 to 16 numbers ADD, each at least 1)"

struct turn {
    int number;
    long value;
    pid_t parent;
};

static int take_turn(void *argument)
{
    const struct turn *turn = argument;
    check(end_with_parent(turn->parent));
    say("process %d (pid %d): %ld", turn->number, (int)getpid(), turn->value);
    return 0;
}

int main(int argc, char **argv)
{
    int count = argc - 3;
    long value, limit, add[MAX_PROCESSES];
    if (count < 1 || count > MAX_PROCESSES || parse_number(argv[1], 0, 1000000, &value) == -1 ||
        parse_number(argv[2], 1, 1000000, &limit) == -1)
        usage(USAGE);
    for (int i = 0; i < count; i++)
        if (parse_number(argv[3 + i], 1, 1000000, &add[i]) == -1)
            usage(USAGE);

    for (int i = 0; i == 0 || value < limit; i++) {
        struct turn turn = { i % count + 1, value += add[i % count], getpid() };
        pid_t pid = check(start_child(take_turn, &turn));
        if (check(wait_children(&pid, 1)) != 0)
            return 1;
    }
    say("all %d processes have ended", count);
    return 0;
}
