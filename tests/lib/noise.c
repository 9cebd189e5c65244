/* noise.c - calls that fail on purpose, and what the standards allow but machines seldom do. */
#include "calls.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* ---- calls made to fail ---- */

bool shall_fail(const char *call)
{
    static char wanted[32];
    static int number = -1;
    if (region == NULL)
        return false;
    if (number == -1) {
        const char *text = getenv("WORKBOOK_FAIL");
        if (text == NULL || sscanf(text, "%31[a-z_0-9]:%d", wanted, &number) != 2)
            number = 0;
    }
    if (number == 0 || strcmp(call, wanted) != 0 || atomic_fetch_add(&region->failing, 1) + 1 != number)
        return false;
    note("failed %d %s\n", (int)getpid(), call);
    return true;
}

/* ---- noise: what the standards allow, but machines seldom do ----
   Seed 1 always interrupts, seed 2 always shortens; each other seed switches on some of the disturbances:
   a spurious wake-up can heal a lost one, so not all at once. */

unsigned noise;
unsigned long long may_interrupt;
static unsigned often;          /* one call in how many */
static uint64_t noise_state;
static atomic_int disturbed;    /* how often already: noise has an end, or it would look like a hang */

void noise_begin(unsigned long seed)
{
    noise_state = seed * 0x9E3779B97F4A7C15u + 7;
    noise = seed == 1 ? INTERRUPTS : seed == 2 ? SHORTENS : YIELDS | (unsigned)(seed * 0x9E3779B9u >> 27);
    often = seed <= 2 ? 1 : 3;
}

unsigned noise_draw(unsigned below)
{
    noise_state ^= noise_state << 13, noise_state ^= noise_state >> 7, noise_state ^= noise_state << 17;
    return (unsigned)(noise_state >> 33) % below;
}

bool disturb(unsigned kind)
{
    if (!(noise & kind) || (often > 1 && noise_draw(often) != 0))
        return false;
    return atomic_fetch_add(&disturbed, 1) < 2000;
}

static long long real_now_ns(void)
{
    struct timespec now;
    raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Before a call: others may be faster. It does not sleep: a process that asks the kernel whether this one
   is asleep (S in /proc) would take our wait for one of the program's own. */
void delay(void)
{
    if (disturb(YIELDS))
        raw_syscall(SYS_sched_yield);
    if (disturb(DELAYS))
        for (long long end = real_now_ns() + 20000 + noise_draw(200000); real_now_ns() < end; )
            raw_syscall(SYS_sched_yield);
}

/* Would this call be interrupted by a signal now? Not twice in a row: the signal came once. */
bool interrupt(void)
{
    static __thread bool last;
    sigset_t blocked;
    bool possible = false;      /* not while all of them are blocked */
    if (may_interrupt != 0 && REAL(pthread_sigmask)(SIG_BLOCK, NULL, &blocked) == 0)
        for (int number = 1; number <= 64; number++)
            possible = possible || ((may_interrupt >> (number - 1) & 1) != 0 && sigismember(&blocked, number) == 0);
    last = !last && possible && disturb(INTERRUPTS);
    if (last)
        errno = EINTR;
    return last;
}

/* ---- short counts on pipes ----
   A write of up to PIPE_BUF bytes goes into a pipe whole, and a read gives all that is there, as far as it fits. So
   a read of whole pieces can be short only where one write ends and the next one begins. Those borders are kept for each
   pipe. Who reads a part of a piece anyway takes it for a stream, and gets any part. So does who reads a piece of more
   than 512 bytes: POSIX promises no more for PIPE_BUF. */

/* The log of the pipe, locked; or NULL, when FD is no pipe or there are too many. The holder may be killed: not for ever. */
static struct pipe_log *lock_log(int fd, sigset_t *old)
{
    struct stat info;
    sigset_t all;
    if (fstat(fd, &info) == -1 || !S_ISFIFO(info.st_mode))
        return NULL;
    for (int i = 0; i < PIPES; i++) {
        struct pipe_log *log = &region->pipe_log[i];
        uint64_t key = 0;
        if (!atomic_compare_exchange_strong(&log->key, &key, (uint64_t)info.st_ino) && key != (uint64_t)info.st_ino)
            continue;
        sigfillset(&all);       /* a handler may want the same pipe */
        REAL(pthread_sigmask)(SIG_SETMASK, &all, old);
        int nobody = 0;
        for (int tries = 0; tries < 2000 && !atomic_compare_exchange_strong(&log->taken, &nobody, getpid()); tries++, nobody = 0)
            raw_syscall(SYS_sched_yield);
        return log;
    }
    return NULL;
}

static void unlock_log(struct pipe_log *log, const sigset_t *old)
{
    int error = errno;
    atomic_store(&log->taken, 0);
    REAL(pthread_sigmask)(SIG_SETMASK, old, NULL);
    errno = error;
}

/* What is in the pipe now, by the log; the rest has been read. */
static int bring_up_to_date(struct pipe_log *log, int there)
{
    int sum = 0;
    for (int i = 0; i < log->count; i++)
        sum += log->size[i];
    while (log->count > 0 && sum > there) {
        int less = sum - there < log->size[0] ? sum - there : log->size[0];
        log->size[0] = (unsigned short)(log->size[0] - less);
        sum -= less;
        if (log->size[0] == 0)
            memmove(log->size, log->size + 1, (size_t)--log->count * sizeof log->size[0]);
    }
    return sum;
}

/* Shall this call be cut? A hint, in case that the run fails. */
static bool shorten(void)
{
    if (!disturb(SHORTENS))
        return false;
    if (region->hint[0] == '\0')
        snprintf(region->hint, sizeof region->hint, "a read or write took fewer bytes than it was asked for (a short count): does it go on until all are there?\n");
    return true;
}

/* A read gets less than is there; a write of more than PIPE_BUF ends early. */
size_t any_part(int fd, size_t size)
{
    int there = 0;
    if (ioctl(fd, FIONREAD, &there) == 0 && there > 1 && (size_t)there < size)
        size = (size_t)there;
    return size > 1 && shorten() ? 1 + noise_draw((unsigned)(size < 64 ? size - 1 : 63)) : size;
}

size_t large_part(size_t size)
{
    return size > 4096 && shorten() ? 1 + noise_draw((unsigned)(size < 60000 ? size - 1 : 60000)) : size;
}

/* The end of one of the writes that are in the pipe. */
static size_t some_border(const struct pipe_log *log, size_t size)
{
    size_t borders[256], sum = 0;
    unsigned count = 0;
    for (int i = 0; i < log->count; i++)
        if ((sum += log->size[i]) < size)
            borders[count++] = sum;
    return count > 0 && shorten() ? borders[noise_draw(count)] : size;
}

/* A read that waits would get all of the next write: so the wait comes first, where no signal may end it. */
static bool bytes_came(int fd)
{
    struct pollfd bytes = { fd, POLLIN, 0 };
    int there = 0;
    if (may_interrupt != 0 || (REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK) != 0)
        return false;
    while (REAL(poll)(&bytes, 1, -1) == -1 && errno == EINTR)
        ;
    return ioctl(fd, FIONREAD, &there) == 0 && there > 0;
}

ssize_t noise_read(int fd, void *buffer, size_t size)
{
    struct stat info;
    sigset_t old;
    int there = 0;
    struct pipe_log *log = lock_log(fd, &old);
    if (log == NULL)            /* a socket gives any part, a file all of it */
        return REAL(read)(fd, buffer, fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? any_part(fd, size) : size);
    if (ioctl(fd, FIONREAD, &there) == -1 || there == 0) {
        unlock_log(log, &old);
        if (bytes_came(fd))
            return noise_read(fd, buffer, size);
        return REAL(read)(fd, buffer, size);
    }
    int known = bring_up_to_date(log, there);
    if (log->any || known == 0 || (known == there && (size < log->size[0] || log->size[0] > _POSIX_PIPE_BUF)))
        size = any_part(fd, size);      /* KNOWN is 0: from somebody who is not ours */
    else if (known == there)            /* if not, a write has waited for room, and the borders are not where the log has them */
        size = some_border(log, size);
    ssize_t count = REAL(read)(fd, buffer, size);
    unlock_log(log, &old);
    return count;
}

ssize_t noise_write(int fd, const void *buffer, size_t size)
{
    struct stat info;
    sigset_t old;
    struct pollfd room = { fd, POLLOUT, 0 };
    struct pipe_log *log = lock_log(fd, &old);
    if (log == NULL)
        return REAL(write)(fd, buffer, fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) ? large_part(size) : size);
    bool whole = size <= 4096 && REAL(poll)(&room, 1, 0) == 1;
    if (!whole) {
        log->any = log->any || size > 4096;
        unlock_log(log, &old);
        return REAL(write)(fd, buffer, large_part(size));
    }
    int there = 0;
    if (ioctl(fd, FIONREAD, &there) == 0)
        bring_up_to_date(log, there);
    ssize_t count = REAL(write)(fd, buffer, size);
    if (count > 0 && log->count < (int)(sizeof log->size / sizeof log->size[0]))
        log->size[log->count++] = (unsigned short)count;
    else if (count > 0)
        log->any = true;
    unlock_log(log, &old);
    return count;
}

void noise_fork(bool child)
{
    noise_state = noise_state * 31 + child + 1;
}
