/* calls.h - for the files that stand between the program under judgement and the C library, by having
   functions of the same names, which call the real ones:
   processes.c  fork, wait, exec, signals, time      threads.c  threads, locks, conditions, semaphores
   files.c      read, write, poll, file locks, sockets, pipe, open, mmap      noise.c  disturbances, failures
   Each call
   - is written down (fork, wait, kill, exit), for the checks that count;
   - can be made to fail on purpose (WORKBOOK_FAIL=CALL:N, the Nth in the whole family of processes);
   - is disturbed, where that is asked for (WORKBOOK_NOISE);
   - is a step of the schedule, where there is one (WORKBOOK_SEED). A call that could block is then tried
     without blocking, and tried again after others have gone on. */
#ifndef CALLS_H
#define CALLS_H

#undef _FORTIFY_SOURCE          /* it would put functions of its own in front of read and poll: those are ours here */

#include "schedule.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The C library's own function of this name. ISO C has no cast from void * to a function. */
#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })
#define HERE (note_callers(__builtin_frame_address(0)), place(__builtin_return_address(0)))
#define PLAYED (scheduled && self >= 0)

/* say() and wait_semaphore() make a call for the lesson: the drawing wants the line that called them. common/ is
   compiled with frame pointers: each frame begins with the address of its caller's frame and the place
   to return to. A frame that does not lie a little above the one before is not one. */
static inline void note_callers(const uintptr_t *frame)
{
    for (int i = 0; i < 2; i++) {
        const uintptr_t *next = (const uintptr_t *)frame[0];
        if (next <= frame || next > frame + 8192 || (uintptr_t)next % sizeof *next != 0)
            return;
        frame = next;
        outer[i] = place((const void *)frame[1]);
    }
}

static inline struct task *me(void) { return &region->task[self]; }
static inline long long ns_of(const struct timespec *time) { return (long long)time->tv_sec * 1000000000 + time->tv_nsec; }

/* A hint, in case that the run fails. */
static inline void seen_interrupted(const char *call, uintptr_t at)
{
    if (region != NULL && region->hint[0] == '\0')
        snprintf(region->hint, sizeof region->hint, "a signal interrupted %s at @%lx@ (EINTR): is the call made again then?\n", call, (unsigned long)at);
}

/* Has a handler without SA_RESTART run since INTERRUPTS was BEFORE? Then a blocking call ends with EINTR.
   poll, pause and the like end so after any handler: they look at HANDLED. Source: signal(7). */
static inline bool interrupted(unsigned before)
{
    if (me()->interrupts != before)
        seen_interrupted(me()->call, me()->at);
    return me()->interrupts != before;
}

/* threads.c: has pthread_cancel been called for this thread? Then it ends here. waits() is blocked() for the calls that
   are cancellation points: pthreads(7). */
void cancellation_point(void);
bool waits(enum state state, uint64_t object, const char *call, uintptr_t at);

void report_threads(void);              /* at the end of the first process: those that nobody joins */

/* processes.c */
extern __thread int handler_depth;      /* how many signal handlers this thread is in */
void limit_at(const struct timespec *time, clockid_t clock);    /* for the next blocked(TIMED, ...): until an absolute time */

void timers_fire(void);                 /* makes the timer descriptors readable that are over by the run's clock */
void timer_was_read(int fd, void *buffer);

/* noise.c */
enum { YIELDS = 1, DELAYS = 2, SHORTENS = 4, INTERRUPTS = 8, WAKES = 16 };
extern unsigned noise;          /* which disturbances */
extern unsigned long long may_interrupt;    /* the signals that have a handler without SA_RESTART, a bit each */
bool shall_fail(const char *call);                  /* shall this call of CALL fail? Counts only the call it is about */
unsigned noise_draw(unsigned below);
bool disturb(unsigned kind);                        /* shall this be done now? */
void delay(void);                                   /* before a call: others may be faster */
bool interrupt(void);                               /* is this call interrupted now? Then errno is EINTR */
ssize_t noise_read(int fd, void *buffer, size_t size);     /* from a pipe or a stream: sometimes fewer bytes */
ssize_t noise_write(int fd, const void *buffer, size_t size);
size_t any_part(int fd, size_t size);                       /* how many bytes of SIZE a read gives, */
size_t large_part(size_t size);                             /* and a write takes */
void noise_fork(bool child);                        /* each process goes its own way */

#endif
