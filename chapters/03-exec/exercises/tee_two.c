/* tee_two.c - an exercise: one input for two programs, and both outputs collected.
   Task:  tee_two COMMAND1 COMMAND2 < INPUT  runs both commands at the same time, each by  sh -c COMMAND.
          1. Each program gets ALL of INPUT as its standard input, and then end of file.
          2. All that each one prints on its standard output is collected. INPUT and outputs may be large,
             much larger than a pipe can hold, and come in any order: before, between, after.
          3. Neither program makes the other one wait for its input, or with its output: also not one that
             reads late, or not at all, or that prints much before it reads.
          4. A program may end, or close its input, before it has read everything. That is no error:
             its output counts as always, and the other program gets all of INPUT as always.
          5. Each program gets the descriptors 0, 1 and 2, and no other one. Signals are for it as usual,
             also SIGPIPE.
          6. When both have ended, tell() prints for program 1, then for program 2, a line and the output:
               1: exit status 0, 27 bytes
               2: killed by signal 9, 0 bytes
          7. End with exit status 0 if both programs ended with exit status 0, else with 1. Leave no child.
   Calls: pipe(2), fork(2), dup2(2), execlp(3), fcntl(2) with O_NONBLOCK, poll(2), read(2), write(2),
          close(2), waitpid(2), sigaction(2) for SIGPIPE
   INPUT is read to its end before the programs start: that is given, in main. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Given: bytes that come, and what is printed at the end. Do not change this part. ---- */

struct text { char *bytes; size_t size, room; };    /* begin with { NULL, 0, 0 } */

/* Reads once, and adds what came to TEXT. False at end of file. */
static bool read_more(int fd, struct text *text)
{
    if (text->size == text->room) {
        text->room = text->room == 0 ? 65536 : 2 * text->room;
        text->bytes = check_ptr(realloc(text->bytes, text->room));
    }
    ssize_t count = check(read(fd, text->bytes + text->size, text->room - text->size));
    text->size += (size_t)count;
    return count > 0;
}

/* Prints how program NUMBER (1 or 2) ended, then its output. STATUS is what waitpid gave. */
static void tell(int number, int status, const struct text *output)
{
    if (WIFSIGNALED(status))
        say("%d: killed by signal %d, %zu bytes", number, WTERMSIG(status), output->size);
    else
        say("%d: exit status %d, %zu bytes", number, WEXITSTATUS(status), output->size);
    check(write_full(STDOUT_FILENO, output->bytes, output->size));
}

/* ---- Yours ---- */

/* Runs the two commands, gives INPUT to both, and tells how they ended and what they printed.
   Returns the exit status of tee_two: 0 or 1. */
static int tee_two(char **commands, const struct text *input)
{
    /* TODO 1: start both: for each a pipe to it and a pipe from it, fork, and in the child dup2 and
               execlp("sh", "sh", "-c", commands[i], (char *)NULL). Who must close which end? */

    /* TODO 2: send and collect, for both at once: poll() tells where something can be done. And when
               all is sent? When a program reads no more? When its output is at its end? */

    /* TODO 3: wait for both, and tell. */
    struct text nothing = { NULL, 0, 0 };
    for (int i = 0; i < 2; i++) {
        say("%zu bytes for: %s", input->size, commands[i]);
        tell(i + 1, 0, &nothing);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        usage("tee_two COMMAND1 COMMAND2 < INPUT   (each is run by sh -c)");
    struct text input = { NULL, 0, 0 };
    while (read_more(STDIN_FILENO, &input))
        ;
    int result = tee_two(argv + 1, &input);
    free(input.bytes);
    return result;
}

/* Output of ./tee_two sort "head -n 1; exit 3" < exercises/fruit.txt:
1: exit status 0, 27 bytes
apple
lemon
pear
pear
plum
2: exit status 3, 5 bytes
pear
exit 1
*/
