/* crash | before fork */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_LAPS = 1000 };

static volatile sig_atomic_t pressed, stop_asked;
static int answers[2];

static void on_usr1(int number)
{
    (void)number;
    pressed = 1;
}

static void on_term(int number)
{
    (void)number;
    stop_asked = 1;
}

static void runner(pid_t watch, int laps)
{
    char byte;
    check(close(answers[1]));
    for (int i = 0; i < laps; i++) {
        check(kill(watch, SIGUSR1));
        if (check(read_full(answers[0], &byte, 1)) == 0)
            _exit(1);
    }
    check(kill(watch, SIGTERM));
    check(close(answers[0]));
}

static void stopwatch(int laps)
{
    check(pipe(answers));

    pid_t watch = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        runner(watch, laps);
        _exit(0);
    }
    check(close(answers[0]));
    struct sigaction usr1 = { .sa_handler = on_usr1 }, term = { .sa_handler = on_term };
    sigemptyset(&usr1.sa_mask);
    sigemptyset(&term.sa_mask);
    check(sigaction(SIGUSR1, &usr1, NULL));
    check(sigaction(SIGTERM, &term, NULL));

    sigset_t none;
    sigemptyset(&none);
    int total = 0;
    while (!stop_asked) {
        sigsuspend(&none);
        if (pressed) {
            pressed = 0;
            say("lap %d", ++total);
            check(write(answers[1], "x", 1));
        }
    }
    say("total %d", total);
    check(close(answers[1]));
    check(wait_child(pid));
}

int main(int argc, char **argv)
{
    long laps;
    if (argc != 2 || parse_number(argv[1], 0, MAX_LAPS, &laps) == -1)
        usage("stopwatch LAPS   (LAPS: 0 to 1000)");

    stopwatch((int)laps);
    return 0;
}
