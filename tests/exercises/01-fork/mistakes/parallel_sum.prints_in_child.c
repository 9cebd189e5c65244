/* wrong output | in the order of the children */
#include "workbook.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 16 };

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

static char *read_all(size_t *length)
{
    size_t size = 4096;
    char *text = check_ptr(malloc(size));
    *length = 0;
    for (;;) {
        if (*length == size)
            text = check_ptr(realloc(text, size *= 2));
        ssize_t count = check(read(STDIN_FILENO, text + *length, size - *length));
        if (count == 0)
            return text;
        *length += (size_t)count;
    }
}

int main(int argc, char **argv)
{
    long n;
    if (argc != 2 || parse_number(argv[1], 1, MAX_CHILDREN, &n) == -1)
        usage("parallel_sum N < NUMBERS   (N: 1 to 16 children)");

    size_t length, count;
    char *text = read_all(&length);
    long long *numbers = parse_numbers(text, length, &count);
    long long total = 0;
    pid_t pids[MAX_CHILDREN];
    int ends[MAX_CHILDREN][2];
    for (int i = 0; i < n; i++) {
        check(pipe(ends[i]));
        pids[i] = check(fork());
        if (pids[i] == 0) {
            size_t from = (size_t)i * (count / (size_t)n) + ((size_t)i < count % (size_t)n ? (size_t)i : count % (size_t)n);
            size_t size = count / (size_t)n + ((size_t)i < count % (size_t)n);
            long long sum = 0;
            for (size_t k = from; k < from + size; k++)
                sum += numbers[k];
            say("child %d: sum %lld", i + 1, sum);
            check(write_full(ends[i][1], &sum, sizeof sum));
            _exit(0);
        }
        close(ends[i][1]);
    }
    for (int i = 0; i < n; i++) {
        long long sum = 0;
        check(read_full(ends[i][0], &sum, sizeof sum));
        check(waitpid(pids[i], NULL, 0));
        total += sum;
    }
    say("total %lld", total);
    free(numbers);
    free(text);
    return 0;
}
