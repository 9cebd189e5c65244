/* process.c - how the object of process.h works. What process_step3.c has, and: names for all,
   wrong uses refused, a list of the children, an end that leaves nothing. Read it top to bottom. */
#include "workbook.h"

#include "process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A child that was started and not reaped yet. It repeats pid and daemon, because the struct
   process may be a variable of main, and that is gone when end_children() runs after main. */
struct record {
    struct process *process;
    pid_t pid;
    bool daemon;
    struct record *next;
};

static struct process main_process = { .name = "MainProcess" };
static struct process *current = &main_process; /* the object of the process that runs this */
static struct record *children;                 /* its children, in the order of their start */
static int started;                             /* how many it has started, for their numbers */
static pid_t owner;                             /* whose list this is: a fork copies it to others */
static const char *refusal;                     /* why the last call was refused, or NULL */

/* ---- errors ---- */

static int refuse(int code, const char *text)
{
    refusal = text;
    errno = code;
    return -1;
}

const char *process_error(void)
{
    return refusal != NULL ? refusal : strerror(errno);
}

/* Returns 0 if SELF was started, and by this process; else refuses. */
static int must_be_my_child(const struct process *self, const char *not_started)
{
    refusal = NULL;
    if (self->pid == 0)
        return refuse(ECHILD, not_started);
    if (self->parent != getpid())   /* a child has its parent's structs, but not its children */
        return refuse(EPERM, "can only join a child process");
    return 0;
}

/* ---- waiting ---- */

/* waitpid that goes on when a signal interrupts it. */
static pid_t wait_for(pid_t pid, int *status, int flags)
{
    pid_t found;
    while ((found = waitpid(pid, status, flags)) == -1 && errno == EINTR)
        ;
    return found;
}

static void forget(pid_t pid)
{
    struct record **place = &children;
    while (*place != NULL && (*place)->pid != pid)
        place = &(*place)->next;
    struct record *record = *place;
    if (record == NULL)
        return;
    *place = record->next;
    free(record);
}

/* Reaps the child if it has ended; with flags 0 waits for that, with WNOHANG only asks.
   Returns 1: ended (now or before), 0: still runs, -1: waitpid's errno. */
static int reap(struct process *self, int flags)
{
    if (self->ended)
        return 1;                   /* never ask twice: the kernel may have given the pid away */
    int status;
    pid_t pid = wait_for(self->pid, &status, flags);
    if (pid <= 0)
        return (int)pid;
    self->exitcode = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    self->ended = true;
    forget(pid);
    return 1;
}

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));    /* a clock that nobody can set back */
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits until the child PID, which is not reaped yet, has ended. Does not reap it.
   Returns 1: ended, 0: LIMIT_MS ms have passed, -1: errno of pidfd_open or poll. */
static int wait_for_end(pid_t pid, int limit_ms)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);  /* musl has no function for it */
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
    int error = errno;
    check(close(fd));
    errno = error;
    return ready;
}

/* ---- the end of a process that has children ---- */

/* As Python does it: daemons get SIGTERM, then all children are joined. Runs at exit, and at the
   end of a child's run. A daemon gets 1000 ms to end; Python waits for ever if it ignores SIGTERM. */
static void end_children(void)
{
    if (owner != getpid())
        return;                     /* a fork has copied the list: these are not my children */
    for (struct record *record = children; record != NULL; record = record->next)
        if (record->daemon)
            kill(record->pid, SIGTERM);
    while (children != NULL) {
        pid_t pid = children->pid;
        if (children->daemon && wait_for_end(pid, 1000) != 1)
            kill(pid, SIGKILL);     /* not reaped yet, so the pid is still our child's */
        wait_for(pid, NULL, 0);
        forget(pid);
    }
}

/* Makes the list this process's own. A fork has copied the parent's: empty it. Returns 0, or -1. */
static int own_children(void)
{
    if (owner == getpid())
        return 0;
    if (owner == 0 && atexit(end_children) != 0)    /* once: a fork copies what atexit keeps, too */
        return refuse(ENOMEM, "atexit: no memory");
    while (children != NULL)
        forget(children->pid);
    started = 0;
    owner = getpid();
    return 0;
}

/* ---- starting ---- */

int process_run(struct process *self)
{
    if (self->run != NULL)
        return self->run(self);
    return self->target != NULL ? self->target(self->argument) : 0;
}

/* All that the child does. PARENT is the parent's pid, taken before the fork. */
static _Noreturn void be_the_child(struct process *self, pid_t parent)
{
    check(end_with_parent(parent)); /* SIGKILL when the parent has ended, even by SIGKILL */
    self->pid = getpid();
    self->parent = parent;
    current = self;
    check(own_children());
    int exitcode = process_run(self);
    end_children();                 /* its own */
    if (fflush(NULL) == EOF)
        _exit(1);
    _exit(exitcode);                /* not exit: the parent's atexit handlers are not ours to run */
}

/* Gives SELF its number, and a name if it has none. */
static void give_name(struct process *self)
{
    snprintf(self->number, sizeof self->number, "%.10s%s%d",
             current->number, current->number[0] != '\0' ? ":" : "", ++started);
    if (self->name != NULL)
        return;
    snprintf(self->default_name, sizeof self->default_name, "Process-%s", self->number);
    self->name = self->default_name;
}

int process_start(struct process *self)
{
    refusal = NULL;
    if (self->pid != 0)
        return refuse(EALREADY, "cannot start a process twice");
    if (current->daemon)            /* it may be ended at any moment: who would end its children? */
        return refuse(EPERM, "daemonic processes are not allowed to have children");
    if (own_children() == -1 || fflush(NULL) == EOF)
        return -1;
    active_children(NULL, 0);       /* as Python does: reap what has ended */

    struct record *record = malloc(sizeof *record);
    if (record == NULL)
        return -1;
    give_name(self);
    pid_t parent = getpid();        /* now: after the fork the parent may be another process */
    pid_t pid = fork();
    if (pid == 0)
        be_the_child(self, parent);
    if (pid == -1) {
        int error = errno;
        free(record);
        errno = error;
        return -1;
    }
    self->pid = pid;
    self->parent = parent;

    *record = (struct record){ .process = self, .pid = pid, .daemon = self->daemon, .next = NULL };
    struct record **place = &children;
    while (*place != NULL)
        place = &(*place)->next;
    *place = record;
    return 0;
}

/* ---- waiting for it, ending it, asking about it ---- */

int process_join(struct process *self)
{
    if (must_be_my_child(self, "can only join a started process") == -1)
        return -1;
    return reap(self, 0) == -1 ? -1 : 0;
}

int process_join_for(struct process *self, int limit_ms)
{
    if (must_be_my_child(self, "can only join a started process") == -1)
        return -1;
    int ended = self->ended ? 1 : wait_for_end(self->pid, limit_ms > 0 ? limit_ms : 0);
    if (ended <= 0)
        return ended == 0 ? 1 : -1;
    return process_join(self);      /* does not wait any more */
}

static int send_signal(struct process *self, int signal)
{
    if (must_be_my_child(self, "can only end a started process") == -1)
        return -1;
    return self->ended ? 0 : kill(self->pid, signal);   /* once reaped, the pid may be another's */
}

int process_terminate(struct process *self)
{
    return send_signal(self, SIGTERM);
}

int process_kill(struct process *self)
{
    return send_signal(self, SIGKILL);
}

bool process_is_alive(struct process *self)
{
    if (self == current)
        return true;                /* who asks, runs */
    return self->pid != 0 && self->parent == getpid() && reap(self, WNOHANG) == 0;
}

int process_exitcode(struct process *self)
{
    process_is_alive(self);         /* reaps it if it has ended */
    return self->ended ? self->exitcode : EXITCODE_UNKNOWN;
}

void process_expect(struct process *self, int exitcode)
{
    int found = process_exitcode(self);
    if (found == exitcode)
        return;
    const char *name = self->name != NULL ? self->name : "a process without a name";
    if (found < 0)
        die("%s was killed by signal %d", name, -found);
    if (found == EXITCODE_UNKNOWN)
        die("%s has no exit code: it has not ended", name);
    die("%s ended with exit code %d", name, found);
}

struct process *current_process(void)
{
    return current;
}

int active_children(struct process **list, int size)
{
    int count = 0;
    struct record *next;
    if (owner != getpid())
        return 0;
    for (struct record *record = children; record != NULL; record = next) {
        next = record->next;        /* before reap(), which frees the record */
        if (reap(record->process, WNOHANG) != 0)
            continue;
        if (count < size)
            list[count] = record->process;
        count++;
    }
    return count;
}
