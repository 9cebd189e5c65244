/* workers.c - what pipes and files may do, but seldom do. Preloaded into an answer by workers.bash.
     WORKERS_SHORT=first     a read of a pipe by the first process gets 3 bytes at most. (Not in the workers: on Linux a read
                             of a small record from a pipe that several of them share gets all of it or nothing.)
     WORKERS_SHORT=files     a read or write of a file takes only half of the bytes, and 1000 at most
     WORKERS_PIPES=small     a pipe holds one page, as when its user has many pipes: pipe(7), "Pipe capacity"
     WORKERS_FILES=N         a process has at most N descriptors */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) __extension__({ static __typeof__(&name) real; \
    if (real == NULL) { void *found = dlsym(RTLD_NEXT, #name); memcpy(&real, &found, sizeof real); } \
    real; })

static bool short_first, short_files, small_pipes;
static pid_t first;

__attribute__((constructor))
static void begin(void)
{
    const char *text = getenv("WORKERS_SHORT");
    short_first = text != NULL && strcmp(text, "first") == 0;
    short_files = text != NULL && strcmp(text, "files") == 0;
    small_pipes = getenv("WORKERS_PIPES") != NULL;
    first = getpid();
    if ((text = getenv("WORKERS_FILES")) != NULL) {
        rlim_t most = strtoul(text, NULL, 10);
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){ most, most });
    }
}

/* Not the standard files; and what is appended, such as a log, must be whole lines. */
static bool is_file(int fd)
{
    struct stat info;
    return fd > 2 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && !(fcntl(fd, F_GETFL) & O_APPEND);
}

static bool is_pipe(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode));
}

static size_t less(size_t size) { return size > 2000 ? 1000 : (size + 1) / 2; }

ssize_t read(int fd, void *buffer, size_t size)
{
    if (short_first && size > 3 && getpid() == first && is_pipe(fd))
        size = 3;
    if (short_files && is_file(fd))
        size = less(size);
    return REAL(read)(fd, buffer, size);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    if (short_files && is_file(fd))
        size = less(size);
    return REAL(write)(fd, buffer, size);
}

static int made(int result, const int ends[2])
{
    if (result == 0 && small_pipes)
        fcntl(ends[1], F_SETPIPE_SZ, 4096);
    return result;
}

int pipe(int ends[2]) { return made(REAL(pipe)(ends), ends); }
int pipe2(int ends[2], int flags) { return made(REAL(pipe2)(ends, flags), ends); }
