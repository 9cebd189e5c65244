/* network.c - what networks and the standards allow, but this machine seldom does. Loaded before the C library
   (LD_PRELOAD) into a server under judgement.
     NETWORK_NOISE=SEED    1: calls are interrupted (EINTR); 2: socket calls take fewer bytes than asked for; others: a bit
                           of both, and delays
     NETWORK_ROOM=BYTES    each accepted connection has so little room for what is sent and not taken yet
   The judge's other noise is for pipes and locks, and does not know these calls. Two things are different here:
   - EINTR comes only if there is a handler for a signal other than SIGTERM, SIGINT, SIGHUP, SIGQUIT and SIGUSR1, 2: of those an answer
     may know that they end it. And, as in the kernel, only from a call that would have to wait.
   - Counts are short only on connections, never on pipes, socket pairs and files; and a small message to a Unix socket goes
     whole or not at all, as Linux does it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The C library's own function of this name. ISO C has no cast from void * to a function. */
#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })

enum { INTERRUPTS = 1, SHORTENS = 2, DELAYS = 4, MOST = 3000 };     /* noise has an end, or it would look like a hang */

static unsigned noise, often = 1;
static uint64_t state = 88172645463325252u;
static int room;
static atomic_int disturbed;
static atomic_ullong handled, ends_calls;       /* signals that have a handler; ... and one without SA_RESTART */

/* By hand: behind atoi and strtoul glibc has names that musl does not have. */
static int number_in(const char *name)
{
    const char *text = getenv(name);
    int number = 0;
    for (; text != NULL && *text >= '0' && *text <= '9'; text++)
        number = number * 10 + *text - '0';
    return number;
}

__attribute__((constructor))
static void begin(void)
{
    unsigned number = (unsigned)number_in("NETWORK_NOISE");
    room = number_in("NETWORK_ROOM");
    state += number * 0x9E3779B97F4A7C15u;
    noise = number == 0 ? 0 : number == 1 ? INTERRUPTS : number == 2 ? SHORTENS : DELAYS | (number % 2 ? SHORTENS : INTERRUPTS);
    often = number <= 2 ? 1 : 3;
}

static unsigned draw(unsigned below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

static bool disturb(unsigned kind)
{
    return (noise & kind) != 0 && (often == 1 || draw(often) == 0) && atomic_fetch_add(&disturbed, 1) < MOST;
}

static void delay(void)
{
    struct timespec now, end;
    if (!disturb(DELAYS))
        return;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += 20000 + (long)draw(100000);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec);
}

/* Does a signal interrupt this call now? Not twice in a row. SIGNALS: those whose handlers end such a call. */
static bool interrupted(unsigned long long signals)
{
    static __thread bool last;
    sigset_t blocked;
    bool possible = false;
    if (signals != 0 && pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0)
        for (int number = 1; number <= 64; number++)
            possible = possible || ((signals >> (number - 1) & 1) != 0 && sigismember(&blocked, number) == 0);
    last = !last && possible && disturb(INTERRUPTS);
    if (last)
        errno = EINTR;
    return last;
}

static bool ready(int fd, short events)
{
    struct pollfd one = { .fd = fd, .events = events };
    return REAL(poll)(&one, 1, 0) != 0;
}

static bool is_connection(int fd, bool *local)
{
    struct sockaddr_un name = { 0 };
    int type = 0;
    socklen_t size = sizeof type, length = sizeof name;
    int error = errno;
    bool found = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
                 getsockname(fd, (struct sockaddr *)&name, &length) == 0 &&
                 (name.sun_family != AF_UNIX || length > sizeof(sa_family_t));      /* a pair has no name */
    *local = name.sun_family == AF_UNIX;
    errno = error;
    return found;
}

/* How many of SIZE bytes shall be taken? */
static size_t shortened(int fd, size_t size, int flags, bool sends)
{
    bool local = false;
    if (!(noise & SHORTENS) || size < 2 || (flags & (MSG_WAITALL | MSG_PEEK)) || !is_connection(fd, &local) ||
        (local && sends && size <= 4096) || !disturb(SHORTENS))
        return size;
    return 1 + draw((unsigned)(size < 3000 ? size - 1 : 3000));
}

/* Before a call on FD that waits for EVENTS: is it interrupted? */
static bool ended_early(int fd, short events, int flags)
{
    delay();
    return (noise & INTERRUPTS) && !(flags & MSG_DONTWAIT) && !ready(fd, events) && interrupted(ends_calls);
}

/* ---- signals: who has handlers? ---- */

static void remember(int number, const struct sigaction *action)
{
    if (number < 1 || number > 64 || number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT ||
        number == SIGUSR1 || number == SIGUSR2)
        return;
    unsigned long long bit = 1ull << (number - 1);
    bool handles = action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
    atomic_fetch_and(&handled, ~bit);
    atomic_fetch_and(&ends_calls, ~bit);
    if (handles)
        atomic_fetch_or(&handled, bit);
    if (handles && !(action->sa_flags & SA_RESTART))
        atomic_fetch_or(&ends_calls, bit);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    int result = REAL(sigaction)(number, action, old);
    if (result == 0 && action != NULL)
        remember(number, action);
    return result;
}

/* ---- connections ---- */

/* glibc declares these with a union of all kinds of addresses, musl does not */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
static int accepted(int fd)
{
    if (fd != -1 && room > 0) {
        int error = errno;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        errno = error;
    }
    return fd;
}

int accept(int fd, struct sockaddr *address, socklen_t *size)
{
    return ended_early(fd, POLLIN, 0) ? -1 : accepted(REAL(accept)(fd, address, size));
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return ended_early(fd, POLLIN, 0) ? -1 : accepted(REAL(accept4)(fd, address, size, flags));
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return ended_early(fd, POLLIN, flags) ? -1 : REAL(recv)(fd, buffer, shortened(fd, size, flags, false), flags);
}

ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *length)
{
    return ended_early(fd, POLLIN, flags) ? -1 : REAL(recvfrom)(fd, buffer, shortened(fd, size, flags, false), flags, address, length);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return ended_early(fd, POLLIN, flags) ? -1 : REAL(recvmsg)(fd, message, flags);
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    return ended_early(fd, POLLOUT, flags) ? -1 : REAL(send)(fd, buffer, shortened(fd, size, flags, true), flags);
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
    return ended_early(fd, POLLOUT, flags) ? -1 : REAL(sendto)(fd, buffer, shortened(fd, size, flags, true), flags, address, length);
}

/* Of several pieces, the first one alone. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (ended_early(fd, POLLOUT, flags))
        return -1;
    struct msghdr first = *message;
    if (first.msg_iovlen > 1 && shortened(fd, 4097, flags, true) < 4097)
        first.msg_iovlen = 1;
    return REAL(sendmsg)(fd, &first, flags);
}
#pragma GCC diagnostic pop

ssize_t read(int fd, void *buffer, size_t size)
{
    return ended_early(fd, POLLIN, 0) ? -1 : REAL(read)(fd, buffer, shortened(fd, size, 0, false));
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    return ended_early(fd, POLLOUT, 0) ? -1 : REAL(write)(fd, buffer, shortened(fd, size, 0, true));
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (ended_early(fd, POLLOUT, 0))
        return -1;
    return REAL(writev)(fd, pieces, count > 1 && shortened(fd, 4097, 0, true) < 4097 ? 1 : count);
}

ssize_t sendfile(int fd, int from, off_t *offset, size_t size)
{
    return ended_early(fd, POLLOUT, 0) ? -1 : REAL(sendfile)(fd, from, offset, shortened(fd, size, 0, true));
}

/* ---- waiting: these end with EINTR after any handler, SA_RESTART or not ---- */

int poll(struct pollfd *fds, nfds_t number, int limit_ms)
{
    delay();
    return limit_ms != 0 && interrupted(handled) ? -1 : REAL(poll)(fds, number, limit_ms);
}

int select(int number, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit)
{
    delay();
    return (limit == NULL || limit->tv_sec != 0 || limit->tv_usec != 0) && interrupted(handled) ? -1 :
           REAL(select)(number, reads, writes, errors, limit);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int limit_ms)
{
    delay();
    return limit_ms != 0 && interrupted(handled) ? -1 : REAL(epoll_wait)(fd, events, most, limit_ms);
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    return !(options & WNOHANG) && interrupted(ends_calls) ? -1 : REAL(wait4)(pid, status, options, usage);
}
