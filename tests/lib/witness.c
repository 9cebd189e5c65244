/* witness.c - linked into a program under judgement: writes down who forked, reaped and
   signalled whom, and can make one call fail on purpose. It stands between the program and
   the C library by having functions of the same names, which call the real ones.
     WORKBOOK_EVENTS=FILE   one line an event: start PID · fork PARENT CHILD · wait PARENT CHILD STATUS
                            kill CALLER TARGET SIGNAL ok|reaped|error · exit PID CODE · failed PID CALL
     WORKBOOK_FAIL=CALL:N   the Nth call of CALL in the whole family of processes fails
   The file is mapped into memory, so that the events of all processes stand in one order. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1 << 20, MOST_REAPED = 4096 };

struct log {                    /* shared by every process of the family */
    atomic_size_t used;
    atomic_long calls;          /* of the call that is to fail */
    char text[];
};
static struct log *events;
static char fail_call[32];
static int fail_number;
static pid_t reaped[MOST_REAPED];   /* what this process has reaped, so that it must not signal it */
static atomic_int reaped_count;

/* The C library's own function of this name. ISO C has no cast from void * to a function. */
#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })

__attribute__((format(printf, 1, 2)))
static void note(const char *format, ...)
{
    char line[128];
    if (events == NULL)
        return;
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t at = atomic_fetch_add(&events->used, (size_t)length);
    if (at + (size_t)length < SIZE - sizeof(struct log))
        memcpy(events->text + at, line, (size_t)length);
    errno = error;
}

__attribute__((constructor))
static void open_log(void)
{
    const char *path = getenv("WORKBOOK_EVENTS"), *wanted = getenv("WORKBOOK_FAIL");
    int fd = path != NULL ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd == -1)
        return;
    void *memory = REAL(mmap)(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return;
    events = memory;
    if (wanted != NULL && sscanf(wanted, "%31[a-z_0-9]:%d", fail_call, &fail_number) != 2)
        fail_call[0] = '\0';
    note("start %d\n", (int)getpid());
}

/* Shall this call of CALL fail? Counts only the call it is about. */
static int shall_fail(const char *call)
{
    if (events == NULL || strcmp(call, fail_call) != 0 || atomic_fetch_add(&events->calls, 1) + 1 != fail_number)
        return 0;
    note("failed %d %s\n", (int)getpid(), call);
    return 1;
}

pid_t fork(void)
{
    if (shall_fail("fork")) {
        errno = EAGAIN;
        return -1;
    }
    pid_t parent = getpid();
    pid_t pid = REAL(fork)();
    if (pid == 0)
        atomic_store(&reaped_count, 0);     /* the parent reaped those, not we */
    if (pid <= 0)
        return pid;
    int count = atomic_load(&reaped_count);
    for (int i = 0; i < count && i < MOST_REAPED; i++)
        if (reaped[i] == pid)
            reaped[i] = 0;                  /* the number is in use again */
    note("fork %d %d\n", (int)parent, (int)pid);
    return pid;
}

static void note_wait(pid_t pid, int status)
{
    int at = atomic_fetch_add(&reaped_count, 1);
    if (at < MOST_REAPED)
        reaped[at] = pid;
    note("wait %d %d %d\n", (int)getpid(), (int)pid, status);
}

static int ended(int status) { return WIFEXITED(status) || WIFSIGNALED(status); }

pid_t waitpid(pid_t pid, int *status, int options)
{
    int own = 0;
    pid_t result = REAL(waitpid)(pid, &own, options);
    if (result > 0 && ended(own))
        note_wait(result, own);
    if (status != NULL)
        *status = own;
    return result;
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    int own = 0;
    pid_t result = REAL(wait4)(pid, &own, options, usage);
    if (result > 0 && ended(own))
        note_wait(result, own);
    if (status != NULL)
        *status = own;
    return result;
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
    return wait4(-1, status, options, usage);
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    siginfo_t own;
    memset(&own, 0, sizeof own);
    int result = REAL(waitid)(type, id, &own, options);
    if (result == 0 && own.si_pid != 0 && !(options & WNOWAIT)) {
        if (own.si_code == CLD_EXITED)
            note_wait(own.si_pid, own.si_status << 8);
        else if (own.si_code == CLD_KILLED || own.si_code == CLD_DUMPED)
            note_wait(own.si_pid, own.si_status);
    }
    if (info != NULL)
        *info = own;
    return result;
}

int kill(pid_t pid, int number)
{
    const char *result = "ok";
    int count = atomic_load(&reaped_count);
    for (int i = 0; pid > 0 && i < count && i < MOST_REAPED; i++)
        if (reaped[i] == pid)
            result = "reaped";
    /* written down first: the signal may end ourselves */
    note("kill %d %d %d %s\n", (int)getpid(), (int)pid, number, result);
    return REAL(kill)(pid, number);
}

int killpg(pid_t group, int number)
{
    return kill(-group, number);
}

void _exit(int code)
{
    note("exit %d %d\n", (int)getpid(), code & 255);
    syscall(SYS_exit_group, code);
    abort();                    /* not reached */
}

void exit(int code)
{
    note("exit %d %d\n", (int)getpid(), code & 255);
    REAL(exit)(code);
    abort();                    /* not reached */
}

/* ---- calls that can be made to fail ---- */

int pipe(int ends[2])
{
    if (shall_fail("pipe")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(pipe)(ends);
}

int pipe2(int ends[2], int flags)
{
    if (shall_fail("pipe")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(pipe2)(ends, flags);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (shall_fail("open")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(open)(path, flags, mode);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (shall_fail("mmap")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return REAL(mmap)(address, size, protection, flags, fd, offset);
}
