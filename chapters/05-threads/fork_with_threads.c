/* fork_with_threads.c - fork copies the memory, but only one thread: a lock stays locked for ever.
   Python: os.fork() beside threads (a warning since 3.12); start methods spawn and forkserver
   Calls:  fork(2), pthread_mutex_trylock(3), execl(3)
   Needs:  thread, names, shared_or_copied, 03-exec/exec
   Try:    In fork_to_try(), write pthread_mutex_lock for pthread_mutex_trylock: the second child waits
           for a thread that it does not have. The program hangs. (End it with Ctrl-C.) */
#include "workbook.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A mutex is a lock: one thread at a time can have it, others wait. Chapter 06 is about it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int locked[2], let_go[2];        /* pipes: from the helper to main, from main to the helper */

static void *hold_lock(void *argument)
{
    char byte;
    check_pthread(pthread_setname_np(pthread_self(), "helper"));
    check_pthread(pthread_mutex_lock(&lock));
    check(write_full(locked[1], "l", 1));
    check(read_full(let_go[0], &byte, 1));
    check_pthread(pthread_mutex_unlock(&lock));
    return argument;
}

/* How many threads with the name NAME has the process PID? Each has a folder in /proc/PID/task. */
static int count_threads(pid_t pid, const char *name)
{
    char path[300], line[32];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = check_ptr(opendir(path));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", (int)pid, entry->d_name);
        FILE *file = check_ptr(fopen(path, "r"));
        if (fgets(line, sizeof line, file) != NULL && strcspn(line, "\n") == strlen(name))
            count += strncmp(line, name, strlen(name)) == 0;
        if (fclose(file) == EOF)
            die("fclose %s: %s", path, errno_name(errno));
    }
    check(closedir(folder));
    return count;
}

/* A child that waits for a byte, then tries the lock once. Between fork and _exit it makes simple
   calls only: malloc or printf may need a lock that another thread had at the moment of fork. */
static pid_t fork_to_try(const int *go)
{
    pid_t parent = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        char byte;
        check(end_with_parent(parent));
        check(read_full(go[0], &byte, 1));
        _exit(pthread_mutex_trylock(&lock));    /* 0, or EBUSY: another thread has it. It never waits. */
    }
    return pid;
}

static int exit_status_of(pid_t pid, int which)
{
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("child %d was killed by signal %d", which, WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int try_lock(pid_t pid, int which, const int *go)
{
    check(write_full(go[1], "g", 1));
    int code = exit_status_of(pid, which);
    if (code != 0 && code != EBUSY)
        die("child %d ended with exit status %d", which, code);
    return code;
}

static void exec_at_once(void)
{
    pid_t parent = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(parent));
        check(execl("/bin/sh", "sh", "-c",
                    "echo 'third child: a fresh program, no lock of ours'", (char *)NULL));
    }
    int code = exit_status_of(pid, 3);
    if (code != 0)
        die("child 3 ended with exit status %d", code);
}

int main(void)
{
    pthread_t helper;
    char byte;
    int go[2][2];
    check(pipe(locked));
    check(pipe(let_go));
    check(pipe(go[0]));
    check(pipe(go[1]));

    pid_t before = fork_to_try(go[0]);
    check_pthread(pthread_create(&helper, NULL, hold_lock, NULL));
    check(read_full(locked[0], &byte, 1));      /* from here on, the helper has the lock */
    pid_t beside = fork_to_try(go[1]);
    say("helper threads: main %d, first child %d, second child %d", count_threads(getpid(), "helper"),
        count_threads(before, "helper"), count_threads(beside, "helper"));
    exec_at_once();

    check(write_full(let_go[1], "l", 1));
    check_pthread(pthread_join(helper, NULL));
    check_pthread(pthread_mutex_trylock(&lock));
    check_pthread(pthread_mutex_unlock(&lock));
    say("main: the helper has unlocked the lock and ended");
    if (try_lock(before, 1, go[0]) == 0)
        say("first child, forked before the thread was made: gets the lock");
    if (try_lock(beside, 2, go[1]) == EBUSY)
        say("WRONG: second child, forked beside the thread: its copy is locked for ever: EBUSY");
    for (int i = 0; i < 2; i++) {
        check(close(locked[i]));
        check(close(let_go[i]));
        check(close(go[0][i]));
        check(close(go[1][i]));
    }
}

/* Output:
helper threads: main 1, first child 0, second child 0
third child: a fresh program, no lock of ours
main: the helper has unlocked the lock and ended
first child, forked before the thread was made: gets the lock
WRONG: second child, forked beside the thread: its copy is locked for ever: EBUSY
*/
