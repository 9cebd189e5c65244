/* schedule.h - the controlled scheduler: what its files, and the drawing, share.
   schedule.c  the tasks, and the token that lets one of them run at a time
   calls.h     the calls that a program makes: each is a step, a blocking one is "try, else let others run"
   memory.c    the plain reads and writes, and which of them race; library.c, those of the C library
   A task is a process or a thread. All of them map the same region; whoever has the token may use it. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PIPES = 32, OUTSIDE = 9,            /* the key of whatever comes from processes that are not ours */
       TASKS = 192, OBJECTS = 2048, STEPS = 8192, CELLS = 1 << 15, RECORDS = 6, TEXT = 1 << 18, MAPPINGS = 64, TIMERS = 32, QUEUED = 32, GONE = 64 };

enum state {
    UNUSED, READY,              /* READY: could run */
    BLOCKED,                    /* its last try failed; tried again when somebody made progress */
    TIMED,                      /* the same, but with a limit: gives up when nothing else can happen */
    AWAY,                       /* in a call we do not know, or another program (exec) */
    ENDED
};

struct task {
    enum state state;
    pid_t pid, tid;
    int parent;                 /* task number */
    int space;                  /* whose memory it has: the number of its process's first task */
    bool thread, expired, signalled;
    bool waits;                 /* that it waits is written down already */
    bool joined;                /* or detached: nobody has to join it */
    uintptr_t started_at;       /* a thread: by the call at this place */
    unsigned long tried;        /* the progress counter at its last failed try */
    unsigned posts;             /* so often the semaphore that it waits for had been posted then */
    atomic_int turn;            /* futex: 1 when it has been given the token */
    atomic_int in_line;         /* it waits for its turn */
    int priority;
    unsigned clock[TASKS];      /* what this task knows of the others: a vector clock */
    uint64_t waits_for;         /* object, or 0 */
    char call[40];              /* "pthread_mutex_lock", "read from descriptor 3" ... */
    uintptr_t at, outer[2];     /* source place of that call, an offset in the program; and whence that function was called */
    _Atomic unsigned long long pending; /* signals sent to it, not yet delivered */
    struct { int number; void *value; } queue[QUEUED];  /* real-time signals do not merge: each of them, in order */
    int queued;
    long long deadline;         /* TIMED: when its wait ends, in ns of the run's own clock */
    long long alarm, again;     /* when SIGALRM comes, or 0; and after which time once more, or 0 */
    bool stopped;               /* by SIGSTOP, until SIGCONT */
    int death_signal;           /* what it gets when its parent ends (prctl), or 0 */
    bool cancelled, keeps_on;   /* pthread_cancel was called for it; it has cancellation switched off */
    uint64_t condition;         /* the condition it waits on, or 0 */
    const void *written;        /* what it has just written to, whose new value step number LAST wants to know */
    size_t written_size;
    int last;
    uintptr_t looked[4];        /* where it has read, since it has its lock */
    int looks;
    uintptr_t woken;            /* it has just come back from a wait for a condition, at this place */
    unsigned handled;           /* how many handlers have run */
    unsigned interrupts;        /* how many of them without SA_RESTART */
};

enum kind { NOTHING, MUTEX, CONDITION, SEMAPHORE, BARRIER, RWLOCK, PIPE, ATOMIC, ONCE, OTHER };

struct object {
    uint64_t key;
    enum kind kind;
    int owner;                  /* task that holds it, or -1 */
    int depth;
    bool private_to_process;    /* made without PTHREAD_PROCESS_SHARED */
    int user;                   /* 1 + the process that has used it last */
    bool robust;                /* whoever comes next is told when its owner died */
    unsigned char holds[TASKS]; /* how often each task has taken it and not given it back: locks and semaphores */
    uintptr_t at, outer[2];     /* where it was taken last; a condition, where it was signalled last, by its owner */
    unsigned count, total;      /* barrier: how many have come, how many shall; semaphore: how many posts */
    int woken;                  /* by that signal: a task, -1 nobody, -2 all who waited */
    unsigned generation;
    unsigned clock[TASKS];
};

struct step {
    short task;
    char what;                  /* 'r' read 'w' write, or 'c' a call */
    uint64_t object;
    long value;
    uintptr_t at, outer[2];     /* where it was made, and whence that function was called */
    char text[40];
};

struct record {                 /* one access to a cell of four bytes */
    short task;
    unsigned char mask, write;
    bool own;                   /* it is on the task's own stack */
    unsigned clock;
    uintptr_t at;
};

struct cell {
    uint64_t key;
    struct record record[RECORDS];
};

struct timer {                  /* of timer_create (a signal) or of timerfd_create (a descriptor) */
    int space;                  /* the process it belongs to */
    bool used;
    int fd, number;             /* the descriptor; or -1, and the signal */
    const void *id;             /* what timer_create gave */
    long long at, again;        /* when it is over, or 0; and after which time once more, or 0 */
    uint64_t times;             /* how often it was over since the last read */
};

struct pipe_log {               /* under noise: the writes to a pipe that are not yet read */
    _Atomic uint64_t key;
    atomic_int taken;           /* a lock: a pid, or 0 */
    bool any;                   /* a write was longer than PIPE_BUF: its parts may come apart */
    int count;
    unsigned short size[256];
};

struct region {
    atomic_size_t used;         /* of the event text */
    atomic_long failing;        /* calls counted for WORKBOOK_FAIL */
    char text[TEXT];

    atomic_int running;         /* the task that has the token, -1 before the first */
    atomic_uint moves;          /* changes each time the token does */
    atomic_int stalled;         /* how often the others have found it running without a step */
    int tasks;
    bool threads;               /* has any process made a thread? then all its memory counts */
    int mode;                   /* how the seed decides: see choose() */
    bool late;                  /* do some tasks begin late? (mode 1) */
    bool polite;                /* does each that has got a lock let all others go first? (mode 1) */
    uint64_t random;
    unsigned long progress;     /* counts steps that were not failed tries */
    int lowest;                 /* the lowest priority that was given */
    int same;                   /* steps that one task has made in a row */
    int steps, switches;
    long long now;              /* the run's own clock, in ns: it moves by steps, and leaps when all wait */
    uint64_t outside;           /* the pipe that is standard input: it is filled by nobody we schedule */
    long long date;             /* CLOCK_REALTIME is so much more than this clock */
    pid_t gone[GONE];           /* processes that are ending: who goes on waits until they are gone */
    int gone_count;
    bool idle;                  /* the one that has the token waits for another program */
    struct timer timer[TIMERS];
    bool programs;              /* has any task become another program (exec)? */
    int still;                  /* for how many ticks of real time nothing has moved */
    struct pipe_log pipe_log[PIPES];
    bool over;                  /* a verdict was found: everybody ends */
    char verdict[32];
    char remark[200];           /* what was left behind, if that is all */
    char why[2000];
    uintptr_t places[2];        /* of a race */
    int found;                  /* the number of steps when the verdict was found */
    char hint[200];             /* what was done that often is a mistake: told only with a verdict */
    struct task task[TASKS];
    int objects;                /* how many of these are in use: the first ones */
    short slot[2 * OBJECTS];    /* a hash table of their numbers, from 1 on */
    struct object object[OBJECTS];
    struct step step[STEPS];
    struct cell cell[CELLS];
};

extern struct region *region;   /* NULL: this run is not observed */
extern bool scheduled;          /* this run has a schedule */
extern __thread uintptr_t outer[2];  /* for the next step: the callers of the function that makes it */
extern __thread int self;       /* the number of this task */
extern __thread bool busy;      /* in the middle of a change to the region: no handler of the program may run now */

/* schedule.c */
long raw_syscall(long number, ...);                 /* syscall(2) itself; the program's own calls of it come to threads.c */
void region_open(void);
int task_new(int parent, bool thread);              /* a number for a task about to be started */
void task_begin(int number);                        /* in the new task: waits for its first turn */
void task_end(bool process);                        /* this task, or its whole process, ends: others go on */
void release_pipes(int number);
void task_away(void);                               /* this task becomes another program */
void task_look_again(void);                         /* some tasks may have been killed */
void task_killed(int number);                       /* a signal has ended this task's process */
void post(int number, int signal, void *value);     /* that task gets a signal when it goes on */
bool stays_alive(int number);                       /* whatever process gets that signal, its default does not end it */
bool ends_by(const struct task *task, int number);  /* would that signal end the task's process? */
void end_by(int number);                            /* this process ends by that signal */
void step(char what, uint64_t object, long value, uintptr_t at, const char *text);   /* others may go on, then it is written down */
void let_others_go_on(void);                        /* the same, and nothing is written down */
void done(uint64_t object, long value, uintptr_t at, const char *text);     /* the other way round: what others wait for is done */
void write_down(char what, uint64_t object, long value, uintptr_t at, const char *text);     /* for the drawing */
void note_value(void);                              /* of what the task has last read or written */
bool blocked(enum state state, uint64_t object, const char *call, uintptr_t at);     /* a try failed; false: it timed out */
void unblocked(void);
void limit_in(long long ns);                        /* how long the next blocked(TIMED, ...) lasts at most */
bool others_can_run(void);
void took(struct object *object, uintptr_t at);     /* a lock or a semaphore: this task holds it now */
void gave_back(struct object *object);
void verdict(const char *word, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned draw(unsigned below);                      /* a number from the seed */
struct object *object_of(uint64_t key, enum kind kind);
uint64_t key_of(const void *address);               /* the same for all tasks that share the place */
bool is_shared(const void *address);
void acquire(const unsigned *from);                 /* this task has seen all that FROM had seen */
void release(unsigned *to);
void wait_until_gone(pid_t pid);
void wait_until_stopped(pid_t pid, bool stopped);
char state_in_proc(pid_t pid, pid_t tid);           /* the state letter of a task in /proc, or 0 when it is gone */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mapping_add(const void *address, size_t size, uint64_t identity);
void mapping_remove(const void *address);
uintptr_t place(const void *return_address);        /* an address in the program as addr2line wants it */

/* files.c, noise.c */
void report_descriptors(void);                      /* notes what the ending process has left open */
uint64_t stream_key(int fd);                        /* the key of the pipe or socket behind a descriptor, or 0 */
void fork_begin(void);                             /* children begin as tasks of their own */
void noise_begin(unsigned long seed);               /* this run is disturbed, not scheduled */

/* memory.c */
void access_memory(const void *address, size_t size, bool write, uintptr_t at);
void forget_memory(const void *address, size_t size);

#endif
