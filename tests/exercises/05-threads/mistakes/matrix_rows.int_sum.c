/* wrong output | into an int */
#include "workbook.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_THREADS = 16, MAX_SIZE = 16 };

/* What one thread gets, and where it puts what it made. */
struct share_of_rows {
    const long *a;              /* all threads read it, nobody writes to it */
    long *square;               /* of the result, a thread writes to its own rows only */
    int n;
    int from, to;               /* its rows: FROM is the first, TO the first one that is not its own */
    int computed;
};

/* The matrix in the COUNT texts: N rows of N cells each, in one array: row r, column c is at
   [r * N + c]. Give it back with free(). */
static long *read_matrix(char **texts, int count, int *n)
{
    *n = 1;
    while (*n < MAX_SIZE && *n * *n < count)
        ++*n;
    long *cells = check_ptr(malloc((size_t)(*n * *n) * sizeof *cells));
    for (int i = 0; i < *n * *n; i++)
        if (*n * *n != count || parse_number(texts[i], -100000, 100000, &cells[i]) == -1)
            usage("matrix_rows T NUMBER...   (T: 1 to 16 threads; 1, 4, 9 ... or 256 numbers)");
    return cells;
}

/* Prints "row NUMBER: " and the N cells. */
static void print_row(int number, const long *cells, int n)
{
    char line[512];
    int used = snprintf(line, sizeof line, "row %d:", number);
    for (int c = 0; c < n; c++)
        used += snprintf(line + used, sizeof line - (size_t)used, " %ld", cells[c]);
    say("%s", line);
}

static void *compute_rows(void *argument)
{
    struct share_of_rows *mine = argument;
    int n = mine->n;
    for (int r = mine->from; r < mine->to; r++) {
        for (int c = 0; c < n; c++) {
            int sum = 0;
            for (int k = 0; k < n; k++)
                sum += (int)(mine->a[r * n + k] * mine->a[k * n + c]);
            mine->square[r * n + c] = sum;
        }
        mine->computed++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long threads;
    if (argc < 3 || parse_number(argv[1], 1, MAX_THREADS, &threads) == -1)
        usage("matrix_rows T NUMBER...   (T: 1 to 16 threads; 1, 4, 9 ... or 256 numbers)");

    int n, count = (int)threads;
    long *a = read_matrix(argv + 2, argc - 2, &n);
    long *square = check_ptr(calloc((size_t)(n * n), sizeof *square));

    /* Where one share ends, the next one begins: no row is left out, and none is in two shares. */
    pthread_t thread[MAX_THREADS];
    struct share_of_rows shares[MAX_THREADS];
    for (int i = 0; i < count; i++) {
        shares[i] = (struct share_of_rows){ a, square, n, n * i / count, n * (i + 1) / count, 0 };
        check_pthread(pthread_create(&thread[i], NULL, compute_rows, &shares[i]));
    }
    for (int i = 0; i < count; i++)
        check_pthread(pthread_join(thread[i], NULL));

    /* Only now: every row is ready, and all that the threads wrote can be read here. */
    for (int r = 0; r < n; r++)
        print_row(r + 1, square + r * n, n);
    for (int i = 0; i < count; i++)
        say("thread %d computed %d of %d rows", i + 1, shares[i].computed, n);
    free(square);
    free(a);
    return 0;
}
