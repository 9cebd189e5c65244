/* matrix_rows.c - an exercise: threads that share the rows of a matrix, and need no lock.
   Task:  matrix_rows T NUMBER...  squares a matrix with T threads. The numbers are the N x N cells of
          the matrix A, row by row. The result is A x A: its cell in row r, column c is the sum of
          A[r][k] * A[k][c] for all k.
          1. main starts T threads. Each row of the result is computed by exactly one thread. The
             threads share the rows fairly: their numbers of rows differ by at most one.
             Which thread gets which rows is free. With more threads than rows, some get none.
          2. All threads work at the same time: start them all, then wait for them.
          3. Each thread gives back how many rows it has computed. main joins every thread, prints
             the rows of the result, then how many rows each thread has computed, and ends with
             exit code 0.
   Calls: pthread_create(3), pthread_join(3); print with say()
   Example: with 1 2 3 4 the matrix has the rows  1 2  and  3 4; its square has  7 10  and  15 22. */
#include "workbook.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_THREADS = 16, MAX_SIZE = 16 };

/* Given, nothing to do here.
   The matrix in the COUNT texts: N rows of N cells each, in one array: row r, column c is at
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

/* Given, nothing to do here. Prints "row NUMBER: " and the N cells. */
static void print_row(int number, const long *cells, int n)
{
    char line[512];
    int used = snprintf(line, sizeof line, "row %d:", number);
    for (int c = 0; c < n; c++)
        used += snprintf(line + used, sizeof line - (size_t)used, " %ld", cells[c]);
    say("%s", line);
}

/* TODO 1: what does a thread need to know, and where does it put its rows? Make a struct for it. */

/* TODO 2: what each thread runs. It computes its rows. */

int main(int argc, char **argv)
{
    long threads;
    if (argc < 3 || parse_number(argv[1], 1, MAX_THREADS, &threads) == -1)
        usage("matrix_rows T NUMBER...   (T: 1 to 16 threads; 1, 4, 9 ... or 256 numbers)");

    int n;
    long *a = read_matrix(argv + 2, argc - 2, &n);
    long *square = check_ptr(calloc((size_t)(n * n), sizeof *square));

    /* TODO 3: start all the threads, each one with rows of its own. */

    /* TODO 4: join them all; then print the rows. */

    for (int r = 0; r < n; r++)
        print_row(r + 1, square + r * n, n);

    /* TODO 5: print "thread 1 computed 1 of 2 rows" and so on. */

    free(square);
    free(a);
    return 0;
}

/* Output of ./matrix_rows 2 1 2 3 4:
row 1: 7 10
row 2: 15 22
thread 1 computed 1 of 2 rows
thread 2 computed 1 of 2 rows
*/
