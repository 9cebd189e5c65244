/* ordered_merge.c - an exercise: W workers do jobs, and the results are printed in the order of the input.
   Task:  ordered_merge W ROOM < JOBS  does every job once, and prints every result.
          1. main starts W workers, once. Whoever is free takes the next job: job 1 is the first line of
             the input, then come job 2, job 3 ... A worker does a job with do_job(), hands the result on
             through a pipe or shared memory, and takes the next job. When none is left, it ends.
          2. Some jobs wait for a later one, so results come in any order. ONE process (main, or one more
             child) prints them, each with print_result(), in the order of the input: job 1, job 2 ...
          3. There is room for ROOM results. A job must not begin before there is room for its result: with
             ROOM 4, job 5 begins when job 1 has been printed, job 6 when job 2 has been printed ...
             But a job that may begin must not wait for anything else than a free worker. And a result is
             printed as soon as it is its turn: not only at the end.
          4. main waits for every child, calls tell_end(), and ends with exit code 0. Nobody waits in a
             busy loop. There may be no job at all, and there may be fewer jobs than workers.
   Given: a line of the input is a word, or a word and a number: "pear 3" is done only when job 3 is done.
          The jobs are such that all can be done by W workers with room for ROOM results.
   Calls: pipe(2), fork(2), read(2), write(2), close(2), waitpid(2), _exit(2); sem_wait(3), if you like
   Example: exercises/jobs.txt holds "pear 3", "fig", "plum" and "lime". Job 1 is the third to be done. */
#include "workbook.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 16, MAX_ROOM = 64, MAX_JOBS = 999, MAX_WORD = 20 };
#define USAGE "ordered_merge W ROOM < JOBS   (W: 1 to 16 workers, ROOM: 1 to 64 results)"

/* ---- Given, nothing to do here ---- */

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

/* ---- Your part ---- */

/* TODO 1: what does a worker hand on? A pipe brings the results of all of them: whose is this one? */

/* TODO 2: what a worker does. How does it know the number of the next job, and that there is room for it? */

/* TODO 3: who prints. Where does a result wait that is early? How many can be early at most? */

int main(int argc, char **argv)
{
    long workers;
    if (argc != 3 || parse_number(argv[1], 1, MAX_WORKERS, &workers) == -1 || parse_number(argv[2], 1, MAX_ROOM, &room) == -1)
        usage(USAGE);
    int count = read_jobs();
    (void)do_job, (void)print_result, (void)count;      /* take this line out when you use them */

    /* TODO 4: start the workers, take and print the results, wait for every child. */

    tell_end();
    check(munmap(shared, sizeof *shared));
    return 0;
}

/* Output of ./ordered_merge 2 3 < exercises/jobs.txt:
job 1: raep
job 2: gif
job 3: mulp
job 4: emil
no job began too early
*/
