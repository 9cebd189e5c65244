/* process.h - an object for a child process, like Python's multiprocessing.Process.
   process_step1.c to process_step3.c build it piece by piece; process.c is the whole.

       struct process child = { .target = work, .argument = &job, .name = "worker" };
       check(process_start(&child));
       check(process_join(&child));

   Set the fields of the first group where you make the struct; leave the rest alone (all zero).
   The struct must stay where it is until the child was joined or its parent ends. Use the object
   only in the process that started the child, from one thread.

   A function that can fail returns -1 and sets errno, as a system call does; process_error() says
   the reason in words. A wrong use is such an error too: nothing happens, the program goes on. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What process_exitcode() gives before the child has ended. No exit code is above 255. */
enum { EXITCODE_UNKNOWN = 1000 };

struct process {
    int (*target)(void *argument);      /* what the child runs; its value is the exit status */
    void *argument;                     /* what the target gets; the child works on its own copy */
    int (*run)(struct process *self);   /* instead of target: see process_run() */
    const char *name;                   /* for people; NULL: process_start gives one */
    bool daemon;                        /* ended when its parent returns; has no children */

    pid_t pid;                          /* 0 before start; read it if you like */
    pid_t parent;                       /* who started it */
    bool ended;                         /* reaped; exitcode is known */
    int exitcode;                       /* ask process_exitcode(), which looks first */
    char number[24];                    /* "2"; the first child of that child is "2:1" */
    char default_name[32];
};

/* Starts a child that runs SELF, and returns at once. The child ends when its parent ends, however
   that happens; Python's would stay when the parent is killed. A child never returns from here.
   Returns 0, or -1: EALREADY (started before), EPERM (a daemon called), or errno of fork(2) or
   malloc(3). Buffered output is written out first, so that it is not printed twice.
   Source: fork(2), prctl(2). Python: Process.start(). */
int process_start(struct process *self);

/* What the child does: run(self) if that is set, else target(argument), else nothing. Called by
   process_start in the child; a call of your own runs it here, in your process. Returns the value
   of run or target. Python: Process.run(). */
int process_run(struct process *self);

/* Waits until the child has ended, and reaps it. A second join returns at once.
   Returns 0, or -1: ECHILD (not started), EPERM (another process's child), or errno of waitpid(2).
   Source: waitpid(2). Python: Process.join(). */
int process_join(struct process *self);

/* The same, but waits at most LIMIT_MS ms (0 or less: only asks). Returns 0: joined, 1: the limit
   has passed and the child still runs, -1: as process_join, or errno of pidfd_open(2) or poll(2).
   Source: pidfd_open(2), poll(2); Linux 5.3. Python: Process.join(seconds). */
int process_join_for(struct process *self, int limit_ms);

/* Sends SIGTERM; the child may catch or ignore it, and its own children get nothing. Does not wait.
   Once the child was reaped, does nothing. Returns 0, or -1: ECHILD (not started), EPERM (another
   process's child), or errno of kill(2). Source: kill(2). Python: Process.terminate(). */
int process_terminate(struct process *self);

/* The same with SIGKILL, which no process can catch or ignore. Python: Process.kill(). */
int process_kill(struct process *self);

/* Does the child run? Does not wait; reaps it if it has ended. false before the start and for a
   child that is not ours. Source: waitpid(2), WNOHANG. Python: Process.is_alive(). */
bool process_is_alive(struct process *self);

/* N: ended with exit status N. -N: killed by signal N. EXITCODE_UNKNOWN: has not ended.
   Does not wait; reaps the child if it has ended. Source: waitpid(2). Python: exitcode. */
int process_exitcode(struct process *self);

/* Ends this program with _exit(1) and one line, such as "worker was killed by signal 9", unless the
   child has ended with EXITCODE. Call it after a join. Python has none: there you must look. */
void process_expect(struct process *self, int exitcode);

/* Why the last of these calls returned -1: Python's words for a wrong use, else strerror(3). */
const char *process_error(void);

/* The object of the process that calls: its own struct in a child, one named MainProcess in the
   program's first process. Never NULL. Python: multiprocessing.current_process(). */
struct process *current_process(void);

/* Reaps the children that have ended; writes those that still run to LIST, in the order of their
   start, at most SIZE of them (LIST may be NULL when SIZE is 0). Returns how many still run.
   Source: waitpid(2), WNOHANG. Python: multiprocessing.active_children(). */
int active_children(struct process **list, int size);

#endif
