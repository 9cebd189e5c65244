/* interrupt.c - Ctrl-C while a pool works: one message, and no worker stays.
   Python: try: result.get()  except KeyboardInterrupt: pool.terminate()
   Calls:  the part pool.h; sigaction(2), setpgid(2), pipe2(2)
   Needs:  04-signals/self_pipe, 04-signals/process_group, 04-signals/graceful_stop, shutdown
   Try:    build/interrupt by_hand    Press Ctrl-C. Or, in another terminal, kill -9 the first
           process: where are its workers? */
#include "workbook.h"

#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3 };

static volatile sig_atomic_t wake_fd, stop_asked;

static void on_int(int number)
{
    if (stop_asked) {               /* the second one ends at once, as in graceful_stop.c */
        struct sigaction end = { .sa_handler = SIG_DFL };
        if (sigaction(number, &end, NULL) == -1 || raise(number) != 0)
            _exit(1);
        return;
    }
    stop_asked = 1;
    int saved = errno;
    if (write(wake_fd, "!", 1) == -1)
        _exit(1);
    errno = saved;
}

/* A task: says that it has begun, and waits for ever. */
static int wait_for_ever(const void *message, size_t size, struct reply *reply)
{
    (void)size;
    (void)reply;
    check(write_full(*(const int *)message, "b", 1));
    return pause();
}

/* The program that is interrupted. Its tasks write to REPORT. */
static int work(int report)
{
    int wake[2], items[WORKERS] = { report, report, report };
    struct sigaction action = { .sa_handler = on_int };
    sigemptyset(&action.sa_mask);
    check(pipe2(wake, O_CLOEXEC));
    wake_fd = wake[1];

    struct pool *pool = check_ptr(pool_open(WORKERS, NULL, NULL));
    pool_stop_on(pool, wake[0]);                /* each wait ends when the handler has written */
    struct async *tasks =
        check_ptr(pool_imap_unordered(pool, wait_for_ever, items, WORKERS, sizeof items[0], 1));
    check(sigaction(SIGINT, &action, NULL));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    check(sigprocmask(SIG_UNBLOCK, &set, NULL));        /* whoever started us may have blocked it */
    check(write_full(report, "r", 1));
    const struct result *result = async_next(tasks, -1);
    if (result != NULL || errno != EINTR)
        die("a task has ended: %s", result != NULL ? (const char *)result->bytes : pool_error());
    say("interrupted: ending %d workers", WORKERS);
    pool_free(pool);
    async_free(tasks);
    check(close(wake[0]));
    check(close(wake[1]));
    if (waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD)
        say("no worker is left");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "by_hand") == 0)
        return work(check(open("/dev/null", O_WRONLY)));
    if (argc > 1)
        usage("interrupt [by_hand]");
    int report[2];
    char bytes[WORKERS + 1];
    check(pipe(report));
    pid_t me = getpid(), pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(me));
        check(close(report[0]));
        check(setpgid(0, 0));       /* a group of its own, as a shell would give it */
        _exit(work(report[1]));
    }
    check(close(report[1]));
    bool begun = check(read_full(report[0], bytes, sizeof bytes)) == sizeof bytes;
    if (begun) {                    /* end of file would mean: all of them have ended */
        say("main: all tasks have begun; Ctrl-C");
        check(kill(-pid, SIGINT));  /* a terminal sends it to the whole group: workers, too */
    }
    int status = check(wait_child(pid));
    check(close(report[0]));
    if (status != 0 || !begun)
        die("the program ended with wait status %d", status);
    say("main: the program has ended");
}

/* Output:
main: all tasks have begun; Ctrl-C
interrupted: ending 3 workers
no worker is left
main: the program has ended
*/
