/* parallel_sum.c - an exercise: children that work at the same time, each on its slice.
   Task:  parallel_sum N < NUMBERS  sums the whole numbers on standard input with N children.
          1. main reads ALL of standard input. How much comes is not known before; it may be
             nothing, it may be 100000 numbers; and one read() may give only a piece of it.
          2. main starts N children. Each sums one slice: child 1 the first numbers, child 2 the
             next ones ... All slices have the same size; when the count does not divide by N, the
             first slices get one number more (7 numbers, 3 children: 3, 2, 2). An empty slice has
             the sum 0. All children work at the same time: start them all, then wait for them.
          3. Each child sends its sum to main, through a pipe or shared memory. A sum is a long long.
             One read() may give only a piece of it too: read_full() reads all of it.
          4. main waits for every child, prints the sums in the order of the children, then the
             total, and ends with exit code 0.
   Calls: read(2), pipe(2), fork(2), write(2), close(2), waitpid(2), _exit(2); print with say()
   Example: the file exercises/numbers.txt holds  5 -1 10 20 30 7 8 */
#include "workbook.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 16 };

/* Given, nothing to do here.
   Makes an array of the numbers in TEXT, which has LENGTH bytes. *COUNT is how many they are.
   Give the array back with free(). */
static long long *parse_numbers(const char *text, size_t length, size_t *count)
{
    long long *numbers = check_ptr(malloc((length / 2 + 1) * sizeof *numbers));
    *count = 0;
    for (size_t i = 0; i < length; ) {
        char word[32];
        size_t used = 0;
        while (i < length && isspace((unsigned char)text[i]))
            i++;
        while (i < length && !isspace((unsigned char)text[i]) && used < sizeof word - 1)
            word[used++] = text[i++];
        word[used] = '\0';
        long number;
        if (used == 0)
            break;              /* only white space was left */
        if (parse_number(word, -2000000000, 2000000000, &number) == -1)
            die("'%s' is not a whole number from -2000000000 to 2000000000", word);
        numbers[(*count)++] = number;
    }
    return numbers;
}

int main(int argc, char **argv)
{
    long n;
    if (argc != 2 || parse_number(argv[1], 1, MAX_CHILDREN, &n) == -1)
        usage("parallel_sum N < NUMBERS   (N: 1 to 16 children)");

    /* TODO 1: read standard input until its end, into memory that grows (malloc, realloc). */
    char *text = check_ptr(malloc(1));
    size_t length = 0;

    size_t count;
    long long *numbers = parse_numbers(text, length, &count);

    /* TODO 2: start n children. Child i (0 is the first) sums its slice of numbers[]: fork copied
               the array, so it is there in the child. It sends its sum to main and ends. */

    /* TODO 3: take the sums, wait for the children, print "child 1: sum ..." and so on. */
    long long total = 0;

    say("total %lld", total);
    free(numbers);
    free(text);
    return 0;
}

/* Output of ./parallel_sum 3 < exercises/numbers.txt:
child 1: sum 14
child 2: sum 50
child 3: sum 15
total 79
*/
