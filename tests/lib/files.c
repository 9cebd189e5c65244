/* files.c - descriptors: reading and writing, waiting for them, file locks, sockets; opening and mapping. */
#include "calls.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Where this process opened what it has open; what it had at its beginning is not its own. */
static uintptr_t opened_at[256];

static int opened(int fd, uintptr_t at)
{
    if (fd >= 0 && fd < 256)
        opened_at[fd] = at;
    return fd;
}

static int opened_both(int result, const int ends[2], uintptr_t at)
{
    for (int i = 0; result == 0 && i < 2; i++)
        opened(ends[i], at);
    return result;
}

/* At the end of the first process: what did it open and not close? It began with 0, 1 and 2 only. */
void report_descriptors(void)
{
    char where[40] = "", link[40], target[100];
    for (int fd = 3; fd < 256; fd++)
        if (REAL(fcntl)(fd, F_GETFD) != -1) {
            if (opened_at[fd] != 0)
                snprintf(where, sizeof where, " opened at @%lx@,", (unsigned long)opened_at[fd]);
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, target, sizeof target - 1);
            target[length > 0 ? length : 0] = '\0';
            snprintf(region->remark, sizeof region->remark, "descriptor %d (%.90s),%s is still open when the first process ends\n", fd, target, where);
            return;
        }
}

/* ---- reading, writing, waiting for descriptors ---- */

uint64_t stream_key(int fd)
{
    struct stat info;
    if (fstat(fd, &info) == -1)
        return 0;
    /* the two ends of a socket have two numbers: one object stands for all sockets, and for files */
    return S_ISFIFO(info.st_mode) ? (uint64_t)info.st_ino << 8 | 2 : S_ISREG(info.st_mode) || S_ISSOCK(info.st_mode) ? 3 : 0;
}

static struct object *stream_of(int fd)
{
    uint64_t key = stream_key(fd);
    return object_of(key != 0 ? key : 1, PIPE);
}

static bool ready(int fd, short events)
{
    struct pollfd one = { fd, events, 0 };
    if (PLAYED)
        timers_fire();
    return REAL(poll)(&one, 1, 0) != 0;
}

static bool waits_forever(int fd)
{
    int flags = REAL(fcntl)(fd, F_GETFL);
    struct stat info;
    return flags != -1 && !(flags & O_NONBLOCK) && fstat(fd, &info) == 0 &&
           (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) || S_ISCHR(info.st_mode) ||
            (info.st_mode & S_IFMT) == 0);      /* an eventfd, a timerfd, a signalfd */
}

/* False when a signal handler ended the wait. */
static bool wait_ready(int fd, short events, const char *call, uintptr_t at)
{
    char text[40];
    unsigned before = me()->interrupts;
    snprintf(text, sizeof text, "%s, descriptor %d", call, fd);
    while (!ready(fd, events)) {
        waits(BLOCKED, stream_of(fd)->key, text, at);
        if (interrupted(before)) {
            errno = EINTR;
            return false;
        }
    }
    return true;
}

static bool is_stream(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

static ssize_t read_played(int fd, void *buffer, size_t size, uintptr_t at)
{
    step('c', 0, fd, at, "read");
    cancellation_point();
    if (waits_forever(fd) && !wait_ready(fd, POLLIN, "read", at))
        return -1;
    ssize_t count = REAL(read)(fd, buffer, size);
    if (count == sizeof(uint64_t))
        timer_was_read(fd, buffer);
    acquire(stream_of(fd)->clock);
    region->progress++;
    return count;
}

ssize_t read(int fd, void *buffer, size_t size)
{
    if (!PLAYED) {
        delay();
        if (noise != 0 && is_stream(fd) && !ready(fd, POLLIN) && interrupt())
            return -1;
        ssize_t count = noise != 0 ? noise_read(fd, buffer, size) : REAL(read)(fd, buffer, size);
        if (count == -1 && errno == EINTR)
            seen_interrupted("read", HERE);
        return count;
    }
    ssize_t count = read_played(fd, buffer, size, HERE);
    if (count > 0)
        access_memory(buffer, (size_t)count, true, HERE);
    return count;
}

/* A write would raise SIGPIPE. */
static bool nobody_reads(int fd)
{
    struct pollfd one = { fd, POLLOUT, 0 };
    return REAL(poll)(&one, 1, 0) == 1 && (one.revents & POLLERR) != 0 && is_stream(fd);
}

static ssize_t write_played(int fd, const void *buffer, size_t size, uintptr_t at)
{
    step('c', 0, fd, at, "write");
    cancellation_point();
    release(stream_of(fd)->clock);
    if (!waits_forever(fd)) {
        ssize_t count = REAL(write)(fd, buffer, size);
        region->progress++;
        return count;
    }
    size_t done = 0;
    do {                        /* a ready pipe takes a page without blocking */
        if (!wait_ready(fd, POLLOUT, "write", at))
            return done > 0 ? (ssize_t)done : -1;
        if (nobody_reads(fd) && ends_by(me(), SIGPIPE))
            end_by(SIGPIPE);
        size_t piece = size - done < 4096 ? size - done : 4096;
        ssize_t count = REAL(write)(fd, (const char *)buffer + done, piece);
        region->progress++;
        if (count == -1)
            return done > 0 ? (ssize_t)done : -1;
        done += (size_t)count;
    } while (done < size);
    return (ssize_t)done;
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    if (PLAYED) {
        access_memory(buffer, size, false, HERE);
        return write_played(fd, buffer, size, HERE);
    }
    delay();
    return noise != 0 ? noise_write(fd, buffer, size) : REAL(write)(fd, buffer, size);
}

/* At a place in a file: never blocks, but others may come between two of them. */
ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    step('c', 0, fd, HERE, "pread");
    delay();
    ssize_t count = REAL(pread)(fd, buffer, size, offset);
    if (PLAYED && count > 0)
        access_memory(buffer, (size_t)count, true, HERE);
    return count;
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    step('c', 0, fd, HERE, "pwrite");
    delay();
    return REAL(pwrite)(fd, buffer, size, offset);
}

off_t lseek(int fd, off_t offset, int whence)
{
    step('c', 0, fd, HERE, "lseek");
    return REAL(lseek)(fd, offset, whence);
}

int close(int fd)
{
    if (PLAYED) {
        step('c', 0, fd, HERE, "close");
        release(stream_of(fd)->clock);      /* who then sees end of file knows what we have done */
    }
    if (fd >= 0 && fd < 256)
        opened_at[fd] = 0;
    int result = REAL(close)(fd);
    if (PLAYED)
        region->progress++;
    return result;
}

/* What a poll on one descriptor waits for; of several, none is named. */
static uint64_t stream_waited(const struct pollfd *fds, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        if (fds[i].fd >= 0 && stream_key(fds[i].fd) == region->outside)
            return region->outside;
    return 0;
}

/* BEFORE: how many handlers had run before a mask of ppoll let more of them in. */
static int poll_played(struct pollfd *fds, nfds_t count, long long limit_ns, unsigned before, uintptr_t at)
{
    bool forever = limit_ns < 0, at_once = limit_ns == 0;
    cancellation_point();
    limit_in(limit_ns);
    for (;;) {
        timers_fire();
        int result = REAL(poll)(fds, count, 0);
        for (nfds_t i = 0; result > 0 && i < count; i++)
            if (fds[i].fd >= 0)
                acquire(stream_of(fds[i].fd)->clock);
        if (result != 0 || at_once)
            return result;
        if (me()->handled != before) {
            errno = EINTR;
            return -1;
        }
        if (!waits(forever ? BLOCKED : TIMED, stream_waited(fds, count), "poll", at))
            return 0;
    }
}

int poll(struct pollfd *fds, nfds_t count, int limit_ms)
{
    if (PLAYED) {
        step('c', 0, 0, HERE, "poll");
        return poll_played(fds, count, limit_ms * 1000000ll, me()->handled, HERE);
    }
    delay();
    return limit_ms != 0 && interrupt() ? -1 : REAL(poll)(fds, count, limit_ms);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
    if (!PLAYED)
        return REAL(ppoll)(fds, count, limit, mask);
    sigset_t old;
    step('c', 0, 0, HERE, "ppoll");
    unsigned before = me()->handled;
    if (mask != NULL)
        sigprocmask(SIG_SETMASK, mask, &old);
    int result = poll_played(fds, count, limit != NULL ? ns_of(limit) : -1, before, HERE);
    if (mask != NULL)
        sigprocmask(SIG_SETMASK, &old, NULL);
    return result;
}

static int select_played(int count, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *limit,
                         unsigned before, uintptr_t at)
{
    fd_set sets[3], none;
    bool at_once = limit != NULL && ns_of(limit) == 0;
    FD_ZERO(&none);
    cancellation_point();
    if (limit != NULL)
        limit_in(ns_of(limit));
    sets[0] = reads ? *reads : none, sets[1] = writes ? *writes : none, sets[2] = errors ? *errors : none;
    uint64_t waited = 0;        /* our standard input is filled from outside */
    for (int fd = 0; fd < count; fd++)
        if (FD_ISSET((unsigned)fd, &sets[0]) && stream_key(fd) == region->outside)
            waited = region->outside;
    for (bool in_time = true; ; in_time = waits(limit == NULL ? BLOCKED : TIMED, waited, "select", at)) {
        fd_set now[3] = { sets[0], sets[1], sets[2] };
        struct timeval zero = { 0, 0 };
        timers_fire();
        int result = REAL(select)(count, &now[0], &now[1], &now[2], &zero);
        if (result != 0 || at_once || !in_time) {
            if (reads) *reads = now[0];
            if (writes) *writes = now[1];
            if (errors) *errors = now[2];
            acquire(object_of(3, PIPE)->clock);
            for (int fd = 0; fd < count; fd++)
                if (FD_ISSET((unsigned)fd, &now[0]))
                    acquire(stream_of(fd)->clock);
            return result;
        }
        if (me()->handled != before) {
            errno = EINTR;
            return -1;
        }
    }
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *limit)
{
    if (!PLAYED)
        return REAL(select)(count, reads, writes, errors, limit);
    step('c', 0, 0, HERE, "select");
    struct timespec time = { 0, 0 };
    if (limit != NULL)
        time = (struct timespec){ limit->tv_sec, limit->tv_usec * 1000 };
    return select_played(count, reads, writes, errors, limit != NULL ? &time : NULL, me()->handled, HERE);
}

int pselect(int count, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *limit, const sigset_t *mask)
{
    if (!PLAYED)
        return REAL(pselect)(count, reads, writes, errors, limit, mask);
    sigset_t old;
    step('c', 0, 0, HERE, "pselect");
    unsigned before = me()->handled;
    if (mask != NULL)
        sigprocmask(SIG_SETMASK, mask, &old);
    int result = select_played(count, reads, writes, errors, limit, before, HERE);
    int error = errno;
    if (mask != NULL)
        sigprocmask(SIG_SETMASK, &old, NULL);
    errno = error;
    return result;
}

int flock(int fd, int operation)
{
    if (!PLAYED)
        return REAL(flock)(fd, operation);
    struct stat info = { 0 };
    uintptr_t at = HERE;
    fstat(fd, &info);
    struct object *object = object_of((uint64_t)info.st_ino << 8 | 5, OTHER);
    step('c', 0, fd, at, "flock");
    if (operation & LOCK_UN)
        release(object->clock);
    int result;
    while ((result = REAL(flock)(fd, operation | LOCK_NB)) == -1 && errno == EWOULDBLOCK && !(operation & LOCK_NB))
        blocked(BLOCKED, 0, "flock", at);
    if (result == 0 && !(operation & LOCK_UN))
        acquire(object->clock);
    region->progress++;
    return result;
}

static int file_lock_played(int fd, int command, struct flock *lock, uintptr_t at)
{
    struct stat info = { 0 };
    fstat(fd, &info);
    struct object *object = object_of((uint64_t)info.st_ino << 8 | 6, OTHER);
    bool unlock = lock->l_type == F_UNLCK;
    step('c', 0, fd, at, "fcntl lock");
    if (unlock)
        release(object->clock);
    int result;
    while ((result = REAL(fcntl)(fd, F_SETLK, lock)) == -1 && (errno == EAGAIN || errno == EACCES) && command == F_SETLKW)
        blocked(BLOCKED, 0, "fcntl lock", at);
    if (result == 0 && !unlock)
        acquire(object->clock);
    region->progress++;
    return result;
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!PLAYED || (command != F_SETLKW && command != F_SETLK))
        return REAL(fcntl)(fd, command, argument);
    return file_lock_played(fd, command, argument, HERE);
}

/* The C library makes it of fcntl, but of its own one. */
int lockf(int fd, int command, off_t size)
{
    struct flock lock = { .l_type = command == F_ULOCK ? F_UNLCK : F_WRLCK, .l_whence = SEEK_CUR, .l_len = size };
    if (!PLAYED || command == F_TEST)
        return REAL(lockf)(fd, command, size);
    return file_lock_played(fd, command == F_LOCK ? F_SETLKW : F_SETLK, &lock, HERE);
}

/* A socket's own limit (SO_RCVTIMEO, SO_SNDTIMEO) in ms, or -1. */
static int limit_of(int fd, short events)
{
    struct timeval limit;
    socklen_t size = sizeof limit;
    int name = events == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (getsockopt(fd, SOL_SOCKET, name, &limit, &size) == -1 || (limit.tv_sec == 0 && limit.tv_usec == 0))
        return -1;
    return (int)(limit.tv_sec * 1000 + limit.tv_usec / 1000);
}

/* Waits, unless FLAGS say not to, until FD is ready for EVENTS. False: not ready, with errno. */
static bool socket_ready(int fd, short events, int flags, const char *name, uintptr_t at)
{
    int limit = limit_of(fd, events);
    if ((flags & MSG_DONTWAIT) != 0 || !waits_forever(fd))
        return true;
    if (limit == -1)
        return wait_ready(fd, events, name, at);
    struct pollfd one = { .fd = fd, .events = events };
    int ready = poll(&one, 1, limit);
    if (ready == 0)
        errno = EAGAIN;
    return ready > 0;
}

#define WHEN_READY(fd, events, flags, name, call) \
    if (PLAYED) { \
        uintptr_t at_ = HERE; \
        step('c', 0, fd, at_, name); \
        if (!socket_ready(fd, events, flags, name, at_)) \
            return -1; \
        if ((events) == POLLIN) acquire(stream_of(fd)->clock); else release(stream_of(fd)->clock); \
        region->progress++; \
    } \
    return call

/* ---- System V: semaphores and messages ---- */

static int semop_played(int id, struct sembuf *operations, size_t count, const struct timespec *limit, uintptr_t at)
{
    struct sembuf own[32];
    uint64_t key = (uint64_t)id << 8 | 7;
    if (count > 32)
        return REAL(semtimedop)(id, operations, count, limit);
    step('c', key, 0, at, "semop");
    release(object_of(key, OTHER)->clock);
    bool at_once = false;
    for (size_t i = 0; i < count; i++) {
        at_once = at_once || (operations[i].sem_flg & IPC_NOWAIT);
        own[i] = operations[i];
        own[i].sem_flg |= IPC_NOWAIT;
    }
    if (limit != NULL)
        limit_in(ns_of(limit));
    int result;
    while ((result = REAL(semop)(id, own, count)) == -1 && errno == EAGAIN && !at_once)
        if (!blocked(limit != NULL ? TIMED : BLOCKED, key, "semop", at)) {
            errno = EAGAIN;
            break;
        }
    acquire(object_of(key, OTHER)->clock);
    region->progress++;
    return result;
}

int semop(int id, struct sembuf *operations, size_t count)
{
    return PLAYED ? semop_played(id, operations, count, NULL, HERE) : REAL(semop)(id, operations, count);
}

int semtimedop(int id, struct sembuf *operations, size_t count, const struct timespec *limit)
{
    return PLAYED ? semop_played(id, operations, count, limit, HERE) : REAL(semtimedop)(id, operations, count, limit);
}

int msgsnd(int id, const void *message, size_t size, int flags)
{
    if (!PLAYED)
        return REAL(msgsnd)(id, message, size, flags);
    uint64_t key = (uint64_t)id << 8 | 8;
    uintptr_t at = HERE;
    int result;
    step('c', key, 0, at, "msgsnd");
    release(object_of(key, OTHER)->clock);
    while ((result = REAL(msgsnd)(id, message, size, flags | IPC_NOWAIT)) == -1 && errno == EAGAIN && !(flags & IPC_NOWAIT))
        blocked(BLOCKED, key, "msgsnd", at);
    region->progress++;
    return result;
}

/* Memory that is shared by its number: wherever, and how often, it is attached. */
void *shmat(int id, const void *address, int flags)
{
    struct shmid_ds info;
    void *memory = REAL(shmat)(id, address, flags);
    if (scheduled && (intptr_t)memory != -1 && shmctl(id, IPC_STAT, &info) == 0)
        mapping_add(memory, info.shm_segsz, (uint64_t)id << 32 | 1ull << 61);
    return memory;
}

int shmdt(const void *memory)
{
    mapping_remove(memory);
    return REAL(shmdt)(memory);
}

ssize_t msgrcv(int id, void *message, size_t size, long type, int flags)
{
    if (!PLAYED)
        return REAL(msgrcv)(id, message, size, type, flags);
    uint64_t key = (uint64_t)id << 8 | 8;
    uintptr_t at = HERE;
    ssize_t count;
    step('c', key, 0, at, "msgrcv");
    while ((count = REAL(msgrcv)(id, message, size, type, flags | IPC_NOWAIT)) == -1 && errno == ENOMSG && !(flags & IPC_NOWAIT))
        blocked(BLOCKED, key, "msgrcv", at);
    acquire(object_of(key, OTHER)->clock);
    region->progress++;
    return count;
}

/* ---- sockets ---- */

/* glibc declares these with a union of all kinds of addresses, musl does not */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
int accept(int fd, struct sockaddr *address, socklen_t *size) { WHEN_READY(fd, POLLIN, 0, "accept", REAL(accept)(fd, address, size)); }
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) { WHEN_READY(fd, POLLIN, 0, "accept", REAL(accept4)(fd, address, size, flags)); }
/* Under noise a connection over a network gives any part; and of a large piece it takes any part. */
static bool is_cut(int fd, int flags)
{
    struct sockaddr_storage name = { .ss_family = AF_UNIX };
    int type = 0;
    socklen_t length = sizeof name, type_size = sizeof type;
    return !PLAYED && noise != 0 && !(flags & (MSG_WAITALL | MSG_PEEK)) && getsockname(fd, (struct sockaddr *)&name, &length) == 0 &&
           name.ss_family != AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_STREAM;
}

static size_t cut(int fd, size_t size, int flags) { return is_cut(fd, flags) ? any_part(fd, size) : size; }
static size_t cut_large(int fd, size_t size, int flags) { return is_cut(fd, flags) ? large_part(size) : size; }

ssize_t recv(int fd, void *buffer, size_t size, int flags) { WHEN_READY(fd, POLLIN, flags, "recv", REAL(recv)(fd, buffer, cut(fd, size, flags), flags)); }
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address, socklen_t *length)
{ WHEN_READY(fd, POLLIN, flags, "recvfrom", REAL(recvfrom)(fd, buffer, cut(fd, size, flags), flags, address, length)); }
ssize_t recvmsg(int fd, struct msghdr *message, int flags) { WHEN_READY(fd, POLLIN, flags, "recvmsg", REAL(recvmsg)(fd, message, flags)); }
ssize_t send(int fd, const void *buffer, size_t size, int flags) { WHEN_READY(fd, POLLOUT, flags, "send", REAL(send)(fd, buffer, cut_large(fd, size, flags), flags)); }
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{ WHEN_READY(fd, POLLOUT, flags, "sendto", REAL(sendto)(fd, buffer, cut_large(fd, size, flags), flags, address, length)); }
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { WHEN_READY(fd, POLLOUT, flags, "sendmsg", REAL(sendmsg)(fd, message, flags)); }

#pragma GCC diagnostic pop

ssize_t readv(int fd, const struct iovec *parts, int count) { WHEN_READY(fd, POLLIN, 0, "readv", REAL(readv)(fd, parts, count)); }
ssize_t writev(int fd, const struct iovec *parts, int count) { WHEN_READY(fd, POLLOUT, 0, "writev", REAL(writev)(fd, parts, count)); }

/* ---- stdio on pipes and sockets: the C library would read and write without our knowing ---- */

static struct stream { FILE *file; int fd; uintptr_t at; } streams[64];

static ssize_t stream_read(void *cookie, char *buffer, size_t size)
{
    const struct stream *stream = cookie;
    return PLAYED ? read_played(stream->fd, buffer, size, stream->at) : REAL(read)(stream->fd, buffer, size);
}

static ssize_t stream_write(void *cookie, const char *buffer, size_t size)
{
    const struct stream *stream = cookie;
    ssize_t count = PLAYED ? write_played(stream->fd, buffer, size, stream->at) : REAL(write)(stream->fd, buffer, size);
    return count == -1 ? 0 : count;     /* fopencookie(3) wants 0 for an error */
}

static int stream_close(void *cookie)
{
    struct stream *stream = cookie;
    stream->file = NULL;
    return close(stream->fd);
}

FILE *fdopen(int fd, const char *mode)
{
    for (int i = 0; PLAYED && is_stream(fd) && i < 64; i++)
        if (streams[i].file == NULL) {
            streams[i].fd = fd;
            streams[i].at = HERE;
            return streams[i].file = fopencookie(&streams[i], mode, (cookie_io_functions_t){ stream_read, stream_write, NULL, stream_close });
        }
    return REAL(fdopen)(fd, mode);
}

int fileno(FILE *file)
{
    for (int i = 0; file != NULL && i < 64; i++)
        if (streams[i].file == file)
            return streams[i].fd;
    return REAL(fileno)(file);
}

int dprintf(int fd, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    for (int done = 0; done < length; ) {
        ssize_t count = write(fd, text + done, (size_t)(length - done));
        if (count == -1) {
            length = -1;
            break;
        }
        done += (int)count;
    }
    free(text);
    return length;
}

/* ---- opening and mapping ---- */

/* What makes a descriptor, and, with a name, what the judge may find left behind. */
#define OPENS(call) return opened(call, HERE)
int socket(int domain, int type, int protocol) { OPENS(REAL(socket)(domain, type, protocol)); }
int dup(int fd) { OPENS(REAL(dup)(fd)); }
int dup2(int fd, int as) { OPENS(REAL(dup2)(fd, as)); }
int eventfd(unsigned value, int flags) { OPENS(REAL(eventfd)(value, flags)); }
int epoll_create1(int flags) { OPENS(REAL(epoll_create1)(flags)); }

static int made(const char *name, int fd, uintptr_t at)
{
    if (fd != -1)
        note("made %.90s %lx\n", name, (unsigned long)at);
    return opened(fd, at);
}

int mkstemp(char *name)
{
    int fd = REAL(mkstemp)(name);
    return made(name, fd, HERE);
}

int shm_open(const char *name, int flags, mode_t mode) { return made(name, REAL(shm_open)(name, flags, mode), HERE); }

static void made_number(int id, uintptr_t at)
{
    char name[16];
    snprintf(name, sizeof name, "%d", id);
    made(name, id == -1 ? -1 : 256, at);        /* no descriptor */
}

int shmget(key_t key, size_t size, int flags)
{
    int id = REAL(shmget)(key, size, flags);
    made_number(id, HERE);
    return id;
}

int semget(key_t key, int count, int flags)
{
    int id = REAL(semget)(key, count, flags);
    made_number(id, HERE);
    return id;
}

int msgget(key_t key, int flags)
{
    int id = REAL(msgget)(key, flags);
    made_number(id, HERE);
    return id;
}

int pipe(int ends[2])
{
    if (shall_fail("pipe")) {
        errno = EMFILE;
        return -1;
    }
    return opened_both(REAL(pipe)(ends), ends, HERE);
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
    return opened_both(REAL(socketpair)(domain, type, protocol, ends), ends, HERE);
}

int pipe2(int ends[2], int flags)
{
    if (shall_fail("pipe")) {
        errno = EMFILE;
        return -1;
    }
    return opened_both(REAL(pipe2)(ends, flags), ends, HERE);
}

/* /proc/PID/stat of a task that could run: it waits for its turn, but the program must not take that for a wait of its
   own ('S'). So it gets another file, which says 'R'. */
static int state_file(const char *path)
{
    int pid, length = 0;
    char text[64];
    if (sscanf(path, "/proc/%d/stat%n", &pid, &length) != 1 || length == 0 || path[length] != '\0')
        return -1;
    for (int i = 0; i < region->tasks; i++)
        if (region->task[i].pid == pid && !region->task[i].thread && region->task[i].state == READY && i != self &&
            state_in_proc(pid, pid) != 'T') {
            int fd = (int)raw_syscall(SYS_memfd_create, "stat", 0L);
            length = snprintf(text, sizeof text, "%d (ready) R 0 0 0", pid);
            if (fd != -1 && (raw_syscall(SYS_write, fd, text, (long)length) == -1 || raw_syscall(SYS_lseek, fd, 0L, 0L) == -1))
                raw_syscall(SYS_close, fd);
            return fd;
        }
    return -1;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (shall_fail("open")) {
        errno = EMFILE;
        return -1;
    }
    int fd = PLAYED ? state_file(path) : -1;
    fd = fd != -1 ? fd : REAL(open)(path, flags, mode);
    return flags & O_CREAT ? made(path, fd, HERE) : opened(fd, HERE);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (shall_fail("mmap")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *memory = REAL(mmap)(address, size, protection, flags, fd, offset);
    if (scheduled && memory != MAP_FAILED && (flags & MAP_SHARED)) {
        struct stat info;
        /* a file's memory is the same at whatever address; nameless memory only reaches children, at its address */
        bool file = !(flags & MAP_ANONYMOUS) && fstat(fd, &info) == 0;
        mapping_add(memory, size, file ? (uint64_t)info.st_ino << 32 | (1ull << 62) | (uint64_t)offset : (uint64_t)(uintptr_t)memory);
    }
    return memory;
}

int munmap(void *address, size_t size)
{
    mapping_remove(address);
    return REAL(munmap)(address, size);
}
