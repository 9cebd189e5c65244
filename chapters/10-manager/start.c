/* start.c - to start a server process and to stop it; and what is left when somebody is killed. The server itself is
   server.c. */
#include "workbook.h"

#include "start.h"

#include "connection.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The directory of the socket, locked as long as the server has it open: the kernel gives the lock back, however
   the server ends. -1: it is not there, it is not for this user alone, or another server has it. */
static int lock_directory(const struct manager *manager)
{
    struct stat status;
    int fd = open(manager->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd == -1)
        return -1;
    int error = flock(fd, LOCK_EX | LOCK_NB) == -1 ? EADDRINUSE
                : fstat(fd, &status) == -1 ? errno
                : status.st_nlink == 0 ? EADDRINUSE             /* it was removed just now */
                : status.st_uid != geteuid() || (status.st_mode & 077) != 0 ? EACCES : 0;
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

/* If it is there, and a socket: another file with this name is not ours. */
static void unlink_socket(const struct manager *manager)
{
    struct stat status;
    if (lstat(manager->address, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(manager->address);
}

/* The socket and its directory, unless another server has them by now. Their name is random, and both sides know it
   before it is made: so whichever of the two is killed, the other one can remove it. */
static void remove_socket(const struct manager *manager)
{
    int guard = manager->name.ss_family == AF_UNIX ? lock_directory(manager) : -1;
    if (guard == -1)
        return;
    unlink_socket(manager);
    rmdir(manager->directory);
    close(guard);
}

/* A socket that clients can connect to, or -1. GUARD: the locked directory, or -1. */
static int listen_here(struct manager *manager, int *guard)
{
    const int yes = 1;
    struct sockaddr *name = (struct sockaddr *)&manager->name;
    if (name->sa_family == AF_UNIX) {
        if ((mkdir(manager->directory, 0700) == -1 && errno != EEXIST) || (*guard = lock_directory(manager)) == -1)
            return -1;
        unlink_socket(manager);         /* left by one that was killed: the lock says that it is gone */
    }
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    if ((name->sa_family == AF_UNIX || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0) &&
        bind(fd, name, manager->name_size) == 0 && listen(fd, SOMAXCONN) == 0 &&
        getsockname(fd, name, &manager->name_size) == 0) {
        if (name->sa_family == AF_INET) /* which port it is */
            snprintf(strchr(manager->address, ':'), 7, ":%d", ntohs(((struct sockaddr_in *)name)->sin_port));
        return fd;
    }
    hang_up(&fd);
    return -1;
}

struct report {                         /* from the new server to its parent */
    int error;
    struct sockaddr_storage name;
    char address[sizeof(struct sockaddr_un)];
};

/* The server inherits all that its parent has open. It must not keep it: a pipe whose write end we hold never
   comes to its end. It keeps 0, 1, 2 and LIFE, as number 3. */
static _Noreturn void be_server(struct manager *manager, int life)
{
    if (dup2(life, 3) == -1)
        _exit(1);
    if (syscall(SYS_close_range, 4, ~0u, 0) == -1)      /* since Linux 5.9 */
        for (int fd = 4; fd < 1024; fd++)
            close(fd);
    int guard = -1, listener;
    for (int tries = 0; (listener = listen_here(manager, &guard)) == -1 && errno == EADDRINUSE && guard == -1 && tries < 100; tries++)
        poll(NULL, 0, 10);              /* a server that was killed just now may keep its lock a moment longer */
    struct report report = { .error = listener == -1 ? errno : 0, .name = manager->name };
    memcpy(report.address, manager->address, sizeof report.address);
    if (send(3, &report, sizeof report, MSG_NOSIGNAL) == sizeof report && listener != -1)
        serve(listener, 3, manager->key, manager->key_size);
    if (guard != -1) {
        close(guard);
        remove_socket(manager);
    }
    _exit(0);
}

/* Is the server's end of LIFE closed, at the latest in LIMIT_MS? */
static bool has_ended(const struct manager *manager, int limit_ms)
{
    struct pollfd one = { .fd = manager->life, .events = POLLIN };
    int ready;
    while ((ready = poll(&one, 1, limit_ms)) == -1 && errno == EINTR)
        ;
    return ready == 1;
}

void server_is_gone(struct manager *manager)
{
    int error = errno;
    siginfo_t info;
    if (manager->pid != 0 && has_ended(manager, 1000)) {
        while (waitid(P_PID, (id_t)manager->pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR)
            ;                           /* now it has nothing open any more; manager_stop reaps it */
        remove_socket(manager);
    }
    errno = error;
}

int manager_stop(struct manager *manager)
{
    int error = 0;
    if (manager->pid != 0) {
        error = has_ended(manager, 0) ? ECONNRESET : 0;
        shutdown(manager->life, SHUT_WR);       /* end of file: it shall end */
        if (!has_ended(manager, MANAGER_LIMIT_MS))
            kill(manager->pid, SIGKILL);        /* it is stopped, perhaps. Not reaped yet: the pid is its own */
        wait_child(manager->pid);               /* may have been reaped, by wait_children */
        remove_socket(manager);
    }
    free_manager(manager);
    return error == 0 ? 0 : fail(error, "the server had ended too early");
}

static int start_server(struct manager *manager)
{
    int ends[2];
    struct report report;
    struct sigaction action;
    sigset_t all, before;
    /* If SIGCHLD is ignored (that is inherited), a wait for any child lasts until all have ended. The server does not
       end before we say so: that wait would last for ever. */
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
        return fail_errno();
    manager->life = ends[0];            /* is closed in children, and in the server */
    sigfillset(&all);
    check_pthread(pthread_sigmask(SIG_BLOCK, &all, &before));
    manager->pid = fork();
    if (manager->pid == 0)
        be_server(manager, ends[1]);    /* all signals stay blocked, but for SIGTERM in the loop */
    int error = errno;
    check_pthread(pthread_sigmask(SIG_SETMASK, &before, NULL));
    check(close(ends[1]));
    if (manager->pid == -1) {
        manager->pid = 0;
        hang_up(&manager->life);
        return fail(error, "the server cannot be started");
    }
    if (read_full(manager->life, &report, sizeof report) != sizeof report)
        return fail(ECONNRESET, "the server has ended at once");
    manager->name = report.name;
    memcpy(manager->address, report.address, sizeof manager->address);
    return report.error == 0 ? 0 : fail(report.error, "the server cannot listen at this address");
}

struct manager *manager_start(const char *address, const void *key, size_t key_size)
{
    char path[200];
    const char *folder = getenv("TMPDIR");
    unsigned long long random;
    if (address == NULL) {
        if (getrandom(&random, sizeof random, 0) != sizeof random) {
            fail_errno();
            return NULL;
        }
        snprintf(path, sizeof path, "%s/manager-%016llx/socket", folder != NULL ? folder : "/tmp", random);
        address = path;
    }
    struct manager *manager = new_manager(address, key, key_size);
    if (manager != NULL && start_server(manager) == -1) {
        int error = errno;
        char reason[100];
        snprintf(reason, sizeof reason, "%s", manager_error());
        manager_stop(manager);
        fail(error, reason);
        return NULL;
    }
    return manager;
}
