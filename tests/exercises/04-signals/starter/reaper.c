/* reaper.c - an exercise: read input, and reap each child when it ends, whichever comes first.
   Task:  reaper N < LINES
          1. main starts N children. Child K (1 to N) runs child(fd), which is given below: it waits
             for one byte from main, and ends with this byte as its exit status. At end of file it
             ends with 0. So each child has a pipe of its own.
          2. main reads standard input, up to its end. Each line, of at most 80 bytes, is one of:
               end K STATUS     main sends child K the byte STATUS (0 to 255)
               kill K           main sends child K the signal SIGKILL
               any other text   main prints:  read: TEXT
             No child is told twice. Several lines may come in one read(), or half a line.
          3. When a child has ended, main reaps it and prints one line AT ONCE, also while it waits
             for the next line of input, which may take hours:
               child K ended with exit status S          child K was killed by signal S
          4. At the end of input main closes the pipes; so the children that are left end too, with
             status 0. When all are reaped, it closes what else it has opened (a pipe to itself, for
             example), prints  all N children were reaped  and ends with 0.
          5. SIGCHLD tells main that a child has ended. Several children may end at the same time.
             main waits for input and for SIGCHLD without asking again and again. The rules for
             handlers are those of stopwatch.c.
   Calls: fork(2), pipe(2), sigaction(2), waitpid(2) with WNOHANG, read(2), kill(2); to wait for both:
          poll(2) with a pipe to itself or signalfd(2), or ppoll(2); print with say() */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHILDREN = 16 };

/* ---- Given: the child, and the lines. Do not change this part. ---- */

/* What a child does, with the read end of its pipe. Its parent must have closed all that it should
   not have: an end of another child's pipe, for example. */
static _Noreturn void child(int fd)
{
    unsigned char status = 0;
    if (read_full(fd, &status, 1) == -1)
        _exit(111);
    _exit(status);
}

/* Bytes that were read, of which some are not yet taken as lines. */
struct input {
    char bytes[400];
    size_t used;
};

/* Takes the first whole line out of INPUT into LINE, without its newline. Returns false when there is
   none: then read more,  read(0, input->bytes + input->used, sizeof input->bytes - input->used),
   and add the count to input->used. */
static bool take_line(struct input *input, char line[static 400])
{
    char *newline = memchr(input->bytes, '\n', input->used);
    if (newline == NULL)
        return false;
    size_t length = (size_t)(newline - input->bytes);
    memcpy(line, input->bytes, length);
    line[length] = '\0';
    input->used -= length + 1;
    memmove(input->bytes, newline + 1, input->used);
    return true;
}

/* ---- Yours ---- */

static pid_t pids[MAX_CHILDREN];        /* of child K: pids[K - 1] */
static int pipes[MAX_CHILDREN];         /* the write end of child K's pipe, or -1 when it is closed */

/* TODO 1: a handler for SIGCHLD, and what it needs. */

static void start_children(int n)
{
    pid_t parent = getpid();
    for (int i = 0; i < n; i++) {
        int ends[2];
        check(pipe(ends));
        pids[i] = check(fork());
        if (pids[i] == 0) {
            check(end_with_parent(parent));
            /* TODO 2: which descriptors must this child close first? And which must main close? */
            child(ends[0]);
        }
        pipes[i] = ends[1];
    }
}

/* TODO 3: reap all that have ended, and print a line for each. */

static void do_line(const char *line)
{
    int k, status;
    if (sscanf(line, "end %d %d", &k, &status) == 2) {
        /* TODO 4: send child K the byte STATUS */
    } else if (sscanf(line, "kill %d", &k) == 1) {
        /* TODO 5: SIGKILL */
    } else
        say("read: %s", line);
}

static void reaper(int n)
{
    struct input input = { .used = 0 };
    char line[400];
    start_children(n);

    /* TODO 6: wait for input or SIGCHLD. This only reads. */
    for (;;) {
        ssize_t count = read(STDIN_FILENO, input.bytes + input.used, sizeof input.bytes - input.used);
        if (check(count) == 0)
            break;
        input.used += (size_t)count;
        while (take_line(&input, line))
            do_line(line);
    }

    /* TODO 7: the end of input. */
    say("all %d children were reaped", n);
}

int main(int argc, char **argv)
{
    long n;
    if (argc != 2 || parse_number(argv[1], 1, MAX_CHILDREN, &n) == -1)
        usage("reaper N < LINES   (N: 1 to 16)");

    reaper((int)n);
    return 0;
}

/* Unordered output of ./reaper 3 < exercises/reaper.txt: main reads on while a child ends
read: good morning
read: lunch
read: good night
child 2 ended with exit status 7
child 1 was killed by signal 9
child 3 ended with exit status 0
all 3 children were reaped
*/
