/* two_workers.c - two endless workers that take turns, and stop when they are told.
   Python: two Processes, "while True: print(1)" and "while True: print(2)", but with an order
   Calls:  pipe(2), read(2), write(2), signal(2) (to ignore SIGPIPE)
   Needs:  fork, exit_status, pipe
   Try:    In main's loop, remove "|| !get_token(pipes[TO_PARENT][0])". Run it some times: the
           parent no longer waits for worker 2, so a second 1 may come before the first 2. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* One byte, the token, goes round: parent -> worker 1 -> worker 2 -> parent. Who has it may print. */
enum { TO_1, TO_2, TO_PARENT, PIPES };

/* A process keeps one end for reading and one for writing, and closes the other four. An end
   that somebody forgets to close is an end of file that never comes. */
static void keep_only(int pipes[PIPES][2], int in, int out)
{
    for (int i = 0; i < PIPES; i++) {
        if (i != in)
            check(close(pipes[i][0]));
        if (i != out)
            check(close(pipes[i][1]));
    }
}

/* Returns 1, or 0 if no process has the other end any more. */
static int pass_token(int out)
{
    ssize_t count = write(out, "t", 1);
    if (count == -1 && errno != EPIPE)
        die("write: %s", errno_name(errno));
    return count == 1;
}

/* Returns 1, or 0 at end of file. */
static int get_token(int in)
{
    char token;
    return check(read(in, &token, 1)) == 1;
}

static _Noreturn void worker(int number, int in, int out)
{
    while (get_token(in)) {     /* endless, as long as tokens come */
        say("%d", number);
        if (!pass_token(out))
            _exit(0);
    }
    say("worker %d: end of file, so I stop", number);
    _exit(0);                   /* closes our write end: now the next in the round sees end of file */
}

int main(void)
{
    /* A write into a pipe without a reader ends the writer, by SIGPIPE. We ignore that signal, and
       so do the children, from fork. Then write returns -1 with EPIPE instead. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("signal: %s", errno_name(errno));

    int pipes[PIPES][2];
    for (int i = 0; i < PIPES; i++)
        check(pipe(pipes[i]));
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = check(fork());
        if (pids[i] == 0) {
            keep_only(pipes, i, i + 1);     /* worker 1: from TO_1 to TO_2; worker 2: the next two */
            worker(i + 1, pipes[i][0], pipes[i + 1][1]);
        }
    }
    keep_only(pipes, TO_PARENT, TO_1);

    for (int round = 0; round < 3; round++)
        if (!pass_token(pipes[TO_1][1]) || !get_token(pipes[TO_PARENT][0]))
            break;              /* a worker has ended: waitpid tells which */
    check(close(pipes[TO_1][1]));   /* the order to stop: worker 1 sees end of file, then worker 2 */

    int status[2];
    for (int i = 0; i < 2; i++)
        check(waitpid(pids[i], &status[i], 0));
    check(close(pipes[TO_PARENT][0]));
    for (int i = 0; i < 2; i++) {
        if (WIFSIGNALED(status[i]))
            die("worker %d was killed by signal %d", i + 1, WTERMSIG(status[i]));
        if (WEXITSTATUS(status[i]) != 0)
            die("worker %d ended with exit code %d", i + 1, WEXITSTATUS(status[i]));
    }
    say("parent: both workers have ended");
}

/* Output:
1
2
1
2
1
2
worker 1: end of file, so I stop
worker 2: end of file, so I stop
parent: both workers have ended
*/
