/* unsafe_handler.c - why a handler may not call printf: it may run in the middle of a printf.
   Python: a handler runs between two lines of Python, so print is allowed there
   Calls:  sigaction(2), raise(3), signal-safety(7)
   Needs:  01-fork/stdio_after_fork, handler
   Try:    build/unsafe_handler natural   Nothing is forced there: a child sends 20000 signals while
           main prints lines. How often does the handler come into the middle of one? */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 100 };

/* A small printf of our own. Like the real one it collects a line in a buffer, which all callers use.
   Each part has the type that a handler may touch: the real printf makes no such promise. */
static struct {
    volatile sig_atomic_t line[SIZE], used, busy;
} buffer;
static volatile sig_atomic_t caught;            /* handlers that came into the middle of put_line */
static volatile sig_atomic_t came;              /* for the right version: a flag, nothing else */
static volatile sig_atomic_t thrown_away;       /* do not write the lines (natural) */

static void write_line(void)
{
    char bytes[SIZE];
    int count = buffer.used;
    for (int i = 0; i < count; i++)
        bytes[i] = (char)buffer.line[i];
    buffer.used = 0;
    if (!thrown_away && write_full(STDOUT_FILENO, bytes, (size_t)count) == -1)
        _exit(1);
}

/* Prints TEXT and a newline. In the middle of TEXT, if INTERRUPTED, a signal comes. */
static void put_line(const char *text, bool interrupted)
{
    size_t length = strlen(text);
    buffer.busy = 1;
    for (size_t i = 0; i <= length; i++) {
        int at = buffer.used;
        if (at < SIZE) {
            buffer.line[at] = i < length ? text[i] : '\n';
            buffer.used = at + 1;
        }
        if (interrupted && i == length / 2)
            check(raise(SIGUSR1));              /* now: half a line is in the buffer */
    }
    write_line();
    buffer.busy = 0;
}

/* The wrong handler. What it does is caught, not left to chance. */
static void on_usr1_prints(int signal)
{
    (void)signal;
    int saved = errno, was_busy = buffer.busy;
    caught = caught + was_busy;
    put_line("<handler: SIGUSR1>", false);
    buffer.busy = was_busy;
    errno = saved;
}

/* The right handler: only a flag. */
static void on_usr1(int signal)
{
    (void)signal;
    came = 1;
}

static void handle(void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGUSR1, &action, NULL));
}

static void natural(void)
{
    pid_t parent = getpid(), ended;
    int status;
    handle(on_usr1_prints);
    thrown_away = 1;
    pid_t child = check(fork());
    if (child == 0) {
        check(end_with_parent(parent));
        for (int i = 0; i < 20000; i++)
            check(kill(parent, SIGUSR1));
        _exit(0);
    }
    do {
        for (int i = 0; i < 100; i++)
            put_line("main counts: 1 2 3 4 5 6", false);
        ended = check(waitpid(child, &status, WNOHANG));
    } while (ended == 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("the child did not end by itself: wait status %d", status);
    say("WRONG: the handler came into the middle of a line %d times", (int)caught);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        handle(on_usr1);
        put_line("main counts: 1 2 3 4 5 6", true);
        if (came)                               /* main is between two lines: printing is safe here */
            put_line("main: SIGUSR1 came", false);
    } else if (argc == 2 && strcmp(argv[1], "wrong") == 0) {
        handle(on_usr1_prints);
        put_line("main counts: 1 2 3 4 5 6", true);
        say("WRONG: %d line was torn: the handler printed in the middle of it", (int)caught);
    } else if (argc == 2 && strcmp(argv[1], "natural") == 0)
        natural();
    else
        usage("unsafe_handler [wrong | natural]");
}

/* Output of ./unsafe_handler wrong:
main counts: <handler: SIGUSR1>
1 2 3 4 5 6
WRONG: 1 line was torn: the handler printed in the middle of it
*/

/* Output:
main counts: 1 2 3 4 5 6
main: SIGUSR1 came
*/
