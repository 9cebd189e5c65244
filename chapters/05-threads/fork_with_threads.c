/* fork_with_threads.c - fork copies the memory, but only one thread: a lock stays locked for ever.
   Python: os.fork() beside threads (a warning since 3.12); start methods spawn and forkserver
   Calls:  fork(2), pthread_mutex_trylock(3), execl(3)
   Needs:  thread, shared_or_copied, 01-fork/states, 03-exec/exec, 04-signals/alarm_and_timer
   Try:    Run `build/fork_with_threads plain`: there is no lock of ours, and nothing is forced. With
           glibc, sooner or later a child waits for a lock of the C library. */
#include "workbook.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A mutex is a lock: one thread at a time can have it, others wait. Chapter 06 is about it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int locked[2], unlock[2], go[2];         /* pipes: a byte says what the name says */

static void *hold_lock(void *argument)
{
    char byte;
    check_pthread(pthread_mutex_lock(&lock));
    check(write_full(locked[1], "l", 1));
    check(read_full(unlock[0], &byte, 1));
    check_pthread(pthread_mutex_unlock(&lock));
    return argument;
}

/* How many threads has the process PID? Each one has a folder in /proc/PID/task. */
static int count_threads(pid_t pid)
{
    char path[40];
    struct stat folder;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    check(stat(path, &folder));
    return (int)folder.st_nlink - 2;    /* a link from each folder in it, and two of its own */
}

/* A child that waits for a byte, then tries the lock once. Between fork and _exit it makes simple
   calls only: others may need a lock that another thread had at the moment of fork. */
static pid_t fork_to_try(void)
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

static pid_t fork_and_exec(void)
{
    pid_t parent = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(parent));
        check(execl("/bin/sh", "sh", "-c",
                    "echo 'third child: a fresh program, no lock of ours'", (char *)NULL));
    }
    return pid;
}

/* Waits for the child WHICH: its exit status must be WANTED. */
static void join(int which, pid_t pid, int wanted)
{
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("child %d was killed by signal %d", which, WTERMSIG(status));
    if (WEXITSTATUS(status) != wanted)
        die("child %d ended with exit status %d", which, WEXITSTATUS(status));
}

/* For `plain`: looks harmless, but the C library takes a lock of its own in it. */
static void ask_for_the_date(void)
{
    time_t now = time(NULL);
    struct tm date;
    check_ptr(localtime_r(&now, &date));
}

static void *ask_all_the_time(void *argument)
{
    for (;;)
        ask_for_the_date();
    return argument;
}

/* The mistake as people make it: nothing is forced, and no lock is to be seen. */
static void fork_plainly(void)
{
    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, ask_all_the_time, NULL));
    for (int number = 1; number <= 1000; number++) {
        pid_t pid = check(fork());
        if (pid == 0) {
            alarm(1);           /* without it, the child could wait for ever */
            ask_for_the_date();
            _exit(0);
        }
        int status = check(wait_child(pid));
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            say("WRONG: child %d waits for a lock of the C library, until the alarm ends it", number);
            return;             /* the thread ends with main */
        }
    }
    say("1000 children, and none of them had to wait");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "plain") == 0) {
        fork_plainly();
        return 0;
    }
    if (argc > 1)
        usage("fork_with_threads [plain]");

    pthread_t holder;
    char byte;
    check(pipe(locked));
    check(pipe(unlock));
    check(pipe(go));

    pid_t before = fork_to_try();
    check_pthread(pthread_create(&holder, NULL, hold_lock, NULL));
    check(read_full(locked[0], &byte, 1));      /* from here on, the holder has the lock */
    pid_t beside = fork_to_try();
    say("threads: main %d, first child %d, second child %d", count_threads(getpid()),
        count_threads(before), count_threads(beside));
    join(3, fork_and_exec(), 0);

    check(write_full(unlock[1], "u", 1));
    check_pthread(pthread_join(holder, NULL));
    say("main: the holder has unlocked the lock and ended");
    check(write_full(go[1], "gg", 2));          /* a byte for each child */
    join(1, before, 0);
    say("first child, forked before the thread was made: gets the lock");
    join(2, beside, EBUSY);
    say("WRONG: second child, forked beside the thread: its copy is locked for ever: EBUSY");
    for (int i = 0; i < 2; i++) {
        check(close(locked[i]));
        check(close(unlock[i]));
        check(close(go[i]));
    }
}

/* Output:
threads: main 2, first child 1, second child 1
third child: a fresh program, no lock of ours
main: the holder has unlocked the lock and ended
first child, forked before the thread was made: gets the lock
WRONG: second child, forked beside the thread: its copy is locked for ever: EBUSY
*/
