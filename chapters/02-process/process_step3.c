/* process_step3.c - a join with a limit, and two ways to end a child.
   Python: join(timeout), terminate(), kill()
   Calls:  pidfd_open(2), poll(2), kill(2), clock_gettime(2)
   Needs:  01-fork/exit_status, 01-fork/pipe, process_step2
   Try:    Take out the line with process_terminate(). Now the join finds waiter alive for ever:
           the program hangs. End it with Ctrl-C: that signal goes to both processes. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
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

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));    /* a clock that nobody can set back */
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits like process_join, but at most LIMIT_MS ms.
   Returns 0: joined, 1: still runs, -1: errno of pidfd_open, poll or waitpid. */
static int process_join_for(struct process *self, int limit_ms)
{
    if (self->ended)
        return 0;
    int fd = (int)syscall(SYS_pidfd_open, self->pid, 0);
    if (fd == -1)
        return -1;
    struct pollfd end = { .fd = fd, .events = POLLIN };     /* readable: the child has ended */
    long long stop = now_ms() + limit_ms, left = limit_ms;
    int ready;
    while ((ready = poll(&end, 1, (int)left)) == -1 && errno == EINTR) {
        left = stop - now_ms();     /* a signal came: wait again, but only for the rest */
        if (left < 0)
            left = 0;
    }
    check(close(fd));
    if (ready <= 0)
        return ready == 0 ? 1 : -1;
    return process_join(self);
}

/* Sends SIGTERM: the child may catch or ignore it. Sends nothing to a child that was reaped,
   because its pid may belong to another process now. Returns 0, or -1 with kill's errno. */
static int process_terminate(struct process *self)
{
    return self->ended ? 0 : kill(self->pid, SIGTERM);
}

/* The same with SIGKILL, which no process can catch or ignore. */
static int process_kill(struct process *self)
{
    return self->ended ? 0 : kill(self->pid, SIGKILL);
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
    if (check(process_join_for(&waiter, 50)) == 1)
        say("%s still runs after the limit", waiter.name);
    check(process_terminate(&waiter));
    check(process_join(&waiter));
    process_expect(&waiter, -SIGTERM);
    say("%s is alive: %s, exit code %d",
        waiter.name, process_is_alive(&waiter) ? "yes" : "no", waiter.exitcode);
    check(process_kill(&waiter));   /* too late, and no error: no signal is sent */
    check(close(go[1]));
}

/* Output:
parent (pid P1): start
child (pid P2): hello, Anna
parent (pid P1): joined pid P2, exit code 0
waiter is alive: yes
waiter still runs after the limit
waiter is alive: no, exit code -15
*/
