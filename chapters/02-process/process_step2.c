/* process_step2.c - the object knows how its child is: alive or ended, and with which exit code.
   Python: Process(name=...), is_alive(), exitcode, join() twice
   Calls:  waitpid(2) with WNOHANG
   Needs:  01-fork/exit_status, 01-fork/pipe, 01-fork/zombie_and_orphan, process_step1
   Try:    Take out the line `if (self->ended)` and the one below it in reap(). The second join now
           fails with ECHILD ("No child processes"): a child can be reaped only once. */
#include "workbook.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

struct process {
    int (*target)(void *argument);  /* what the child runs; its value is the child's exit status */
    void *argument;                 /* what the target gets */
    const char *name;               /* for people: no call uses it */
    pid_t pid;                      /* set by process_start */
    bool ended;                     /* the child was reaped; exitcode is known */
    int exitcode;                   /* N: ended with exit status N; -N: killed by signal N */
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

/* Reaps the child if it has ended; with flags 0 waits for that, with WNOHANG only asks.
   Returns 1: ended (now or before), 0: still runs, -1: waitpid's errno. */
static int reap(struct process *self, int flags)
{
    if (self->ended)
        return 1;                   /* never ask twice: the kernel may have given the pid away */
    int status;
    pid_t pid = waitpid(self->pid, &status, flags);
    if (pid <= 0)
        return (int)pid;
    self->exitcode = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    self->ended = true;
    return 1;
}

/* Waits until the child has ended, and reaps it. Returns 0, or -1 with waitpid's errno. */
static int process_join(struct process *self)
{
    if (reap(self, 0) == -1)
        return -1;
    return 0;
}

/* Does the child still run? Does not wait. */
static bool process_is_alive(struct process *self)
{
    return check(reap(self, WNOHANG)) == 0;
}

/* Ends this program with one line, unless the child ended with EXITCODE. */
static void process_expect(const struct process *self, int exitcode)
{
    if (self->exitcode < 0 && self->exitcode != exitcode)
        die("%s was killed by signal %d", self->name, -self->exitcode);
    if (self->exitcode != exitcode)
        die("%s ended with exit code %d", self->name, self->exitcode);
}

/* A target. It runs in the child. */
static int hello(void *argument)
{
    const char *who = argument;
    say("child (pid %d): hello, %s", getpid(), who);
    return 0;
}

/* Another: waits until the parent closes its end of the pipe. */
static int wait_for_parent(void *argument)
{
    const int *go = argument;
    char byte;
    check(close(go[1]));            /* the child's copy: with it open, end of file never comes */
    check(read_full(go[0], &byte, 1));
    return 3;
}

int main(void)
{
    struct process greeter = { .target = hello, .argument = "Anna", .name = "greeter" };

    say("parent (pid %d): start", getpid());
    check(process_start(&greeter));
    check(process_join(&greeter));
    check(process_join(&greeter));  /* again: nothing to wait for, and no error */
    process_expect(&greeter, 0);
    say("parent (pid %d): joined pid %d, exit code %d", getpid(), greeter.pid, greeter.exitcode);

    int go[2];
    check(pipe(go));
    struct process waiter = { .target = wait_for_parent, .argument = go, .name = "waiter" };
    check(process_start(&waiter));
    check(close(go[0]));
    say("%s is alive: %s", waiter.name, process_is_alive(&waiter) ? "yes" : "no");
    check(close(go[1]));            /* this ends it */
    check(process_join(&waiter));
    process_expect(&waiter, 3);
    say("%s is alive: %s, exit code %d",
        waiter.name, process_is_alive(&waiter) ? "yes" : "no", waiter.exitcode);
}

/* Output:
parent (pid P1): start
child (pid P2): hello, Anna
parent (pid P1): joined pid P2, exit code 0
waiter is alive: yes
waiter is alive: no, exit code 3
*/
