/* schedule.c - the tasks of a program, and the token that lets one of them run at a time.
   Every process and thread of the program under judgement maps one region. A task that makes a step
   (a call, or an access to memory that others see) asks, by the seed, who goes next. A task that
   cannot go on says so; when nobody can, and nobody will by waiting, that is a deadlock, known at once.
   All choices come from the seed and the order of steps, so that a seed repeats. */
#include "schedule.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* linux/futex.h does not exist everywhere; the numbers are the kernel's for good */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

struct region *region;
bool scheduled;
__thread int self = -1;
__thread bool busy;
__thread uintptr_t outer[2];

/* syscall(2): six arguments are passed on, whatever the call takes. */
long raw_syscall(long number, ...)
{
    static long (*real)(long, ...);
    long arguments[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "syscall");
        memcpy(&real, &found, sizeof real);
    }
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

static struct { const char *start; size_t size; uint64_t identity; } mappings[MAPPINGS];
static int mapping_count;
static uintptr_t base;          /* where the program was loaded */
extern char __executable_start;

/* ---- the region ---- */

__attribute__((constructor(101)))
void region_open(void)
{
    const char *path = getenv("WORKBOOK_EVENTS"), *seed = getenv("WORKBOOK_SEED");
    if (path == NULL || region != NULL)
        return;
    int fd = (int)raw_syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd == -1)
        return;
    void *memory = (void *)raw_syscall(SYS_mmap, NULL, sizeof *region, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);     /* long: syscall takes longs */
    raw_syscall(SYS_close, fd);
    if (memory == MAP_FAILED)
        return;
    region = memory;
    base = (uintptr_t)&__executable_start;
    note("start %d\n", (int)getpid());
    if (getenv("WORKBOOK_NOISE") != NULL)
        noise_begin(strtoul(getenv("WORKBOOK_NOISE"), NULL, 10));
    if (seed == NULL)
        return;
    scheduled = true;
    fork_begin();
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].pid == getpid() && region->task[i].state != ENDED) {
            self = i;           /* this program took the place of the one before (exec) */
            step('c', 0, 0, 0, "exec");
            return;
        }
    region->random = (uint64_t)strtoull(seed, NULL, 10) * 0x9E3779B97F4A7C15u + 1;
    region->mode = (int)(strtoul(seed, NULL, 10) % 4);
    region->late = strtoul(seed, NULL, 10) % 8 == 5;
    region->polite = strtoul(seed, NULL, 10) % 8 == 6;
    if (region->polite)
        region->mode = 1;
    region->outside = stream_key(STDIN_FILENO);
    struct timespec now;
    raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    region->now = (long long)now.tv_sec * 1000000000 + now.tv_nsec;
    raw_syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    region->date = (long long)now.tv_sec * 1000000000 + now.tv_nsec - region->now;
    atomic_store(&region->running, -1);
    self = task_new(-1, false);
    region->task[self].pid = region->task[self].tid = getpid();
    region->task[self].state = READY;
    atomic_store(&region->running, self);
}

void note(const char *format, ...)
{
    char line[128];
    if (region == NULL)
        return;
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t at = atomic_fetch_add(&region->used, (size_t)length);
    if (at + (size_t)length < TEXT)
        memcpy(region->text + at, line, (size_t)length);
    errno = error;
}

uintptr_t place(const void *return_address)
{
    return (uintptr_t)return_address - 1 - base;    /* - 1: inside the call, not after it */
}

unsigned draw(unsigned below)
{
    region->random ^= region->random << 13;
    region->random ^= region->random >> 7;
    region->random ^= region->random << 17;
    return (unsigned)(region->random >> 33) % below;
}

void verdict(const char *word, const char *format, ...)
{
    if (region->verdict[0] != '\0')
        return;                 /* the first one counts */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(region->why, sizeof region->why, format, arguments);
    va_end(arguments);
    region->found = region->steps;
    snprintf(region->verdict, sizeof region->verdict, "%s", word);
}

/* ---- which memory is it? ---- */

void mapping_add(const void *address, size_t size, uint64_t identity)
{
    if (mapping_count < MAPPINGS) {
        mappings[mapping_count].start = address;
        mappings[mapping_count].size = size;
        mappings[mapping_count++].identity = identity;
    }
}

void mapping_remove(const void *address)
{
    for (int i = 0; i < mapping_count; i++)
        if (mappings[i].start == address)
            mappings[i] = mappings[--mapping_count];
}

bool is_shared(const void *address)
{
    for (int i = 0; i < mapping_count; i++)
        if ((size_t)((const char *)address - mappings[i].start) < mappings[i].size)
            return true;
    return false;
}

/* Shared memory has one key in all processes; other memory one in each process. */
uint64_t key_of(const void *address)
{
    for (int i = 0; i < mapping_count; i++)
        if ((size_t)((const char *)address - mappings[i].start) < mappings[i].size)
            return mappings[i].identity + (uint64_t)((const char *)address - mappings[i].start) + (1ull << 63);
    return (uint64_t)(uintptr_t)address | (uint64_t)(region->task[self].space + 1) << 48;
}

/* Where its number stands, or is to stand, in the hash table. */
static size_t slot_of(uint64_t key, enum kind kind)
{
    size_t at = (size_t)((key * 0x9E3779B97F4A7C15u) >> 40) % (2 * OBJECTS);
    for (; region->slot[at] != 0; at = (at + 1) % (2 * OBJECTS)) {
        const struct object *object = &region->object[region->slot[at] - 1];
        if (object->key == key && object->kind == kind)
            break;
    }
    return at;
}

struct object *object_of(uint64_t key, enum kind kind)
{
    size_t at = slot_of(key, kind);
    if (region->slot[at] != 0)
        return &region->object[region->slot[at] - 1];
    if (region->objects == OBJECTS) {
        verdict("judge error", "more than %d locks, pipes and conditions", OBJECTS);
        return &region->object[0];
    }
    struct object *object = &region->object[region->objects++];
    region->slot[at] = (short)region->objects;
    object->key = key;
    object->kind = kind;
    object->owner = -1;
    return object;
}

/* ---- what a task knows: vector clocks ---- */

void acquire(const unsigned *from)
{
    for (int i = 0; i < region->tasks; i++)
        if (region->task[self].clock[i] < from[i])
            region->task[self].clock[i] = from[i];
}

void release(unsigned *to)
{
    for (int i = 0; i < region->tasks; i++)
        if (to[i] < region->task[self].clock[i])
            to[i] = region->task[self].clock[i];
    region->task[self].clock[self]++;   /* what comes after this is not known by those who acquire */
}

/* ---- the token ---- */

static void give_to(int next)
{
    struct task *task = &region->task[next];
    atomic_store(&region->running, next);
    atomic_fetch_add(&region->moves, 1);
    atomic_store(&region->stalled, 0);
    atomic_store(&task->turn, 1);
    raw_syscall(SYS_futex, &task->turn, FUTEX_WAKE, 1, NULL, NULL, 0L);
}

char state_in_proc(pid_t pid, pid_t tid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    int fd = (int)raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return 0;
    ssize_t count = raw_syscall(SYS_read, fd, text, sizeof text - 1);
    raw_syscall(SYS_close, fd);
    if (count <= 0)
        return 0;
    text[count] = '\0';
    char *bracket = strrchr(text, ')');
    return bracket != NULL ? bracket[2] : 0;
}

void wait_until_gone(pid_t pid)
{
    char path[32];
    struct stat threads;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    for (int tries = 0; tries < 200000; tries++) {
        char state = state_in_proc(pid, pid);
        /* the first thread may have ended alone: each thread is a link more */
        if (state == 0 || ((state == 'Z' || state == 'X') && (stat(path, &threads) == -1 || threads.st_nlink <= 3)))
            break;
        raw_syscall(SYS_sched_yield);
    }
    raw_syscall(SYS_kill, 0L, 0L);  /* takes the kernel's list of processes: afterwards its SIGCHLD has been sent */
}

void wait_until_stopped(pid_t pid, bool stopped)
{
    for (int tries = 0; tries < 200000; tries++) {
        char state = state_in_proc(pid, pid);
        if (state == 0 || state == 'Z' || (state == 'T') == stopped)
            return;
        raw_syscall(SYS_sched_yield);
    }
}

/* The line "SigCgt:" or another one of a task's status: a set of signals. */
static unsigned long long signals_in_proc(const struct task *task, const char *line)
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)task->pid, (int)task->tid);
    int fd = (int)raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return 0;
    ssize_t count = raw_syscall(SYS_read, fd, text, sizeof text - 1);
    raw_syscall(SYS_close, fd);
    text[count > 0 ? count : 0] = '\0';
    const char *found = strstr(text, line);
    return found != NULL ? strtoull(found + strlen(line), NULL, 16) : 0;
}

/* Its default is not the end: signal(7). */
bool stays_alive(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT ||
           number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

bool ends_by(const struct task *task, int number)
{
    unsigned long long bit = 1ull << (number - 1);
    if (number == SIGKILL || stays_alive(number))
        return number == SIGKILL;
    return ((signals_in_proc(task, "SigCgt:") | signals_in_proc(task, "SigIgn:") | signals_in_proc(task, "SigBlk:")) & bit) == 0;
}

static void stop(void)
{
    raw_syscall(SYS_exit_group, 99);
}

/* The one that has the token does not move: did it end, or does it sit in a call we do not know? */
static void look_after(unsigned moves)
{
    int holder = atomic_load(&region->running);
    if (atomic_load(&region->moves) != moves || holder == -1)
        return;
    if (holder == -2) {         /* it was put down, since nobody could go on */
        if (atomic_compare_exchange_strong(&region->moves, &moves, moves + 1))
            give_to(self);
        return;
    }
    struct task *task = &region->task[holder];
    if (task->tid == 0)
        return;                 /* a thread that has just been made, and does not run yet */
    char state = state_in_proc(task->pid, task->tid);
    if (region->idle && state == 'S')
        return;
    if (atomic_load(&task->in_line) && state != 'T' && state != 0 && state != 'Z' && state != 'X') {  /* whoever gave it the token has not come to wake it */
        atomic_store(&task->turn, 1);
        raw_syscall(SYS_futex, &task->turn, FUTEX_WAKE, 1, NULL, NULL, 0L);
        return;
    }
    /* it may just be slow; but one that runs on and on without a step will not hand on the token */
    if ((state == 'R' || state == 'D') && atomic_fetch_add(&region->stalled, 1) < 10)
        return;
    atomic_store(&region->stalled, 0);
    if (!atomic_compare_exchange_strong(&region->moves, &moves, moves + 1))
        return;                 /* somebody else looks after it */
    if (state == 0 || state == 'Z' || state == 'X')
        task->state = ENDED;
    else
        task->state = AWAY;
    region->progress++;
    give_to(self);
}

static void wait_for_turn(void)
{
    struct task *task = &region->task[self];
    atomic_store(&task->in_line, 1);
    while (atomic_load(&region->running) != self) {
        struct timespec limit = { 0, 20000000 };
        unsigned moves = atomic_load(&region->moves);
        if (region->over)
            stop();
        if (raw_syscall(SYS_futex, &task->turn, FUTEX_WAIT, 0, &limit, NULL, 0L) == -1 && errno == ETIMEDOUT)
            look_after(moves);
        atomic_store(&task->turn, 0);
        if (task->state == AWAY)        /* it was stopped, and goes on */
            task->state = READY;
    }
    atomic_store(&task->in_line, 0);
    if (region->over)
        stop();
}

static bool can_run(const struct task *task)
{
    if (task->stopped)
        return false;
    if (task->state == READY)
        return true;
    if (task->state != BLOCKED && task->state != TIMED)
        return false;
    return task->pending != 0 || task->tried != region->progress;
}

/* Would the task's next try fail for sure? It waits for a wake-up or a post that has not come, or for a lock that is held. */
static bool fails_again(const struct task *task)
{
    if (region->programs || task->state == READY || task->pending != 0 || task->expired || (task->cancelled && !task->keeps_on))
        return false;
    if (task->condition != 0)
        return !task->signalled && task->waits_for == task->condition;
    short lock = region->slot[slot_of(task->waits_for, MUTEX)], semaphore = region->slot[slot_of(task->waits_for, SEMAPHORE)];
    if (task->waits_for != 0 && lock != 0 && region->object[lock - 1].owner >= 0)
        return region->task[region->object[lock - 1].owner].state != ENDED;
    return task->waits_for != 0 && semaphore != 0 && lock == 0 && region->object[semaphore - 1].count == task->posts;
}

/* Who goes next, after WHO? -1: nobody can. */
static int choose(int who)
{
    int able[TASKS], count = 0;
    bool me = false;
    for (int i = 0; i < region->tasks; i++)
        if (can_run(&region->task[i])) {
            able[count++] = i;
            me = me || i == who;
        }
    if (count == 0)
        return -1;
    if (me && count > 1 && region->same > 300) {        /* nobody may run for ever beside others */
        region->same = 0;
        int other = able[draw((unsigned)count)];
        return other != who ? other : able[0] != who ? able[0] : able[1];
    }
    int highest = able[0];
    switch (region->mode) {
    case 0:                     /* any, at each step */
        return able[draw((unsigned)count)];
    case 1:                     /* the one with the highest priority, which now and then loses it */
        if (me && draw(region->polite ? 60 : 12) == 0)
            region->task[who].priority = --region->lowest;     /* below all others: so each has its turn */
        for (int i = 1; i < count; i++)
            if (region->task[able[i]].priority > region->task[highest].priority)
                highest = able[i];
        return highest;
    case 2:                     /* mostly the same as before */
        return me && draw(6) != 0 ? who : able[draw((unsigned)count)];
    default:                    /* one after the other */
        for (int i = 0; i < count; i++)
            if (able[i] > who)
                return able[i];
        return able[0];
    }
}

/* Text that draw completes: @PLACE@ becomes a source line, #KEY# the letter of a lock or condition in the drawing. */
struct text { char bytes[1900]; size_t used; };

__attribute__((format(printf, 2, 3)))
static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->used, sizeof text->bytes - text->used, format, arguments);
    va_end(arguments);
    size_t most = sizeof text->bytes - 1 - text->used;
    text->used += (size_t)length < most ? (size_t)length : most;
}

static void add_place(struct text *text, const char *before, uintptr_t at, const uintptr_t *callers)
{
    add(text, "%s@%lx,%lx,%lx@", before, (unsigned long)at, (unsigned long)callers[0], (unsigned long)callers[1]);
}

/* Why does the task not get what it waits for? */
static void add_reason(struct text *text, int number, const struct object *object)
{
    int holders = 0;
    if (object->kind == MUTEX || object->kind == SEMAPHORE || object->kind == RWLOCK || object->kind == CONDITION || object->kind == BARRIER)
        add(text, ", for #%llx#", (unsigned long long)object->key);
    if (object->kind == SEMAPHORE)
        add(text, ": its value is 0");
    if (object->kind == BARRIER)
        add(text, ": %u of %u have come", object->count, object->total);
    if (object->kind == CONDITION && object->owner < 0)
        add(text, ": nobody has signalled it");
    if (object->kind == CONDITION && object->owner >= 0) {
        add(text, ": P%d signalled it last,", object->owner + 1);
        add_place(text, " at ", object->at, object->outer);
        if (object->woken >= 0)
            add(text, ", and woke P%d", object->woken + 1);
        else
            add(text, object->woken == -1 ? ", when nobody was waiting" : ", and woke all who were waiting then");
    }
    if (object->kind != MUTEX && object->kind != RWLOCK && object->kind != SEMAPHORE)
        return;
    for (int i = 0; i < region->tasks; i++)
        if (object->holds[i] > 0)
            add(text, "%s P%d%s%s", holders++ ? " and" : object->kind == SEMAPHORE ? ", taken by" : ", held by", i + 1,
                i == number ? " itself" : "", region->task[i].state == ENDED ? ", which has ended" : "");
    if (holders == 0 && object->kind == SEMAPHORE && object->count == 0)
        add(text, ", and nobody has posted it");
    if (holders > 0)
        add_place(text, object->kind == SEMAPHORE ? " and not posted since, at " : ", since ", object->at, object->outer);
}

static void describe_deadlock(void)
{
    struct text text = { "", 0 };
    bool locks = false;         /* waits for locks are a deadlock; waits for bytes and children, a hang */
    for (int i = 0; i < region->tasks; i++) {
        struct task *task = &region->task[i];
        if (task->state == ENDED || task->state == UNUSED)
            continue;
        add(&text, "P%d waits in %s", i + 1, task->call);
        add_place(&text, " at ", task->at, task->outer);
        locks = locks || (task->waits_for != 0 && strstr(task->call, "descriptor") == NULL);
        for (int o = 0; o < region->objects; o++)
            if (region->object[o].key == task->waits_for && region->object[o].kind != ATOMIC)
                add_reason(&text, i, &region->object[o]);
        add(&text, "\n");
    }
    verdict(locks ? "deadlock" : "hang", "%s", text.bytes);
}

/* Is a task another program now? Those that have ended meanwhile are noted. */
static bool any_away(void)
{
    bool away = false;
    for (int i = 0; i < region->tasks; i++) {
        struct task *task = &region->task[i];
        if (task->state != AWAY)
            continue;
        char state = state_in_proc(task->pid, task->tid);
        if (state == 0 || state == 'Z' || state == 'X')
            task->state = ENDED;
        away = true;            /* also when it has just ended: who waits for it must look again */
    }
    return away;
}

/* Nobody can go on: then time passes, at once, until the first limit or alarm is reached. -1: there is none. Beside
   other programs, which need real time, only what is over by now counts. */
static int let_time_pass(bool only_what_is_over)
{
    int next = -1;
    bool alarm = false;
    long long first = 0;
    for (int i = 0; i < region->tasks; i++) {
        struct task *task = &region->task[i];
        if (task->state == TIMED && (next == -1 || task->deadline < first))
            next = i, first = task->deadline, alarm = false;
        if (task->state != ENDED && task->alarm != 0 && (next == -1 || task->alarm < first))
            next = i, first = task->alarm, alarm = true;
    }
    struct timer *over = NULL;
    for (int i = 0; i < TIMERS; i++) {
        struct timer *timer = &region->timer[i];
        if (timer->used && timer->at != 0 && region->task[timer->space].state != ENDED && (next == -1 || timer->at < first))
            over = timer, next = timer->space, first = timer->at;
    }
    if (next == -1 || (only_what_is_over && first > region->now))
        return -1;
    if (first > region->now)
        region->now = first;
    if (over != NULL) {
        over->times++;
        over->at = over->again != 0 ? over->at + over->again : 0;
        if (over->fd == -1)
            post(next, over->number, NULL);
        region->progress++;
        return choose(self);    /* whoever waits for the descriptor */
    }
    if (alarm) {
        struct task *task = &region->task[next];
        task->alarm = task->again != 0 ? task->alarm + task->again : 0;
        post(next, SIGALRM, NULL);
    } else
        region->task[next].expired = true;
    return next;
}

/* Other programs (exec) run in real time, and so limits count in real time beside them; unless all of them wait in a
   call that no clock ends. */
static bool others_compute(void)
{
    static const long waits[] = { SYS_read, SYS_write, SYS_openat, SYS_rt_sigsuspend, SYS_futex, SYS_accept, SYS_connect };
    for (int i = 0; i < region->tasks; i++) {
        char path[64], text[64] = "";
        bool sleeps = false;
        if (region->task[i].state != AWAY)
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)region->task[i].pid, (int)region->task[i].tid);
        int fd = (int)raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        ssize_t count = fd == -1 ? 0 : raw_syscall(SYS_read, fd, text, sizeof text - 1);
        raw_syscall(SYS_close, fd);
        for (size_t w = 0; count > 0 && w < sizeof waits / sizeof *waits; w++)
            sleeps = sleeps || (isdigit((unsigned char)text[0]) && strtol(text, NULL, 10) == waits[w]);
        if (!sleeps)
            return true;
    }
    return false;
}

/* Gives the token to whoever goes next; that may be this task. */
static void pass_token(void)
{
    enum { TICK = 500000, STILL = 40, LONG_STILL = 3000 };      /* half a ms, 20 ms, 1.5 s */
    for (;;) {
        int who = self, next = choose(self);
        while (next != -1 && fails_again(&region->task[next])) {    /* as if it had tried: it does not have to come for that */
            region->task[next].tried = region->progress;
            region->switches++;
            region->same = 0;
            who = next;
            next = choose(who);
        }
        if (next == -1 && who != self)
            next = who;
        bool away = next == -1 && any_away();
        if (next == -1)
            next = let_time_pass(away && region->still < STILL);
        if (next != -1) {
            if (next == self && who == self) {
                region->same++;
                return;
            }
            region->same = 0;
            region->switches++;
            if (next != self)
                give_to(next);
            return;
        }
        bool alive = false;
        for (int i = 0; i < region->tasks; i++) {
            struct task *task = &region->task[i];
            away = away || (task->state == BLOCKED && task->waits_for != 0 && (task->waits_for == region->outside || task->waits_for == OUTSIDE));
            alive = alive || (task->state != ENDED && task->state != UNUSED);
        }
        /* what another program has started, and left, may hold a pipe yet */
        away = away || (alive && region->programs && region->still < LONG_STILL);
        if (away && region->task[self].state == ENDED) {        /* perhaps it is this end that the others wait for */
            atomic_store(&region->running, -2);
            return;
        }
        if (away) {             /* another program: real time has to pass */
            struct timespec tick = { 0, TICK };
            region->idle = true;
            raw_syscall(SYS_nanosleep, &tick, NULL);
            region->idle = false;
            region->now += TICK;
            region->still = others_compute() ? 0 : region->still + 1;
            region->progress++;
            if (atomic_load(&region->running) != self)
                return;         /* it came back and somebody gave it the token */
            continue;
        }
        if (alive) {
            describe_deadlock();
            region->over = true;
            stop();
        }
        atomic_store(&region->running, -1);
        return;
    }
}

static void pass(void)
{
    bool before = busy;
    busy = true;
    pass_token();
    busy = before;
}

/* ---- tasks ---- */

int task_new(int parent, bool thread)
{
    if (region->tasks == TASKS) {
        verdict("judge error", "more than %d processes and threads under the scheduler", TASKS);
        region->over = true;
        stop();
    }
    int number = region->tasks++;
    struct task *task = &region->task[number];
    task->parent = parent;
    task->thread = thread;
    task->space = thread ? region->task[parent].space : number;
    task->priority = (int)draw(1000000);
    if (region->late && task->priority % 2 == 1)    /* it begins when the others have lost their priority some times */
        task->priority = -(task->priority % 30);
    if (parent >= 0)
        memcpy(task->clock, region->task[parent].clock, sizeof task->clock);
    task->clock[number] = 1;
    if (parent >= 0)
        region->task[parent].clock[parent]++;
    task->state = parent < 0 ? READY : UNUSED;  /* can be chosen when it has begun */
    return number;
}

static void is_ending(pid_t pid)
{
    if (region->gone_count < GONE)
        region->gone[region->gone_count++] = pid;
}

/* What they had open is closed only when they are gone. */
static void wait_for_ends(void)
{
    for (int i = 0; i < region->gone_count; i++)
        if (region->gone[i] != getpid())
            wait_until_gone(region->gone[i]);
    region->gone_count = 0;
}

void task_begin(int number)
{
    self = number;
    region->task[number].tid = (pid_t)raw_syscall(SYS_gettid);
    region->task[number].pid = getpid();
    wait_for_turn();
    wait_for_ends();
}

/* When a process ends, the kernel closes its pipes and sockets: who then sees end of file knows of it. */
void release_pipes(int number)
{
    for (int i = 0; i < region->objects; i++)
        for (int t = 0; region->object[i].kind == PIPE && t < region->tasks; t++)
            if (region->object[i].clock[t] < region->task[number].clock[t])
                region->object[i].clock[t] = region->task[number].clock[t];
}

static int threads_of(int space)
{
    int count = 0;
    for (int i = 0; i < region->tasks; i++)
        count += region->task[i].space == space && region->task[i].state != ENDED;
    return count;
}

/* All tasks of that process have ended, and its parent gets SIGCHLD. */
void task_killed(int number)
{
    int space = region->task[number].space, parent = region->task[space].parent;
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].space == space)
            region->task[i].state = ENDED;
    for (int i = 0; parent >= 0 && i < region->tasks; i++)
        if (region->task[i].space == region->task[parent].space && region->task[i].state != ENDED && region->task[i].state != AWAY) {
            post(i, SIGCHLD, NULL);
            break;
        }
    for (int i = 0; i < region->tasks; i++) {   /* its children that asked to be told of its end */
        struct task *child = &region->task[i];
        if (child->parent < 0 || child->thread || child->death_signal == 0 || child->state == ENDED || child->state == AWAY ||
            region->task[child->parent].space != space)
            continue;
        if (ends_by(child, child->death_signal)) {
            is_ending(child->pid);
            release_pipes(i);
            task_killed(i);
        } else
            post(i, child->death_signal, NULL);
    }
}

void end_by(int number)
{
    task_end(true);
    raw_syscall(SYS_kill, getpid(), number);
    for (;;)
        raw_syscall(SYS_exit_group, 98);    /* the signal was faster */
}

void task_end(bool process)
{
    if (!scheduled || self < 0)
        return;
    struct task *task = &region->task[self];
    if (task->state == ENDED)
        return;
    if (atomic_load(&region->running) != self)
        wait_for_turn();
    if (task->written != NULL)
        note_value();
    task->clock[self]++;
    bool alone = process && task->space != 0;   /* what is not shared ends with a child: also its copy of a lock */
    for (int i = 0; i < region->objects; i++)
        if (region->object[i].kind == MUTEX && region->object[i].owner == self && !region->object[i].robust &&
            !(alone && region->object[i].key >> 63 == 0))
            snprintf(region->remark, sizeof region->remark,
                     "P%d has ended, and still holds a lock that it took at @%lx@: no unlock on one of its paths\n",
                     self + 1, (unsigned long)region->object[i].at);     /* a verdict only if there is no other */
    if (!process && threads_of(task->space) > 1)
        task->state = ENDED;
    else {                      /* a process ends with all its threads, or with its last one */
        release_pipes(self);
        task_killed(task->space);
        is_ending(getpid());
    }
    region->progress++;
    pass();
    self = -1;
}

/* ---- steps ---- */

void post(int number, int signal, void *value)
{
    struct task *task = &region->task[number];
    if (signal < 32)
        task->pending |= 1ull << (signal - 1);
    else if (task->queued < QUEUED) {
        task->queue[task->queued].number = signal;
        task->queue[task->queued++].value = value;
        task->pending |= 1ull << 63;
    }
}

static void deliver(void)
{
    struct task *task = &region->task[self];
    for (int i = 0; i < task->queued; i++) {
        if (ends_by(task, task->queue[i].number))
            end_by(task->queue[i].number);
        siginfo_t info = { .si_signo = task->queue[i].number, .si_code = SI_QUEUE };
        info.si_value.sival_ptr = task->queue[i].value;
        raw_syscall(SYS_rt_sigqueueinfo, task->pid, info.si_signo, &info);
    }
    task->queued = 0;
    task->pending &= ~(1ull << 63);
    while (task->pending != 0) {
        int number = __builtin_ctzll(task->pending) + 1;
        task->pending &= ~(1ull << (number - 1));
        if (ends_by(task, number))
            end_by(number);
        if (task->thread && number != SIGCHLD)
            raw_syscall(SYS_tgkill, task->pid, task->tid, number);
        else
            raw_syscall(SYS_kill, task->pid, number);
    }
}

static void take_token(void)
{
    if (atomic_load(&region->running) != self) {
        if (region->task[self].state == AWAY)
            region->task[self].state = READY;
        wait_for_turn();
    }
    wait_for_ends();
    deliver();
}

void write_down(char what, uint64_t object, long value, uintptr_t at, const char *text)
{
    if (region->steps < STEPS) {
        struct step *record = &region->step[region->steps++];
        record->task = (short)self;
        record->what = what;
        record->object = object;
        record->value = value;
        record->at = at;
        memcpy(record->outer, outer, sizeof outer);
        snprintf(record->text, sizeof record->text, "%s", text);
    }
    if (what == 'c')
        memcpy(region->task[self].outer, outer, sizeof outer);
    outer[0] = outer[1] = 0;
}

/* A write is noted before it is done; at the next step its value is there. Read by a system call, since the
   memory may be gone by then. */
void note_value(void)
{
    struct task *task = &region->task[self];
    long value = 0;
    struct iovec here = { &value, task->written_size < sizeof value ? task->written_size : sizeof value };
    struct iovec there = { (void *)(uintptr_t)task->written, here.iov_len };
    int four;
    if (raw_syscall(SYS_process_vm_readv, getpid(), &here, 1L, &there, 1L, 0L) > 0) {
        memcpy(&four, &value, sizeof four);
        region->step[task->last].value = here.iov_len == sizeof four ? four : value;
    }
    task->written = NULL;
}

void let_others_go_on(void)
{
    take_token();
    if (region->task[self].written != NULL)
        note_value();
    region->task[self].state = READY;
    region->task[self].waits = false;
    region->progress++;
    region->now += 1000;
    region->still = 0;
    if (region->over)
        stop();
    pass();
    take_token();
}

void step(char what, uint64_t object, long value, uintptr_t at, const char *text)
{
    if (!scheduled || self < 0)
        return;
    int error = errno;
    let_others_go_on();
    write_down(what, object, value, at, text);
    errno = error;
}

void done(uint64_t object, long value, uintptr_t at, const char *text)
{
    int error = errno;
    write_down('c', object, value, at, text);
    let_others_go_on();
    errno = error;
}

bool blocked(enum state state, uint64_t object, const char *call, uintptr_t at)
{
    int error = errno;
    struct task *task = &region->task[self];
    if (!task->waits) {         /* drawn once, however often it is tried */
        memcpy(outer, task->outer, sizeof outer);
        write_down('c', object, 0, at, "waits");
    }
    task->waits = true;
    task->waits_for = object;
    task->at = at;
    snprintf(task->call, sizeof task->call, "%s", call);
    task->expired = false;
    task->tried = region->progress;
    short semaphore = region->slot[slot_of(object, SEMAPHORE)];
    task->posts = semaphore != 0 ? region->object[semaphore - 1].count : 0;
    task->state = state;
    pass();
    take_token();
    bool expired = task->expired;
    task->state = READY;
    task->expired = false;
    errno = error;
    return !expired;
}

void limit_in(long long ns)
{
    region->task[self].deadline = region->now + (ns > 0 ? ns : 0);
}

/* In some schedules it then lets all others go first: so each comes to have its first lock, and a circle of waits closes. */
void took(struct object *object, uintptr_t at)
{
    region->task[self].looks = 0;
    object->owner = self;
    object->holds[self]++;
    object->at = at;
    memcpy(object->outer, region->task[self].outer, sizeof object->outer);
    acquire(object->clock);
    if (region->polite)
        region->task[self].priority = --region->lowest;
}

void gave_back(struct object *object)
{
    release(object->clock);
    if (object->holds[self] > 0)
        object->holds[self]--;
}

bool others_can_run(void)
{
    for (int i = 0; i < region->tasks; i++)
        if (i != self && can_run(&region->task[i]))
            return true;
    return false;
}

void unblocked(void)
{
    region->task[self].waits_for = 0;
}

/* This task goes on outside our sight (exec): the others do not wait for its steps. */
void task_away(void)
{
    region->task[self].state = AWAY;
    region->programs = true;
    region->progress++;
    region->same = 0;
    int next = choose(self);
    if (next == -1)
        atomic_store(&region->running, -2);     /* the next one to wait for its turn takes it */
    else
        give_to(next);
}

/* After a signal to a whole group: some may be gone. */
void task_look_again(void)
{
    for (int i = 0; i < region->tasks; i++) {
        struct task *task = &region->task[i];
        if (task->state == UNUSED || task->state == ENDED || task->tid == 0 || i == self)
            continue;
        char state = state_in_proc(task->pid, task->tid);
        if (state == 0 || state == 'Z' || state == 'X')
            task->state = ENDED;
    }
    region->progress++;
}
