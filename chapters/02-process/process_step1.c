/* process_step1.c - a child process as an object: a struct that knows what to run.
   Python: Process(target=..., args=...), start(), join()
   Calls:  fork(2), waitpid(2), _exit(2)
   Needs:  01-fork/fork, 01-fork/exit_status
   Try:    Return 7 from hello(). The parent now says so, and its own exit status is 1:
           the value of the target is the exit status of the child. */
#include "workbook.h"

#include <sys/wait.h>
#include <unistd.h>

struct process {
    int (*target)(void *argument);  /* what the child runs; its value is the child's exit status */
    void *argument;                 /* what the target gets */
    pid_t pid;                      /* set by process_start */
    int status;                     /* set by process_join, as waitpid gives it */
};

/* Starts the child. Returns 0, or -1 with fork's errno. */
static int process_start(struct process *self)
{
    pid_t pid = fork();
    if (pid == -1)
        return -1;
    if (pid == 0)
        _exit(self->target(self->argument));    /* the child never returns into the parent's code */
    self->pid = pid;
    return 0;
}

/* Waits until the child has ended, and reaps it. Returns 0, or -1 with waitpid's errno. */
static int process_join(struct process *self)
{
    if (waitpid(self->pid, &self->status, 0) == -1)
        return -1;
    return 0;
}

/* Ends this program with one line, unless the child ended with EXITCODE. */
static void process_expect(const struct process *self, int exitcode)
{
    if (WIFSIGNALED(self->status))
        die("the child was killed by signal %d", WTERMSIG(self->status));
    if (WEXITSTATUS(self->status) != exitcode)
        die("the child ended with exit code %d", WEXITSTATUS(self->status));
}

/* A target. It runs in the child. */
static int hello(void *argument)
{
    const char *who = argument;
    say("child (pid %d): hello, %s", getpid(), who);
    return 0;
}

int main(void)
{
    struct process greeter = { .target = hello, .argument = "Anna" };

    say("parent (pid %d): start", getpid());
    check(process_start(&greeter));
    check(process_join(&greeter));
    process_expect(&greeter, 0);
    say("parent (pid %d): joined pid %d", getpid(), greeter.pid);
}

/* Output:
parent (pid P1): start
child (pid P2): hello, Anna
parent (pid P1): joined pid P2
*/
