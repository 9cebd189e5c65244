/* wrong output | own copy */
/* picture_farm.c - W workers that stay invert the pictures of a folder; a bad picture harms no other one.
   Python: Pool(W).imap(invert_file, names), with a try: in invert_file
   Calls:  fork(2), mmap(2), open(2), read(2), write(2), close(2), waitpid(2)
   Needs:  pool_step2.c, errors.c; share.c of 01-fork, atomic.c of 06-locks
   Try:    In serve, write  index = board->next++  for the atomic_fetch_add, and make next an int. Mostly all is well;
           now and then two workers have the same picture. The judge calls it a race. */
#include "workbook.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 16, MAX_BYTES = 1 << 20 };
enum outcome {
    INVERTED,
    NOT_READ,                       /* open_picture() or read() fails */
    NO_PICTURE,                     /* invert() says so */
    NOT_WRITTEN                     /* TO/NAME cannot be opened or written */
};

static sem_t *inverted;         /* its count: pictures that are not slow and have been inverted */
static int log_file;

/* Makes the folder TO, if it is not there, and the log in it. */
static void prepare(const char *to)
{
    char path[4096];
    if (mkdir(to, 0777) == -1 && errno != EEXIST)
        check(-1);
    snprintf(path, sizeof path, "%s/log.txt", to);
    log_file = check(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
    inverted = check_ptr(share(sizeof *inverted));
    check(sem_init(inverted, 1, 0));
}

static void clean_up(void)
{
    check(close(log_file));
    check(sem_destroy(inverted));
    check(munmap(inverted, sizeof *inverted));
}

static int is_picture_name(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".pgm") == 0;
}

/* The names of the pictures in the folder FROM, sorted: names[0]->d_name is the first. Returns how many they are.
   Give them back with free_names(). */
static int list_pictures(const char *from, struct dirent ***names)
{
    return check(scandir(from, names, is_picture_name, alphasort));
}

static void free_names(struct dirent **names, int count)
{
    while (count > 0)
        free(names[--count]);
    free(names);
}

/* Opens FROM/NAME for reading, and writes NAME to the log. Returns the descriptor, or -1. */
static int open_picture(const char *from, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s\n", name);
    check(write_full(log_file, path, (size_t)length));
    snprintf(path, sizeof path, "%s/%s", from, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Inverts the picture in BYTES. It begins with "P5 WIDTH HEIGHT MAX" and one byte of white space; then comes one byte a
   pixel, 0 for black to MAX for white. Returns 0, or -1 if the LENGTH bytes are no such picture.
   A comment "# slow 3" behind the P5 makes it slow: it takes three from the semaphore first. */
static int invert(unsigned char *bytes, size_t length)
{
    char header[64];
    size_t size = length < sizeof header - 1 ? length : sizeof header - 1;
    int slow = 0, at = 0, width, height, max, end = 0;
    memcpy(header, bytes, size);
    header[size] = '\0';
    if (sscanf(header, "P5 # slow %2d%n", &slow, &at) < 1)
        at = strncmp(header, "P5", 2) == 0 ? 2 : (int)size;
    if (sscanf(header + at, "%4d %4d %3d%n", &width, &height, &max, &end) < 3 || width < 1 || height < 1 ||
        max < 1 || max > 255 || !isspace(bytes[at + end]) || (size_t)(at + end + 1 + width * height) != length)
        return -1;
    for (int i = 0; i < slow; i++)
        check(wait_semaphore(inverted));
    for (unsigned char *pixel = bytes + at + end + 1; pixel < bytes + length; pixel++)
        *pixel = (unsigned char)(max - *pixel);
    if (slow == 0)
        check(sem_post(inverted));
    return 0;
}

static void print_outcome(const char *name, enum outcome outcome)
{
    static const char *const texts[] = { "inverted", "cannot be read", "is no picture", "cannot be written" };
    say("%s: %s", name, texts[outcome]);
}

/* What all the workers share. There is no pipe: fork has copied the names, so a number is all that a worker needs. */
struct board {
    atomic_int next;                /* the first picture that nobody has taken */
};

/* Writes LENGTH bytes to TO/NAME. Returns 0, or -1; then no half file is left. */
static int write_picture(const char *to, const char *name, const unsigned char *bytes, size_t length)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", to, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file == -1)
        return -1;
    ssize_t written = write_full(file, bytes, length);
    if (close(file) == -1 || written == -1) {   /* that the disk is full, may be told as late as by close */
        unlink(path);
        return -1;
    }
    return 0;
}

/* An error of a picture is its outcome, not the end of the worker: so there is no check() here. TO/NAME is
   made last, when nothing but the writing can go wrong. */
static enum outcome invert_file(const char *from, const char *to, const char *name)
{
    static unsigned char bytes[MAX_BYTES];      /* a worker has one picture at a time */
    int file = open_picture(from, name);
    if (file == -1)
        return NOT_READ;
    ssize_t length = read_full(file, bytes, sizeof bytes);
    check(close(file));
    if (length == -1)
        return NOT_READ;
    if (invert(bytes, (size_t)length) == -1)
        return NO_PICTURE;
    return write_picture(to, name, bytes, (size_t)length) == -1 ? NOT_WRITTEN : INVERTED;
}

/* What a worker does. Looking which one is the next and taking it must be one step: atomic_fetch_add. */
static void serve(struct board *board, enum outcome *outcomes, const char *from, const char *to, struct dirent **names, int count)
{
    for (int index; (index = atomic_fetch_add(&board->next, 1)) < count; )
        outcomes[index] = invert_file(from, to, names[index]->d_name);
}

int main(int argc, char **argv)
{
    long w;
    if (argc != 4 || parse_number(argv[1], 1, MAX_WORKERS, &w) == -1)
        usage("picture_farm W FROM TO   (W: 1 to 16 workers; FROM and TO: folders)");
    const char *from = argv[2], *to = argv[3];
    prepare(to);
    struct dirent **names;
    int count = list_pictures(from, &names), good = 0;
    size_t size = sizeof(struct board);
    struct board *board = check_ptr(share(size));
    enum outcome *outcomes = check_ptr(calloc((size_t)count + 1, sizeof *outcomes));    /* not shared */

    pid_t parent = getpid(), workers[MAX_WORKERS];
    for (int i = 0; i < w; i++) {
        workers[i] = check(fork());
        if (workers[i] == 0) {
            check(end_with_parent(parent));
            serve(board, outcomes, from, to, names, count);
            _exit(0);
        }
    }
    if (check(wait_children(workers, (int)w)) != 0)
        return 1;                   /* it has said which one was killed, and has ended the others */

    for (int i = 0; i < count; i++) {           /* the workers are reaped: what they wrote can be read */
        print_outcome(names[i]->d_name, outcomes[i]);
        good += outcomes[i] == INVERTED;
    }
    say("%d of %d pictures inverted", good, count);
    free(outcomes);
    check(munmap(board, size));
    free_names(names, count);
    clean_up();
    return good == count ? 0 : 1;
}

/* Output of ./picture_farm 2 exercises/pictures build/inverted:
broken.pgm: is no picture
moon.pgm: inverted
stairs.pgm: inverted
2 of 3 pictures inverted
exit 1
*/
