/* noise.c - calls that fail on purpose, and what the standards allow but machines seldom do. */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>

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

void noise_fork(bool child)
{
    noise_state = noise_state * 31 + child + 1;
}
