/* wrong call | waits in a busy loop */
#include "workbook.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_WORKERS = 16, MAX_ROOM = 64, MAX_JOBS = 999, MAX_WORD = 20 };
#define USAGE "ordered_merge W ROOM < JOBS   (W: 1 to 16 workers, ROOM: 1 to 64 results)"

static struct job {
    char word[MAX_WORD + 1];
    long after;                 /* the number of a job that must be done before, or 0 */
} jobs[MAX_JOBS + 1];           /* job 1 is jobs[1] */

static struct shared {
    atomic_int printed, early;
    sem_t done[MAX_JOBS + 1];   /* posted when that job is done */
} *shared;

static long room;

/* Does job NUMBER (the first one is 1), and writes the result to RESULT. It may wait for another job. */
static void do_job(int number, char result[MAX_WORD + 1])
{
    const struct job *job = &jobs[number];
    int none = 0;
    if (number > atomic_load(&shared->printed) + room)
        atomic_compare_exchange_strong(&shared->early, &none, number);
    if (job->after != 0) {
        check(wait_semaphore(&shared->done[job->after]));
        check(sem_post(&shared->done[job->after]));     /* others may wait for the same job */
    }
    size_t length = strlen(job->word);
    for (size_t i = 0; i < length; i++)
        result[i] = job->word[length - 1 - i];
    result[length] = '\0';
    check(sem_post(&shared->done[number]));
}

/* Prints the result of job NUMBER. */
static void print_result(int number, const char *result)
{
    say("job %d: %s", number, result);
    atomic_fetch_add(&shared->printed, 1);
}

static void tell_end(void)
{
    if (shared->early != 0)
        say("job %d began too early: there was no room for its result", shared->early);
    else
        say("no job began too early");
}

/* Reads the jobs from standard input; returns how many they are. */
static int read_jobs(void)
{
    static char text[MAX_JOBS * (MAX_WORD + 6) + 1];
    int count = 0;
    text[check(read_full(STDIN_FILENO, text, sizeof text - 1))] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *blank = strchr(line, ' ');
        size_t length = strcspn(line, " ");
        if (count++ == MAX_JOBS || length == 0 || length > MAX_WORD)
            die("line %d is no job, or one too many", count);
        memcpy(jobs[count].word, line, length);
        if (blank != NULL && parse_number(blank + 1, count + 1, MAX_JOBS, &jobs[count].after) == -1)
            die("line %d: '%s' is not the number of a later job", count, blank + 1);
    }
    for (int i = 1; i <= count; i++)
        if (jobs[i].after > count)
            die("job %d waits for job %ld, and there are only %d", i, jobs[i].after, count);
    shared = check_ptr(share(sizeof *shared));
    for (int i = 1; i <= count; i++)
        check(sem_init(&shared->done[i], 1, 0));
    return count;
}

struct result {
    int number;                     /* of the job: with it, the result may come at any time, from anybody */
    char text[MAX_WORD + 1];
};

struct plan {                       /* in memory that all share */
    sem_t room;                     /* for so many more jobs there is room: they may begin */
    atomic_int next;                /* the next job that a worker takes */
    int count, results[2];
    pid_t parent;
};

/* First the room, then the job: so among all jobs that have begun are never more than ROOM that are not printed. */
static int work(void *argument)
{
    struct plan *plan = argument;
    check(end_with_parent(plan->parent));
    check(close(plan->results[0]));
    for (;;) {
        struct result result = { 0 };
        while (sem_trywait(&plan->room) == -1)
            ;
        result.number = atomic_fetch_add(&plan->next, 1);
        if (result.number > plan->count)
            break;
        do_job(result.number, result.text);
        check(write_full(plan->results[1], &result, sizeof result));    /* one write: never torn */
    }
    check(sem_post(&plan->room));   /* we did not need it, and another one may wait to see the end */
    return 0;
}

/* The result of job N waits at place N % room. The jobs that have begun and are not printed are `room` at most,
   one after the other: so no two of them have the same place. */
static int merge(void *argument)
{
    struct plan *plan = argument;
    struct result result, early[MAX_ROOM] = { 0 };
    int turn = 1;
    check(end_with_parent(plan->parent));
    check(close(plan->results[1])); /* else the end of file would never come */
    while (check(read_full(plan->results[0], &result, sizeof result)) == sizeof result) {
        early[result.number % room] = result;
        for (; early[turn % room].number == turn; turn++) {
            print_result(turn, early[turn % room].text);
            check(sem_post(&plan->room));
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    long workers;
    if (argc != 3 || parse_number(argv[1], 1, MAX_WORKERS, &workers) == -1 || parse_number(argv[2], 1, MAX_ROOM, &room) == -1)
        usage(USAGE);
    int count = read_jobs();

    struct plan *plan = check_ptr(share(sizeof *plan));
    plan->count = count;
    plan->next = 1;
    plan->parent = getpid();
    check(sem_init(&plan->room, 1, (unsigned)room));
    check(pipe(plan->results));

    pid_t pids[MAX_WORKERS + 1];
    for (int i = 0; i < workers; i++)
        pids[i] = check(start_child(work, plan));
    pids[workers] = check(start_child(merge, plan));
    check(close(plan->results[0]));
    check(close(plan->results[1]));
    if (check(wait_children(pids, (int)workers + 1)) != 0)
        return 1;                   /* it has been told, and the others were ended */
    tell_end();
    check(munmap(plan, sizeof *plan));
    check(munmap(shared, sizeof *shared));
    return 0;
}
