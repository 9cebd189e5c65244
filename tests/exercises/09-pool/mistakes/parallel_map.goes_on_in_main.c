/* wrong output | _exit */
/* parallel_map.c - an exercise: W workers that stay square the numbers of standard input, in chunks.
   Task:  parallel_map W C < NUMBERS  cuts the numbers into chunks of C, and squares each number.
          1. main starts W workers, once. A worker takes a chunk, squares its numbers with square_of(), brings
             the squares back, takes the next chunk ... until there is none left; then it ends.
          2. Chunk 1 is the first C numbers, chunk 2 the next C ... When C does not divide the count, the last
             chunk has fewer. There may be no number at all, and there may be thousands of chunks.
          3. Whoever is free takes the next chunk. Some numbers are slow, and the worker that has one waits for
             others. Meanwhile the other workers must be able to do all the other chunks.
          4. main prints a line a chunk, in the order of the INPUT, with print_chunk(). It may print early or at the
             end, as you like. It waits for every worker, and ends with exit code 0.
   Given: square_of() waits at a slow number: at -3 until three numbers have been squared that are not slow.
   Calls: pipe(2), fork(2), read(2), write(2), poll(2), close(2), waitpid(2), _exit(2)
   Example: the file exercises/squares.txt holds  -2 10 20 30 40  */
#include "workbook.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 16, MAX_CHUNK = 16 };

/* ---- Given, nothing to do here ---- */

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

int main(int argc, char **argv)
{
    long w, c;
    if (argc != 3 || parse_number(argv[1], 1, MAX_WORKERS, &w) == -1 || parse_number(argv[2], 1, MAX_CHUNK, &c) == -1)
        usage("parallel_map W C < NUMBERS   (W: 1 to 16 workers, C: 1 to 16 numbers in a chunk)");
    squared = check_ptr(share(sizeof *squared));
    check(sem_init(squared, 1, 0));
    size_t count;
    long *numbers = read_numbers(&count);
    size_t size = (size_t)c, chunks = (count + size - 1) / size;
    long long *squares = check_ptr(share((count + 1) * sizeof *squares));
    atomic_size_t *next = check_ptr(share(sizeof *next));
    pid_t pids[MAX_WORKERS];
    for (int i = 0; i < w; i++) {
        pids[i] = check(fork());
        if (pids[i] == 0) {
            for (size_t chunk; (chunk = atomic_fetch_add(next, 1)) < chunks; ) {
                for (size_t k = chunk * size; k < count && k < (chunk + 1) * size; k++)
                    squares[k] = square_of(numbers[k]);
            }
            break;      /* ends the loop, not the worker */
        }
    }
    for (int i = 0; i < w; i++)
        check(waitpid(pids[i], NULL, 0));
    for (size_t i = 0; i < chunks; i++)
        print_chunk(i + 1, squares + i * size, count - i * size < size ? count - i * size : size);
    check(munmap(next, sizeof *next));
    check(munmap(squares, (count + 1) * sizeof *squares));
    free(numbers);
    check(sem_destroy(squared));
    check(munmap(squared, sizeof *squared));
    return 0;
}
