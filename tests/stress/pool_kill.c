/* pool_kill.c - workers of a pool, or its parent, are killed at random moments.
   ./pool_kill ROUNDS SEED
   Each round: a program with 3 workers maps 400 items, then gives 40 single tasks; messages and results have up to
   100000 bytes. One to three times in a round a worker is killed by SIGKILL, or once the program itself. It must end within
   5 s, with each result right or lost with its worker, at most one task lost for each kill; and nothing may be left.
   Prints one line; exit 1 and a line on stderr if anything is wrong. */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 3, ITEMS = 400, SINGLES = 40, MOST = 100000, LIMIT_MS = 5000 };

static size_t length_of(int number)
{
    return number % 10 == 0 ? (size_t)number * 7919 % MOST : (size_t)number % 50;
}

/* So many bytes, all the same, depending on the number. */
static int make_bytes(const void *message, size_t size, struct reply *reply)
{
    static char bytes[MOST];
    int number = *(const int *)message;
    (void)size;
    memset(bytes, number % 251, length_of(number));
    return reply_bytes(reply, bytes, length_of(number));
}

/* 1: lost with its worker, 0: right. */
static int is_lost(const struct result *result, int number)
{
    if (result->error == EOWNERDEAD)
        return 1;
    if (result->error != 0)
        die("item %d: %s", number, (const char *)result->bytes);
    if (result->size != length_of(number))
        die("item %d: %zu bytes", number, result->size);
    for (size_t i = 0; i < result->size; i++)
        if (((const unsigned char *)result->bytes)[i] != number % 251)
            die("item %d: a wrong byte", number);
    return 0;
}

/* The program. Its exit status is the number of tasks that were lost, or 100 if something is wrong. */
static int play(void)
{
    int items[ITEMS], lost = 0;
    static char message[MOST];
    struct async *singles[SINGLES];
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;
    struct pool *pool = pool_open(WORKERS, NULL, NULL);
    if (pool == NULL)
        return 100;
    struct async *map = check_ptr(pool_map(pool, make_bytes, items, ITEMS, sizeof items[0], 1));
    for (int i = 0; i < ITEMS; i++)
        lost += is_lost(async_result(map, (size_t)i), i);
    async_free(map);
    for (int i = 0; i < SINGLES; i++) {
        memcpy(message, &items[i * 10], sizeof items[0]);
        singles[i] = check_ptr(pool_apply_async(pool, make_bytes, message, MOST));
    }
    for (int i = 0; i < SINGLES; i++) {
        check(async_wait(singles[i], -1));
        lost += is_lost(async_result(singles[i], 0), i * 10);
        async_free(singles[i]);
    }
    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
    return lost;
}

static int child_of(pid_t parent)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    if (file != NULL)
        fclose(file);
    int pids[WORKERS], count = 0;
    for (char *word = strtok(text, " "); word != NULL && count < WORKERS; word = strtok(NULL, " "))
        pids[count++] = atoi(word);
    return count == 0 ? 0 : pids[rand() % count];
}

static void rest_us(long us)
{
    struct timespec time = { 0, us * 1000 };
    nanosleep(&time, NULL);
}

static void round_of_kills(int round, int *totals)
{
    bool parent_too = round % 4 == 3;
    pid_t me = getpid(), program = check(fork());
    if (program == 0) {
        check(end_with_parent(me));
        _exit(play());
    }
    int kills = parent_too ? 1 : 1 + rand() % 3, done = 0;
    for (int i = 0; i < kills; i++) {
        rest_us(rand() % 4000);
        pid_t victim = parent_too ? program : child_of(program);
        if (victim > 0 && kill(victim, SIGKILL) == 0)
            done++;
    }
    struct pollfd end = { .fd = (int)check(syscall(SYS_pidfd_open, program, 0)), .events = POLLIN };
    if (check(poll(&end, 1, LIMIT_MS)) == 0)
        die("round %d: the program still runs %d ms after %d kills", round, LIMIT_MS, done);
    check(close(end.fd));
    int status = check(wait_child(program));
    if (!parent_too && (!WIFEXITED(status) || WEXITSTATUS(status) > done))
        die("round %d: %d kills, wait status %d", round, done, status);
    if (!parent_too)
        totals[1] += WEXITSTATUS(status);
    totals[0] += done;
    for (int i = 0; ; i++) {            /* its workers are our children now, if there are any */
        pid_t left = waitpid(-1, NULL, WNOHANG);
        if (left == -1 && errno == ECHILD)
            return;
        if (i > LIMIT_MS)
            die("round %d: a worker is left", round);
        if (left == 0)
            rest_us(1000);
    }
}

int main(int argc, char **argv)
{
    long rounds, seed;
    int totals[2] = { 0, 0 };
    if (argc != 3 || parse_number(argv[1], 1, 1000000, &rounds) == -1 || parse_number(argv[2], 0, 1000000, &seed) == -1)
        usage("pool_kill ROUNDS SEED");
    check(prctl(PR_SET_CHILD_SUBREAPER, 1));
    srand((unsigned)seed);
    for (int round = 0; round < rounds; round++)
        round_of_kills(round, totals);
    say("%ld rounds: %d kills, %d tasks lost with their worker, nothing left", rounds, totals[0], totals[1]);
}
