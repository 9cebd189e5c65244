#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int state_of(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return errno == ENOENT ? 0 : -1;
    ssize_t count = read_full(fd, text, sizeof text - 1);
    int error = errno;
    if (close(fd) == -1)
        return -1;
    if (count == -1) {
        errno = error;
        return error == ESRCH ? 0 : -1;     /* it ended between open and read */
    }
    text[count] = '\0';
    /* "1234 (name) S ...": the name may hold spaces and brackets, so look for the last one */
    const char *bracket = strrchr(text, ')');
    if (bracket == NULL || bracket[1] == '\0') {
        errno = EPROTO;
        return -1;
    }
    return bracket[2];
}

/* Sleeps for MS ms, whatever signals come. */
static void rest(long ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

static long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int wait_for_state(pid_t pid, int state, int limit_ms)
{
    long end = now_ms() + limit_ms;
    for (;;) {
        int found = state_of(pid);
        if (found == -1 || found == state)
            return found == -1 ? -1 : 0;
        if (now_ms() >= end) {
            errno = ETIMEDOUT;
            return -1;
        }
        rest(1);                /* not for an order: only so that asking again costs little */
    }
}

void work_ticks(int n)
{
    long tick_ms = 1;
    const char *text = getenv("WORKBOOK_TICK_MS");
    if (text != NULL && parse_number(text, 0, 10000, &tick_ms) == -1)
        die("WORKBOOK_TICK_MS=%s: a tick is a number of ms from 0 to 10000", text);
    rest(n * tick_ms);
}

int wait_semaphore(sem_t *semaphore)
{
    while (sem_wait(semaphore) == -1)
        if (errno != EINTR)
            return -1;
    return 0;
}
