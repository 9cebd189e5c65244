/* parallel_map.c - W workers that stay square the numbers of standard input, in chunks; the order is kept.
   Python: Pool(W).map(square, numbers, chunksize=C)
   Calls:  poll(2), pipe(2), fork(2), read(2), write(2), close(2), waitpid(2)
   Needs:  pool_step1.c, pool_step2.c, pool_step3.c, map.c
   Try:    In start_worker, take out the loop that closes the siblings' ends. All chunks are printed, but worker
           1 never sees the end of its pipe. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 16, MAX_CHUNK = 16 };

static sem_t *squared;          /* its count: numbers that are not slow and have been squared */

/* The square of NUMBER. A negative one is slow: it takes that many from the semaphore first. */
static long long square_of(long number)
{
    for (long i = number; i < 0; i++)
        check(wait_semaphore(squared));
    if (number >= 0)
        check(sem_post(squared));
    return (long long)number * number;
}

/* Prints "chunk NUMBER: " and COUNT squares. The first chunk is number 1. */
static void print_chunk(size_t number, const long long *squares, size_t count)
{
    char line[32 * MAX_CHUNK + 32];
    int used = snprintf(line, sizeof line, "chunk %zu:", number);
    for (size_t i = 0; i < count; i++)
        used += snprintf(line + used, sizeof line - (size_t)used, " %lld", squares[i]);
    say("%s", line);
}

/* All numbers of standard input, in an array. *COUNT is how many they are. Give it back with free(). */
static long *read_numbers(size_t *count)
{
    size_t length = 0, room = 0;
    char *text = NULL;
    do {
        room = room == 0 ? 4096 : 2 * room;
        text = check_ptr(realloc(text, room));
        length += (size_t)check(read_full(STDIN_FILENO, text + length, room - length - 1));
    } while (length == room - 1);
    text[length] = '\0';
    long *numbers = check_ptr(malloc((length / 2 + 1) * sizeof *numbers));
    *count = 0;
    for (char *word = strtok(text, " \t\n"); word != NULL; word = strtok(NULL, " \t\n"))
        if (parse_number(word, -9999, 2000000000, &numbers[(*count)++]) == -1)
            die("'%s' is not a whole number from -9999 to 2000000000", word);
    free(text);
    return numbers;
}

#define NOTHING ((size_t)-1)

struct job {
    const long *numbers;
    size_t count, size, chunks;     /* SIZE numbers in a chunk; the last one may have fewer */
};

struct worker {
    pid_t pid;
    int to, from;                   /* our ends: the places of chunks go in, squares come out */
    size_t chunk;                   /* the one that it has, or NOTHING */
};

static size_t length_of(const struct job *job, size_t chunk)
{
    size_t rest = job->count - chunk * job->size;
    return rest < job->size ? rest : job->size;
}

/* What a worker does, until end of file. It has the numbers: fork has copied them. */
static void serve(const struct job *job, int chunks, int answers)
{
    size_t chunk;
    while (check(read_full(chunks, &chunk, sizeof chunk)) == sizeof chunk) {
        long long squares[MAX_CHUNK];
        size_t length = length_of(job, chunk);
        for (size_t i = 0; i < length; i++)
            squares[i] = square_of(job->numbers[chunk * job->size + i]);
        check(write_full(answers, squares, length * sizeof squares[0]));
    }
}

static void start_worker(const struct job *job, struct worker workers[], size_t which)
{
    struct worker *self = &workers[which];
    int chunks[2], answers[2];
    check(pipe(chunks));
    check(pipe(answers));
    pid_t parent = getpid();
    self->pid = check(fork());
    if (self->pid == 0) {
        check(end_with_parent(parent));
        check(close(chunks[1]));
        check(close(answers[0]));
        for (size_t i = 0; i < which; i++) {    /* else its siblings would never see end of file */
            check(close(workers[i].to));
            check(close(workers[i].from));
        }
        serve(job, chunks[0], answers[1]);
        _exit(0);
    }
    check(close(chunks[0]));
    check(close(answers[1]));
    self->to = chunks[1];
    self->from = answers[0];
    self->chunk = NOTHING;
}

/* End of file from a worker that had work. Its siblings are killed when we end. */
static _Noreturn void tell_of_its_end(const struct worker *self, size_t which)
{
    int status = check(wait_child(self->pid));
    if (WIFSIGNALED(status))
        die("worker %zu was killed by signal %d", which + 1, WTERMSIG(status));
    die("worker %zu ended with exit status %d", which + 1, WEXITSTATUS(status));
}

static void give(struct worker *self, size_t chunk)
{
    self->chunk = chunk;
    if (write_full(self->to, &chunk, sizeof chunk) == -1 && errno != EPIPE)
        check(-1);                  /* EPIPE: it has ended; the pipe of its answers tells us so next */
}

/* Each worker has one chunk at a time. So no pipe is ever full, and a slow chunk delays nobody else. */
static void map(const struct job *job, struct worker workers[], size_t count, long long *squares)
{
    struct pollfd fds[MAX_WORKERS];
    size_t next = 0, done = 0;
    while (done < job->chunks) {
        for (size_t i = 0; i < count; i++) {
            if (workers[i].chunk == NOTHING && next < job->chunks)
                give(&workers[i], next++);
            fds[i] = (struct pollfd){ .fd = workers[i].from, .events = POLLIN };
        }
        while (poll(fds, (nfds_t)count, -1) == -1)
            if (errno != EINTR)
                check(-1);
        for (size_t i = 0; i < count; i++) {
            if (fds[i].revents == 0)
                continue;
            size_t chunk = workers[i].chunk;
            size_t bytes = chunk == NOTHING ? 1 : length_of(job, chunk) * sizeof squares[0];
            size_t place = chunk == NOTHING ? 0 : chunk * job->size;    /* known by the chunk, whenever it comes */
            if ((size_t)check(read_full(workers[i].from, squares + place, bytes)) < bytes)
                tell_of_its_end(&workers[i], i);
            workers[i].chunk = NOTHING;
            done++;
        }
    }
}

int main(int argc, char **argv)
{
    long w, c;
    if (argc != 3 || parse_number(argv[1], 1, MAX_WORKERS, &w) == -1 || parse_number(argv[2], 1, MAX_CHUNK, &c) == -1)
        usage("parallel_map W C < NUMBERS   (W: 1 to 16 workers, C: 1 to 16 numbers in a chunk)");
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigemptyset(&ignore.sa_mask);
    check(sigaction(SIGPIPE, &ignore, NULL));
    squared = check_ptr(share(sizeof *squared));
    check(sem_init(squared, 1, 0));
    size_t count, size = (size_t)c;
    long *numbers = read_numbers(&count);
    long long *squares = check_ptr(malloc((count + 1) * sizeof *squares));

    struct job job = { numbers, count, size, (count + size - 1) / size };
    struct worker workers[MAX_WORKERS];
    for (size_t i = 0; i < (size_t)w; i++)
        start_worker(&job, workers, i);
    map(&job, workers, (size_t)w, squares);
    for (size_t i = 0; i < (size_t)w; i++) {
        check(close(workers[i].to));
        check(close(workers[i].from));
        if (check(wait_child(workers[i].pid)) != 0)
            die("worker %zu did not end well", i + 1);
    }
    for (size_t i = 0; i < job.chunks; i++)
        print_chunk(i + 1, squares + i * size, length_of(&job, i));

    free(squares);
    free(numbers);
    check(sem_destroy(squared));
    check(munmap(squared, sizeof *squared));
    return 0;
}

/* Output of ./parallel_map 2 2 < exercises/squares.txt:
chunk 1: 4 100
chunk 2: 400 900
chunk 3: 1600
*/
