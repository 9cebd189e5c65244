/* queue_kill.c - clients of the queue are killed at random moments; the others must go on.
   ./queue_kill ROUNDS SEED
   Each round: 3 producers, 3 consumers, one waiter in join, and a queue for 4 messages; one client is
   killed by SIGKILL after up to 3 ms. The others must end within 5 s. Then: no message came twice, none
   was torn, those of each producer came in order, and at most one is missing, apart from those that a
   killed producer had not put yet. Prints one line; exit 1 and a line on stderr if anything is wrong. */
#include "workbook.h"

#include "queue.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PRODUCERS = 3, CONSUMERS = 3, JOINER = PRODUCERS + CONSUMERS, CLIENTS, EACH = 400, CAPACITY = 4,
       LIMIT_MS = 5000 };

struct message {
    int producer, number;
    unsigned char filling[200];         /* all the same: a torn message is seen */
};

struct all {
    struct queue *queue;
    pid_t parent;
    atomic_int seen[PRODUCERS][EACH];   /* how often each message came */
    atomic_int put[PRODUCERS];          /* put returned for so many */
    atomic_bool joined;
};

struct client {
    struct all *all;
    int number;
};

static int produce(struct all *all, int producer)
{
    for (int i = 0; i < EACH; i++) {
        struct message message = { .producer = producer, .number = i };
        memset(message.filling, i % 251, sizeof message.filling);
        check(queue_put(all->queue, &message));
        atomic_store(&all->put[producer], i + 1);
    }
    return 0;
}

static int consume(struct all *all)
{
    struct message message;
    int last[PRODUCERS] = { -1, -1, -1 };
    while (check(queue_get(all->queue, &message)) == 1) {
        if (message.number <= last[message.producer])
            die("producer %d: %d came after %d", message.producer, message.number, last[message.producer]);
        last[message.producer] = message.number;
        for (size_t i = 0; i < sizeof message.filling; i++)
            if (message.filling[i] != message.number % 251)
                die("a message is torn");
        atomic_fetch_add(&all->seen[message.producer][message.number], 1);
        check(queue_task_done(all->queue));
    }
    return 0;
}

static int be_client(void *argument)
{
    const struct client *client = argument;
    struct all *all = client->all;
    check(end_with_parent(all->parent));
    if (client->number < PRODUCERS)
        return produce(all, client->number);
    if (client->number < JOINER)
        return consume(all);
    /* The joiner. A task whose consumer was killed is never done, so it asks until main has closed the
       queue and says that it is over; a killed waiter in join must do no harm either. */
    while (queue_join_for(all->queue, 20) == -1 && !all->joined)
        if (errno != ETIMEDOUT)
            return 1;
    return 0;
}

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reaps one client within the limit; tells which. */
static int reap_one(pid_t *pids, int victim, long end, int round)
{
    for (;;) {
        int status;
        pid_t pid = check(waitpid(-1, &status, WNOHANG));
        if (pid == 0) {
            if (now_ms() > end)
                die("round %d: client %d was killed, and the others wait", round, victim);
            struct timespec rest = { .tv_nsec = 200000 };
            nanosleep(&rest, NULL);
            continue;
        }
        int who = 0;
        while (pids[who] != pid)
            who++;
        bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (!(who == victim && was_killed) && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
            die("round %d: client %d ended with wait status %d", round, who, status);
        return who;
    }
}

static void judge(struct all *all, int victim, int round)
{
    int lost = 0;
    for (int p = 0; p < PRODUCERS; p++)
        for (int i = 0; i < EACH; i++) {
            if (all->seen[p][i] > 1)
                die("round %d: message %d of producer %d came %d times", round, i, p, all->seen[p][i]);
            if (all->seen[p][i] == 0 && i < all->put[p])
                lost++;
        }
    if (lost > (victim >= PRODUCERS && victim < JOINER ? 1 : 0))
        die("round %d: client %d was killed, and %d messages are lost", round, victim, lost);
}

static unsigned play(int round)
{
    struct all *all = check_ptr(share(sizeof *all));
    struct client clients[CLIENTS];
    pid_t pids[CLIENTS];
    all->queue = check_ptr(queue_create(sizeof(struct message), CAPACITY));
    all->parent = getpid();
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ all, i };
        pids[i] = check(start_child(be_client, &clients[i]));
    }
    int victim = rand() % CLIENTS;
    struct timespec rest = { .tv_nsec = rand() % 3000000 };
    nanosleep(&rest, NULL);
    check(kill(pids[victim], SIGKILL));         /* not reaped yet, so the pid is still its own */

    long end = now_ms() + LIMIT_MS;
    int producers = PRODUCERS, consumers = CONSUMERS;
    for (int left = CLIENTS; left > 0; left--) {
        int who = reap_one(pids, victim, end, round);
        if (who < PRODUCERS && --producers == 0)
            queue_close(all->queue);
        if (who >= PRODUCERS && who < JOINER && --consumers == 0)
            all->joined = true;
    }
    judge(all, victim, round);
    unsigned deaths = queue_deaths(all->queue);
    check(queue_destroy(all->queue));
    check(munmap(all, sizeof *all));
    return deaths;
}

int main(int argc, char **argv)
{
    long rounds, seed;
    if (argc != 3 || parse_number(argv[1], 1, 1000000, &rounds) == -1 ||
        parse_number(argv[2], 0, 1000000000, &seed) == -1)
        usage("queue_kill ROUNDS SEED");
    srand((unsigned)seed);
    unsigned deaths = 0;
    for (int i = 0; i < (int)rounds; i++)
        deaths += play(i + 1);
    say("%ld clients killed, %u of them with the lock: the others went on", rounds, deaths);
}
