/* look.c - what /proc says about the program under judgement and all that descend from it. */
#include "runner.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Reads a small file of /proc into TEXT, ended by '\0'. False when it is gone or forbidden. */
static bool read_proc(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    ssize_t count = read(fd, text, size - 1);
    close(fd);
    if (count < 0)
        return false;
    text[count] = '\0';
    return true;
}

static bool read_task(pid_t pid, struct process *task)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_proc(path, text, sizeof text))
        return false;
    char *after_name = strrchr(text, ')');
    int parent;
    long pages;
    if (after_name == NULL || sscanf(after_name + 1, " %c %d", &task->state, &parent) != 2)
        return false;
    /* field 24 is the resident set, in pages; the name was field 2 */
    if (sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
               " %*d %*d %*u %*u %ld", &pages) != 1)
        pages = 0;
    task->pid = pid;
    task->parent = parent;
    task->resident = pages * sysconf(_SC_PAGESIZE);
    return true;
}

static int by_pid(const void *a, const void *b)
{
    return ((const struct process *)a)->pid - ((const struct process *)b)->pid;
}

/* Every descendant is below us, since we are a subreaper: an orphan becomes our child. */
void look_at_family(struct family *family)
{
    static struct process all[32768];
    int known = 0;
    DIR *proc = opendir("/proc");
    family->count = 0;
    if (proc == NULL)
        return;
    for (struct dirent *entry; known < 32768 && (entry = readdir(proc)) != NULL; )
        if (isdigit((unsigned char)entry->d_name[0]) && read_task(atoi(entry->d_name), &all[known]))
            known++;
    closedir(proc);
    qsort(all, (size_t)known, sizeof all[0], by_pid);

    /* Take the children of those we have, until nothing new is found. */
    bool grown = true;
    pid_t self = getpid();
    while (grown) {
        grown = false;
        for (int i = 0; i < known && family->count < MOST_TASKS; i++) {
            bool ours = all[i].parent == self;
            for (int f = 0; f < family->count && !ours; f++)
                ours = family->task[f].pid == all[i].parent;
            if (all[i].pid == 0 || !ours)
                continue;
            family->task[family->count++] = all[i];
            all[i].pid = 0;     /* taken */
            grown = true;
        }
    }
}

/* ---- what does a task wait for? ---- */

struct call {
    long number;
    const char *name;
    int timeout;                /* which argument limits the wait: -1 none, 0 to 5; 100: always limited */
    bool milliseconds;          /* that argument is a number of ms, not a pointer */
};
static const struct call calls[] = {
    { SYS_read, "read", -1, false }, { SYS_write, "write", -1, false },
    { SYS_readv, "readv", -1, false }, { SYS_writev, "writev", -1, false },
    { SYS_wait4, "wait4 (waitpid)", -1, false }, { SYS_waitid, "waitid", -1, false },
    { SYS_futex, "futex (a lock, a condition or a join)", 3, false },
    { SYS_rt_sigsuspend, "sigsuspend", -1, false }, { SYS_rt_sigtimedwait, "sigtimedwait", 2, false },
    { SYS_ppoll, "ppoll", 2, false }, { SYS_pselect6, "pselect", 4, false },
    { SYS_epoll_pwait, "epoll_wait", 3, true }, { SYS_accept, "accept", -1, false },
    { SYS_accept4, "accept", -1, false }, { SYS_connect, "connect", -1, false },
    { SYS_recvfrom, "recv", -1, false }, { SYS_recvmsg, "recvmsg", -1, false },
    { SYS_sendto, "send", -1, false }, { SYS_sendmsg, "sendmsg", -1, false },
    { SYS_flock, "flock", -1, false }, { SYS_fcntl, "fcntl (a file lock)", -1, false },
    { SYS_semop, "semop", -1, false }, { SYS_semtimedop, "semtimedop", 3, false },
    { SYS_msgrcv, "msgrcv", -1, false }, { SYS_msgsnd, "msgsnd", -1, false },
    { SYS_mq_timedsend, "mq_send", 4, false }, { SYS_mq_timedreceive, "mq_receive", 4, false },
    { SYS_openat, "open (a FIFO waits for its other end)", -1, false },
    { SYS_nanosleep, "nanosleep", 100, false }, { SYS_clock_nanosleep, "sleep", 100, false },
#ifdef SYS_pause                /* the older calls, which newer machines do not have */
    { SYS_pause, "pause", -1, false }, { SYS_poll, "poll", 2, true },
    { SYS_select, "select", 4, false }, { SYS_epoll_wait, "epoll_wait", 3, true },
    { SYS_open, "open (a FIFO waits for its other end)", -1, false },
#endif
};

struct wait {
    const struct call *call;    /* NULL: it runs, or waits in a call that is not in the table */
    unsigned long argument[6];
};

static struct wait wait_of(pid_t pid, pid_t thread)
{
    struct wait wait = { NULL, { 0 } };
    char path[96], text[512];
    long number;
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)thread);
    if (!read_proc(path, text, sizeof text) ||
        sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &number, &wait.argument[0], &wait.argument[1],
               &wait.argument[2], &wait.argument[3], &wait.argument[4], &wait.argument[5]) != 7)
        return wait;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (calls[i].number == number)
            wait.call = &calls[i];
    return wait;
}

/* What descriptor FD of PID leads to, "pipe:[123]" for example. */
static bool target_of(pid_t pid, unsigned long fd, char *target, size_t size)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/fd/%lu", (int)pid, fd);
    ssize_t count = readlink(path, target, size - 1);
    if (count < 0)
        return false;
    target[count] = '\0';
    return true;
}

static bool takes_descriptor(const struct call *call)
{
    return call->number == SYS_read || call->number == SYS_write || call->number == SYS_readv ||
           call->number == SYS_writev || call->number == SYS_recvfrom || call->number == SYS_accept ||
           call->number == SYS_recvmsg || call->number == SYS_sendto || call->number == SYS_sendmsg;
}

static bool limited_by_time(pid_t pid, const struct wait *wait)
{
    const struct call *call = wait->call;
    char target[256];
    if (call->timeout == 100)
        return true;
    if (call->timeout >= 0)
        return call->milliseconds ? (int)wait->argument[call->timeout] >= 0 : wait->argument[call->timeout] != 0;
    return takes_descriptor(call) && target_of(pid, wait->argument[0], target, sizeof target) &&
           strcmp(target, "anon_inode:[timerfd]") == 0;
}

/* Calls VISIT for each thread of PID; stops and returns false when VISIT does. */
static bool each_thread(pid_t pid, bool (*visit)(pid_t pid, pid_t thread, void *context), void *context)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return true;
    bool go_on = true;
    for (struct dirent *entry; go_on && (entry = readdir(threads)) != NULL; )
        if (isdigit((unsigned char)entry->d_name[0]))
            go_on = visit(pid, atoi(entry->d_name), context);
    closedir(threads);
    return go_on;
}

static bool is_blocked(pid_t pid, pid_t thread, void *context)
{
    char path[96], text[4096];
    unsigned long long *switches = context;
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)thread);
    if (!read_proc(path, text, sizeof text))
        return false;           /* it is just ending: something moves */
    const char *state = strstr(text, "\nState:");
    for (const char *line = text; (line = strstr(line, "ctxt_switches:")) != NULL; line++)
        *switches += strtoull(line + strlen("ctxt_switches:"), NULL, 10);
    *switches += (unsigned long long)thread << 32;      /* who is there counts too */
    if (state == NULL)
        return false;
    state += strlen("\nState:");
    state += strspn(state, " \t");
    if (*state == 'Z' || *state == 'T')
        return true;            /* ended or stopped: it will not move by itself */
    if (*state != 'S')
        return false;
    struct wait wait = wait_of(pid, thread);
    return wait.call != NULL && !limited_by_time(pid, &wait);
}

bool all_blocked(const struct family *family, unsigned long long *switches)
{
    *switches = 0;
    for (int i = 0; i < family->count; i++)
        if (!each_thread(family->task[i].pid, is_blocked, switches))
            return false;
    return family->count > 0;
}

/* ---- telling it ---- */

struct telling {
    int report;
    const struct family *family;
    pid_t first;                /* the process that was started first */
};

static const char *who(const struct telling *telling, pid_t pid, char *text, size_t size)
{
    for (int i = 0; i < telling->family->count; i++) {
        const struct process *task = &telling->family->task[i];
        if (task->pid != pid)
            continue;
        if (pid == telling->first)
            snprintf(text, size, "the first process (pid %d)", (int)pid);
        else if (task->parent == getpid())
            snprintf(text, size, "pid %d (its parent has ended)", (int)pid);
        else
            snprintf(text, size, "pid %d (child of %d)", (int)pid, (int)task->parent);
        return text;
    }
    snprintf(text, size, "pid %d", (int)pid);
    return text;
}

/* Which processes hold an end of this pipe open in the mode MODE (O_RDONLY or O_WRONLY)? */
static void tell_holders(const struct telling *telling, const char *pipe_name, int mode)
{
    int holders = 0;
    dprintf(telling->report, "; its %s end is held by", mode == O_WRONLY ? "write" : "read");
    for (int i = 0; i < telling->family->count; i++) {
        char path[64];
        pid_t pid = telling->family->task[i].pid;
        snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
        DIR *fds = opendir(path);
        if (fds == NULL)
            continue;
        for (struct dirent *entry; (entry = readdir(fds)) != NULL; ) {
            char target[256], info[512];
            unsigned int flags = 0;
            if (!isdigit((unsigned char)entry->d_name[0]) ||
                !target_of(pid, strtoul(entry->d_name, NULL, 10), target, sizeof target) ||
                strcmp(target, pipe_name) != 0)
                continue;
            snprintf(path, sizeof path, "/proc/%d/fdinfo/%.16s", (int)pid, entry->d_name);
            if (!read_proc(path, info, sizeof info) || strstr(info, "flags:") == NULL ||
                sscanf(strstr(info, "flags:"), "flags: %o", &flags) != 1)
                continue;
            if ((flags & O_ACCMODE) == (unsigned)mode)
                dprintf(telling->report, "%s %s%d as descriptor %s", holders++ ? "," : "",
                        pid == telling->first ? "the first process, pid " : "pid ", (int)pid, entry->d_name);
        }
        closedir(fds);
    }
    if (holders == 0)
        dprintf(telling->report, " nobody");
}

/* Which descriptor, where it leads, and who holds the other end if that is a pipe. */
static void tell_descriptor(const struct telling *telling, pid_t pid, unsigned long fd, int other_end)
{
    char target[256];
    bool known = target_of(pid, fd, target, sizeof target);
    dprintf(telling->report, " on descriptor %lu%s%s", fd, known ? ", " : "", known ? target : "");
    if (known && strncmp(target, "pipe:", 5) == 0)
        tell_holders(telling, target, other_end);
}

/* What poll was asked for is in the memory of the process. */
static void tell_polled(const struct telling *telling, pid_t pid, const struct wait *wait)
{
    struct pollfd fds[16];
    size_t count = wait->argument[1] < 16 ? wait->argument[1] : 16;
    struct iovec here = { fds, count * sizeof fds[0] }, there = { (void *)wait->argument[0], count * sizeof fds[0] };
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)here.iov_len)
        return;
    for (size_t i = 0; i < count; i++)
        if (fds[i].fd >= 0) {
            dprintf(telling->report, i > 0 ? ";" : "");
            tell_descriptor(telling, pid, (unsigned long)fds[i].fd, fds[i].events & POLLOUT ? O_RDONLY : O_WRONLY);
        }
}

static bool tell_wait(pid_t pid, pid_t thread, void *context)
{
    const struct telling *telling = context;
    char name[96], path[96], text[512];
    struct wait wait = wait_of(pid, thread);
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    char state = '?';
    if (read_proc(path, text, sizeof text) && strrchr(text, ')') != NULL)
        state = strrchr(text, ')')[2];
    dprintf(telling->report, "wait: %s", who(telling, pid, name, sizeof name));
    if (thread != pid)
        dprintf(telling->report, ", thread %d", (int)thread);
    if (state == 'Z')
        dprintf(telling->report, " has ended, but is not waited for (a zombie)");
    else if (state == 'T')
        dprintf(telling->report, " is stopped");
    else if (wait.call == NULL)
        dprintf(telling->report, state == 'R' ? " is running" : " waits in the kernel");
    else {
        dprintf(telling->report, " waits in %s", wait.call->name);
        if (takes_descriptor(wait.call))
            tell_descriptor(telling, pid, wait.argument[0], wait.call->number == SYS_read || wait.call->number == SYS_readv
                                                            ? O_WRONLY : O_RDONLY);
        if (strcmp(wait.call->name, "poll") == 0 || strcmp(wait.call->name, "ppoll") == 0)
            tell_polled(telling, pid, &wait);
    }
    dprintf(telling->report, "\n");
    return true;
}

void report_waits(int report, const struct family *family, pid_t first)
{
    struct telling telling = { report, family, first };
    for (int i = 0; i < family->count && i < 12; i++)
        each_thread(family->task[i].pid, tell_wait, &telling);
    if (family->count > 12)
        dprintf(report, "wait: and %d processes more\n", family->count - 12);
}

/* ---- names of signals ---- */

static const struct { int number; const char *name; } signals[] = {
    { SIGHUP, "SIGHUP" }, { SIGINT, "SIGINT" }, { SIGQUIT, "SIGQUIT" }, { SIGILL, "SIGILL" },
    { SIGTRAP, "SIGTRAP" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" },
    { SIGKILL, "SIGKILL" }, { SIGUSR1, "SIGUSR1" }, { SIGSEGV, "SIGSEGV" }, { SIGUSR2, "SIGUSR2" },
    { SIGPIPE, "SIGPIPE" }, { SIGALRM, "SIGALRM" }, { SIGTERM, "SIGTERM" }, { SIGCHLD, "SIGCHLD" },
    { SIGCONT, "SIGCONT" }, { SIGSTOP, "SIGSTOP" }, { SIGTSTP, "SIGTSTP" }, { SIGTTIN, "SIGTTIN" },
    { SIGTTOU, "SIGTTOU" }, { SIGXCPU, "SIGXCPU" }, { SIGXFSZ, "SIGXFSZ" }, { SIGSYS, "SIGSYS" },
    { SIGVTALRM, "SIGVTALRM" }, { SIGPROF, "SIGPROF" }, { SIGIO, "SIGIO" }, { SIGURG, "SIGURG" },
};

const char *signal_name(int number)
{
    static char other[24];
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (signals[i].number == number)
            return signals[i].name;
    snprintf(other, sizeof other, "signal %d", number);
    return other;
}

int signal_number(const char *name)
{
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    return 0;
}
