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

/* ---- Your part ---- */

int main(int argc, char **argv)
{
    long w, c;
    if (argc != 3 || parse_number(argv[1], 1, MAX_WORKERS, &w) == -1 || parse_number(argv[2], 1, MAX_CHUNK, &c) == -1)
        usage("parallel_map W C < NUMBERS   (W: 1 to 16 workers, C: 1 to 16 numbers in a chunk)");
    squared = check_ptr(share(sizeof *squared));
    check(sem_init(squared, 1, 0));
    size_t count;
    long *numbers = read_numbers(&count);
    (void)square_of;                /* take these two lines out when you use the functions */
    (void)print_chunk;

    /* TODO 1: how many chunks are there? How many numbers has chunk i (0 is the first)? */

    /* TODO 2: start the workers. fork has copied numbers[]: a worker needs to be told the chunk's place only.
               Which ends of which pipes does it not need? */

    /* TODO 3: give a chunk to each worker, and the next one to whoever brings its squares. Put them where they
               belong. What do you print, and when? */

    /* TODO 4: the workers must see that there is nothing more to do. Then wait for them. */

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
