/* wrong call | joined twice */
#include "workbook.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_THREADS = 16 };

/* What one thread gets, and where it puts its count. Nobody else uses it until the join. */
struct slice {
    const char *text;           /* the whole text: all threads read it, none writes */
    size_t from, to;
    long words;
};

/* The bytes of the file PATH, with a '\0' behind the last one. *SIZE is how many they are.
   Give them back with free(). */
static char *read_file(const char *path, size_t *size)
{
    struct stat status;
    int fd = check(open(path, O_RDONLY | O_CLOEXEC));
    check(fstat(fd, &status));
    char *text = check_ptr(malloc((size_t)status.st_size + 1));
    *size = (size_t)check(read_full(fd, text, (size_t)status.st_size));
    text[*size] = '\0';
    check(close(fd));
    return text;
}

/* Counts the words that BEGIN in the slice. So a word that a border cuts is counted once: in the
   slice after the border it only goes on. */
static void *count_words(void *argument)
{
    struct slice *slice = argument;
    long words = 0;
    unsigned char previous = ' ';
    if (slice->from > 0)
        previous = (unsigned char)slice->text[slice->from - 1];
    for (size_t i = slice->from; i < slice->to; i++) {
        unsigned char byte = (unsigned char)slice->text[i];     /* isspace takes no negative char */
        if (isspace(previous) && !isspace(byte))
            words++;
        previous = byte;
    }
    slice->words = words;
    return NULL;
}

int main(int argc, char **argv)
{
    long threads;
    if (argc != 3 || parse_number(argv[2], 1, MAX_THREADS, &threads) == -1)
        usage("word_count FILE T   (T: 1 to 16 threads)");

    size_t size, count = (size_t)threads;
    char *text = read_file(argv[1], &size);

    /* First start all threads, each one with a struct of its own ... */
    pthread_t thread[MAX_THREADS];
    struct slice slices[MAX_THREADS];
    for (size_t i = 0; i < count; i++) {
        slices[i] = (struct slice){ text, size * i / count, size * (i + 1) / count, 0 };
        check_pthread(pthread_create(&thread[i], NULL, count_words, &slices[i]));
    }

    /* ... and only then wait for each. After its join, its count is there. */
    long total = 0;
    for (size_t i = 0; i < count; i++) {
        check_pthread(pthread_join(thread[0], NULL));
        say("thread %zu counted %ld", i + 1, slices[i].words);
        total += slices[i].words;
    }
    say("total %ld", total);
    free(text);
    return 0;
}
