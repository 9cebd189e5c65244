/* parallel_sum.c - N children each sum a slice of the numbers, and send the sum back by a pipe.
   Python: a Process for each slice, its result through a Pipe
   Calls:  read(2), pipe(2), fork(2), write(2), close(2), waitpid(2), _exit(2)
   Needs:  fork.c, pipe.c, many_children.c
   Try:    Send each sum as _exit((int)sum), and read it with WEXITSTATUS. All sums are cut to
           8 bits, 0 to 255: an exit status tells how a process ended, it does not carry data. */
#include "workbook.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 16 };

/* Makes an array of the numbers in TEXT, which has LENGTH bytes. *COUNT is how many they are.
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

/* All bytes of standard input. One read may give fewer bytes than we ask for: a pipe gives what
   is there now. Only 0 means the end. */
static char *read_all(size_t *length)
{
    size_t size = 65536;
    char *text = check_ptr(malloc(size));
    *length = 0;
    for (;;) {
        if (*length == size) {
            size *= 2;
            text = check_ptr(realloc(text, size));
        }
        ssize_t count = read(STDIN_FILENO, text + *length, size - *length);
        if (count == -1 && errno == EINTR)
            continue;
        if (check(count) == 0)
            return text;
        *length += (size_t)count;
    }
}

static long long sum_of(const long long *numbers, size_t count)
{
    long long sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
}

int main(int argc, char **argv)
{
    long n;
    if (argc != 2 || parse_number(argv[1], 1, MAX_CHILDREN, &n) == -1)
        usage("parallel_sum N < NUMBERS   (N: 1 to 16 children)");

    size_t length, count;
    char *text = read_all(&length);
    long long *numbers = parse_numbers(text, length, &count);
    free(text);

    /* First start all children ... */
    size_t children = (size_t)n, start = 0;
    pid_t pids[MAX_CHILDREN];
    int from[MAX_CHILDREN];     /* the read ends */
    for (size_t i = 0; i < children; i++) {
        size_t size = count / children + (i < count % children ? 1 : 0);
        int ends[2];
        check(pipe(ends));
        pids[i] = check(fork());
        if (pids[i] == 0) {
            /* fork copied the numbers too: the child has its slice already */
            long long sum = sum_of(numbers + start, size);
            check(write_full(ends[1], &sum, sizeof sum));
            _exit(0);
        }
        check(close(ends[1]));  /* else our read would never see the end if this child were killed */
        from[i] = ends[0];
        start += size;
    }
    free(numbers);

    /* ... and only then take what they send, so that all of them work at the same time. */
    long long total = 0;
    int failed = 0;
    for (size_t i = 0; i < children; i++) {
        long long sum = 0;
        ssize_t got = check(read_full(from[i], &sum, sizeof sum));
        check(close(from[i]));
        int status;
        check(waitpid(pids[i], &status, 0));
        if (WIFSIGNALED(status) && failed++ == 0)
            check(dprintf(STDERR_FILENO, "child %zu was killed by signal %d\n", i + 1, WTERMSIG(status)));
        else if (got != sizeof sum)
            failed++;           /* it has said what went wrong */
        if (failed == 0)
            say("child %zu: sum %lld", i + 1, sum);
        total += sum;
    }
    if (failed > 0)
        return 1;
    say("total %lld", total);
    return 0;
}

/* Output of ./parallel_sum 3 < exercises/numbers.txt:
child 1: sum 14
child 2: sum 50
child 3: sum 15
total 79
*/
