/* word_count.c - an exercise: threads count the words of a file, each one in its own slice.
   Task:  word_count FILE T  counts the words of FILE with T threads.
          1. main reads the file (given) and cuts its bytes into T slices of the same size. If the
             size does not divide by T, some slices are a few bytes longer. A slice may be empty.
          2. main starts T threads. Thread 1 counts in the first slice, thread 2 in the next one ...
             All threads work at the same time: start them all, then wait for them.
          3. A word is a run of bytes that are not white space, as isspace(3) says. A border may cut a
             word in two: count it ONCE, in any of the slices that it touches. A good rule: a word
             belongs to the slice in which it begins.
          4. Each thread gives its count back. main joins every thread, prints the counts in the order
             of the threads, then the total, and ends with exit code 0.
   Calls: pthread_create(3), pthread_join(3), isspace(3); print with say()
   Example: the file Makefile of this chapter holds  include ../../common/chapter.mk
            With 2 threads the border is in the second word, so the word belongs to thread 1. */
#include "workbook.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_THREADS = 16 };

/* Given, nothing to do here.
   The bytes of the file PATH, with a '\0' behind the last one. *SIZE is how many they are.
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

/* TODO 1: what does a thread need to know, and where does it put its count? Make a struct for it. */

/* TODO 2: what each thread runs. It counts the words of its slice. */

int main(int argc, char **argv)
{
    long threads;
    if (argc != 3 || parse_number(argv[2], 1, MAX_THREADS, &threads) == -1)
        usage("word_count FILE T   (T: 1 to 16 threads)");

    size_t size;
    char *text = read_file(argv[1], &size);

    /* TODO 3: start all the threads, each one with a slice of its own. */

    /* TODO 4: join them all, print "thread 1 counted ..." and so on. */
    long total = 0;

    say("total %ld", total);
    free(text);
    return 0;
}

/* Output of ./word_count Makefile 2:
thread 1 counted 2
thread 2 counted 0
total 2
*/
