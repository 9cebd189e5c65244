/* wrong output | _exit */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define USAGE "supervisor WORKER...   (1 to 20 workers; each is 0 to 9, 0k to 9k, or w)"

enum { MAX_WORKERS = 20, MAX_STARTS = 4 };      /* the first start, and at most 3 more */

/* ---- Given: the workers. Do not change this part. ---- */

static struct {
    long failures;              /* this many starts fail */
    bool killed;                /* a failing start is killed by SIGKILL, not ended by an exit status */
    bool waits;                 /* "w": does not fail, but waits for all the others */
} jobs[MAX_WORKERS];

static int gate[2];             /* a pipe: a byte comes when all the others are at their last start */
static atomic_int *others;      /* how many of the others are not yet that far */

/* The work of one worker: NUMBER is 1 for the first worker, ATTEMPT is 1 for its first start, 2 for
   its second ... Call it in the child. It returns the exit status that the child must end with:
   0 for success, 10 * NUMBER + ATTEMPT for a failure. Or it does not return: killed by SIGKILL. */
static int worker(int number, int attempt)
{
    if (jobs[number - 1].waits) {
        struct pollfd end = { .fd = gate[0], .events = POLLIN };
        check(close(gate[1]));  /* so that we see end of file when the supervisor is gone */
        while (poll(&end, 1, -1) == -1)
            if (errno != EINTR)
                die("worker %d: poll failed: %s", number, errno_name(errno));
        return end.revents & POLLIN ? 0 : 10 * number + attempt;
    }
    bool fails = attempt <= jobs[number - 1].failures;
    bool last = !fails || attempt == MAX_STARTS;
    if (last && atomic_fetch_sub(others, 1) == 1)
        check(write_full(gate[1], "", 1));
    if (fails && jobs[number - 1].killed)
        check(kill(getpid(), SIGKILL));
    return fails ? 10 * number + attempt : 0;
}

static void read_arguments(int count, char **words)
{
    if (count < 1 || count > MAX_WORKERS)
        usage(USAGE);
    others = check_ptr(share(sizeof *others));
    for (int i = 0; i < count; i++) {
        const char *word = words[i];
        jobs[i].waits = strcmp(word, "w") == 0;
        if (jobs[i].waits)
            continue;
        jobs[i].killed = word[0] != '\0' && strcmp(word + 1, "k") == 0;
        char digit[2] = { word[0], '\0' };
        if (parse_number(jobs[i].killed ? digit : word, 0, 9, &jobs[i].failures) == -1)
            usage(USAGE);
        atomic_fetch_add(others, 1);
    }
    check(pipe(gate));
    if (*others == 0)
        check(write_full(gate[1], "", 1));
}

struct worker {
    pid_t pid;
    int starts;
    int status;
};

static void start(struct worker *workers, int i)
{
    workers[i].starts++;
    workers[i].pid = check(fork());
    if (workers[i].pid == 0)
        worker(i + 1, workers[i].starts);
}

static bool is_success(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int supervise(int count)
{
    struct worker workers[MAX_WORKERS] = { { 0 } };
    for (int i = 0; i < count; i++)
        start(workers, i);

    for (int running = count; running > 0; ) {
        int status;
        pid_t pid = check(waitpid(-1, &status, 0));
        int i = 0;
        while (i < count && workers[i].pid != pid)
            i++;
        if (i == count)
            continue;
        workers[i].status = status;
        if (!is_success(status) && workers[i].starts < MAX_STARTS) {
            start(workers, i);
        } else {
            workers[i].pid = 0;
            running--;
        }
    }

    int failed = 0;
    for (int i = 0; i < count; i++) {
        int status = workers[i].status;
        if (is_success(status)) {
            say("worker %d: done, starts %d", i + 1, workers[i].starts);
            continue;
        }
        failed = 1;
        if (WIFSIGNALED(status))
            say("worker %d: gave up, starts %d, killed by signal %d", i + 1, workers[i].starts,
                WTERMSIG(status));
        else
            say("worker %d: gave up, starts %d, exit status %d", i + 1, workers[i].starts,
                WEXITSTATUS(status));
    }
    return failed;
}

int main(int argc, char **argv)
{
    read_arguments(argc - 1, argv + 1);
    int status = supervise(argc - 1);
    check(close(gate[0]));
    check(close(gate[1]));
    return status;
}
