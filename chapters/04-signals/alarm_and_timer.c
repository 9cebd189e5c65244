/* alarm_and_timer.c - a limit on a call that blocks: by a signal, by poll, by a timer that is a descriptor.
   Python: signal.setitimer(signal.ITIMER_REAL, ...), select with a timeout
   Calls:  alarm(2), setitimer(2), poll(2), timerfd_create(2), clock_gettime(2)
   Needs:  01-fork/pipe, 02-process/process_step3, eintr, self_pipe
   Try:    Write SA_RESTART for the 0 in read_for. Now its first read is made again, by the kernel,
           as often as the timer interrupts it: the program waits for ever. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));    /* a clock that nobody sets */
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_alrm(int signal)
{
    (void)signal;               /* it only has to interrupt */
}

/* SIGALRM after MS ms, and then again and again; 0 switches it off. alarm(2) knows whole seconds only,
   and comes once. */
static void set_timer(long ms)
{
    struct timeval time = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
    struct itimerval timer = { .it_interval = time, .it_value = time };
    check(setitimer(ITIMER_REAL, &timer, NULL));
}

/* 1. By a signal. Returns like read; when the limit has passed, -1 with ETIMEDOUT. The signal may come
   just before the read begins: so it comes again. It may come from a stranger: so the clock decides. */
static ssize_t read_for(long ms, int fd, void *bytes, size_t size)
{
    struct sigaction action = { .sa_handler = on_alrm, .sa_flags = 0 }, before;    /* no SA_RESTART */
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGALRM, &action, &before));
    long end = now_ms() + ms;
    set_timer(ms);
    ssize_t count;
    int error;
    do {
        count = read(fd, bytes, size);
        error = errno;
    } while (count == -1 && error == EINTR && now_ms() < end);
    set_timer(0);
    check(sigaction(SIGALRM, &before, NULL));
    errno = error == EINTR ? ETIMEDOUT : error;
    return count;
}

/* 2. By poll: no signal, nothing global, no race. The first choice for all that poll can wait for. */
static ssize_t poll_for(long ms, int fd, void *bytes, size_t size)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    long end = now_ms() + ms;
    for (;;) {
        long left = end - now_ms();
        int ready = poll(&one, 1, left > 0 ? (int)left : 0);
        if (ready == 1)
            return read(fd, bytes, size);
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready == 0 || errno != EINTR)
            return -1;
    }
}

/* 3. By a timer that is a descriptor: for a loop with several limits, each its own timer. Linux only. */
static ssize_t timerfd_for(long ms, int fd, void *bytes, size_t size)
{
    int timer = check(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    struct itimerspec once = { .it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 } };
    check(timerfd_settime(timer, 0, &once, NULL));
    struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = timer, .events = POLLIN } };
    int ready;
    do
        ready = poll(fds, 2, -1);
    while (ready == -1 && errno == EINTR);
    check(ready);
    check(close(timer));
    if (fds[0].revents != 0)
        return read(fd, bytes, size);
    errno = ETIMEDOUT;
    return -1;
}

typedef ssize_t limited_read(long ms, int fd, void *bytes, size_t size);

static void try(const char *name, limited_read *read_with_limit)
{
    int ends[2];
    char bytes[5];
    check(pipe(ends));
    ssize_t count = read_with_limit(30, ends[0], bytes, sizeof bytes);
    say("%s: nothing to read: %s", name, count == -1 ? errno_name(errno) : "bytes?");
    check(write_full(ends[1], "hello", 5));
    count = check(read_with_limit(10000, ends[0], bytes, sizeof bytes));
    say("%s: in time: %zd bytes", name, count);
    check(close(ends[0]));
    check(close(ends[1]));
}

int main(void)
{
    sigset_t alrm;              /* whoever started us may have blocked it, and exec keeps that */
    sigemptyset(&alrm);
    sigaddset(&alrm, SIGALRM);
    check(sigprocmask(SIG_UNBLOCK, &alrm, NULL));
    try("setitimer", read_for);
    try("poll", poll_for);
    try("timerfd", timerfd_for);
}

/* Output:
setitimer: nothing to read: ETIMEDOUT
setitimer: in time: 5 bytes
poll: nothing to read: ETIMEDOUT
poll: in time: 5 bytes
timerfd: nothing to read: ETIMEDOUT
timerfd: in time: 5 bytes
*/
