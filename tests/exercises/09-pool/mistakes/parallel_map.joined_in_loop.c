/* not parallel | before you wait for the first */
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

static size_t length_of(size_t count, size_t size, size_t chunk)
{
    return count - chunk * size < size ? count - chunk * size : size;
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

    size_t size = (size_t)c, chunks = (count + size - 1) / size, workers = (size_t)w;
    long long *squares = check_ptr(share((count + 1) * sizeof *squares));
    for (size_t i = 0; i < workers; i++) {
        pid_t pid = check(fork());
        if (pid == 0) {
            for (size_t chunk = i; chunk < chunks; chunk += workers)
                for (size_t k = 0; k < length_of(count, size, chunk); k++)
                    squares[chunk * size + k] = square_of(numbers[chunk * size + k]);
            _exit(0);
        }
        check(waitpid(pid, NULL, 0));
    }
    for (size_t i = 0; i < chunks; i++)
        print_chunk(i + 1, squares + i * size, length_of(count, size, i));
    check(munmap(squares, (count + 1) * sizeof *squares));
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
