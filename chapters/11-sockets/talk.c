/* talk.c - how the functions of talk.h work. Read it after echo.c, which has the calls in the bare. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Who starts a program may have closed its 0, 1 or 2. Then a socket would get that number, and what we print
   would go to the other side. So these numbers are taken first. Nothing can be read there, or printed. */
static int keep_0_to_2(void)
{
    int fd;
    while ((fd = open("/dev/null", O_RDONLY)) != -1 && fd <= STDERR_FILENO)
        ;
    return fd == -1 ? -1 : close(fd);
}

/* ---- a socket for an address ---- */

/* ADDRESS and PORT are numbers, so nobody is asked for a name, and there is one result.
   To be given back with freeaddrinfo. NULL with EINVAL: not an address. */
static struct addrinfo *look_up(const char *address, const char *port)
{
    struct addrinfo *found, hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    if (getaddrinfo(address, port, &hints, &found) == 0)
        return found;
    errno = EINVAL;
    return NULL;
}

/* Why we cannot listen there, and what to do. */
static _Noreturn void cannot_listen(const char *address, const char *port, int error)
{
    switch (error) {
    case EADDRINUSE:
        die("port %s is busy: another program listens there. Take another port, or 0 for any free one", port);
    case EACCES:
        die("port %s is for root only: take one from 1024 on, or 0 for any free one", port);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        die("this machine does not have the address %s: take another one, such as 127.0.0.1", address);
    default:
        die("cannot listen at %s, port %s: %s", address, port, strerror(error));
    }
}

int listen_as_told(int argc, char **argv)
{
    const char *address = argc == 3 ? argv[2] : "127.0.0.1";
    struct addrinfo *place = NULL;
    long port;
    if (argc == 2 || argc == 3)
        place = parse_number(argv[1], 0, 65535, &port) == -1 ? NULL : look_up(address, argv[1]);
    if (place == NULL) {
        char line[300];
        snprintf(line, sizeof line, "%.100s PORT [ADDRESS]   (PORT 0: any free one; ADDRESS: 127.0.0.1)", argv[0]);
        usage(line);
    }
    int fd = socket(place->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    /* Without SO_REUSEADDR, connections of a server that has just ended would keep the port busy for a
       minute. A port where somebody listens stays busy all the same. */
    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1 ||
        bind(fd, place->ai_addr, place->ai_addrlen) == -1 || listen(fd, SOMAXCONN) == -1)
        cannot_listen(address, argv[1], errno);
    freeaddrinfo(place);
    return fd;
}

int accept_client(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client == -1 && (errno == EINTR || errno == ECONNABORTED))
        errno = EAGAIN;                 /* a signal came, or the client has gone again: poll knows more */
    return client;
}

void allow_descriptors(unsigned count)
{
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur < count)
        limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
    check(setrlimit(RLIMIT_NOFILE, &limit));
}

int port_of(int fd)
{
    struct sockaddr_storage name;       /* room for an address of any kind */
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) == -1)
        return -1;
    /* The port is at the same place in an address of IPv4 and of IPv6. */
    return ntohs(((const struct sockaddr_in *)&name)->sin_port);
}

int connect_to(const char *address, const char *port)
{
    struct addrinfo *place = keep_0_to_2() == -1 ? NULL : look_up(address, port);
    if (place == NULL)
        return -1;
    int fd = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error = 0;
    if (fd == -1 || connect(fd, place->ai_addr, place->ai_addrlen) == -1)
        error = errno;
    if (fd != -1 && error == EINTR) {   /* the kernel goes on connecting: wait until it has done so */
        struct pollfd wait = { .fd = fd, .events = POLLOUT };
        socklen_t size = sizeof error;
        while (poll(&wait, 1, -1) == -1 && errno == EINTR)
            ;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
            error = errno;
    }
    freeaddrinfo(place);
    if (error == 0)
        return fd;
    if (fd != -1)
        close(fd);
    errno = error;
    return -1;
}

/* ---- signals ---- */

int open_signals(void)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGCHLD, SIGALRM };
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t set;
    if (keep_0_to_2() == -1)
        return -1;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaddset(&set, numbers[i]);
        /* Who started us may have ignored it, and exec keeps that. With SIGCHLD ignored, no child could be
           waited for. */
        if (sigaction(numbers[i], &usual, NULL) == -1)
            return -1;
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int next_signal(int signals)
{
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int let_signals_end_us(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* ---- the talk ---- */

void upper(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)   /* not toupper: what that does depends on the locale */
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            bytes[i] = (char)(bytes[i] - 'a' + 'A');
}

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits until EVENTS can be done with FD: then it returns NOT_ENDED. END is when the whole talk must end. */
static enum ended wait_for(int fd, short events, const struct limits *limits, long long end)
{
    struct pollfd one = { .fd = fd, .events = events };
    for (;;) {
        long long left = end - now_ms();
        if (left <= 0)
            return TOO_LONG;
        int ready = poll(&one, 1, left < limits->quiet_ms ? (int)left : limits->quiet_ms);
        if (ready > 0)
            return NOT_ENDED;
        if (ready == 0)
            return left < limits->quiet_ms ? TOO_LONG : TOO_QUIET;
        if (errno != EINTR)
            return BY_ERROR;
    }
}

/* Sends all bytes, in as many pieces as it takes: a send takes only what the kernel has room for. */
static enum ended send_all(int fd, const char *bytes, size_t size, const struct limits *limits, long long end)
{
    enum ended ended = NOT_ENDED;
    while (size > 0 && ended == NOT_ENDED) {
        ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);    /* EPIPE if nobody is there, and no SIGPIPE */
        if (count >= 0) {
            bytes += count;
            size -= (size_t)count;
        } else if (errno == EAGAIN)
            ended = wait_for(fd, POLLOUT, limits, end);
        else if (errno != EINTR)
            ended = BY_ERROR;
    }
    return ended;
}

enum ended talk_with(int fd, const struct limits *limits)
{
    char bytes[16384];
    long long end = now_ms() + limits->whole_ms, taken = 0;
    for (;;) {
        enum ended ended = wait_for(fd, POLLIN, limits, end);
        if (ended != NOT_ENDED)
            return ended;
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);   /* some bytes: a part of a line, or many lines */
        if (count == 0)
            return BY_CLIENT;
        if (count == -1 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count == -1)
            return BY_ERROR;
        taken += count;
        if (taken > limits->bytes)
            return TOO_MUCH;
        upper(bytes, (size_t)count);
        ended = send_all(fd, bytes, (size_t)count, limits, end);
        if (ended != NOT_ENDED)
            return ended;
    }
}
