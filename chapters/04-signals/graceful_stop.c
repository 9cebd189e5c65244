/* graceful_stop.c - SIGTERM or SIGINT: take no more jobs, finish what was begun, clean up, end.
   A second one ends at once. The servers of chapter 11 have this form.
   Python: KeyboardInterrupt; signal.signal(signal.SIGTERM, ...)
   Calls:  sigprocmask(2), signalfd(2), poll(2), alarm(2)
   Needs:  02-process/terminate, mask, self_pipe, alarm_and_timer
   Try:    build/graceful_stop serve   x and Enter begin a job, a dot and Enter finish it. Press
           Ctrl-C during a job: once, then the dot; once, and no dot for 5 s; twice. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the server: its jobs come from standard input ---- */

enum { LIMIT_S = 5 };                   /* how long the job may take after a stop */

/* From now on these three do nothing, but can be read from the descriptor. */
static int open_signals(void)
{
    static const int numbers[3] = { SIGTERM, SIGINT, SIGALRM };
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t set;
    sigemptyset(&set);
    sigemptyset(&usual.sa_mask);
    for (int i = 0; i < 3; i++)
        sigaddset(&set, numbers[i]);
    check(sigprocmask(SIG_BLOCK, &set, NULL));
    for (int i = 0; i < 3; i++)
        check(sigaction(numbers[i], &usual, NULL));     /* whoever started us may ignore them */
    return check(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

/* The number of the next signal that has come, or 0. */
static int next_signal(int signals)
{
    struct signalfd_siginfo info;
    return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

/* From now on SIGTERM and SIGINT do what they do by default. */
static void let_signals_end_us(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    check(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

/* Any byte begins a job, a dot ends it. Returns 0 if each job that was begun has been finished. */
static int serve(void)
{
    int signals = open_signals();       /* first of all: from here on nobody can end it halfway */
    bool stopping = false, job = false, given_up = false;   /* job: one is begun and not finished */
    while (!given_up && (job || !stopping)) {
        struct pollfd fds[2] = { { .fd = signals, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
        int ready = poll(fds, 2, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        for (int number; (number = next_signal(signals)) != 0; ) {
            if (number == SIGALRM) {
                given_up = stopping;    /* before a stop, it is a stranger's */
                continue;
            }
            stopping = true;
            say("server: shall stop; a job is %s", job ? "not finished yet" : "not there");
            let_signals_end_us();       /* if a second one is there already, it ends us now */
            alarm(LIMIT_S);
        }
        if (fds[1].revents != 0 && (job || !stopping)) {
            char byte;
            if (check(read_full(STDIN_FILENO, &byte, 1)) == 0) {
                stopping = true;        /* end of file: nothing more will come */
                given_up = job;
            } else if (!job && byte != '\n' && byte != '.') {
                job = true;
                say("server: a job begins");
            } else if (job && byte == '.') {
                job = false;
                say("server: a job is finished");
            }
        }
    }
    check(close(signals));             /* whatever must not stay: here only this */
    say("server: %s", given_up ? "a job is given up" : "all is finished and cleaned up");
    return given_up;
}

/* ---- the play: main gives a job, sends the signals, and hears all that the server says ---- */

/* Repeats the server's next line, which must be WANTED. */
static void hear(FILE *said, const char *wanted)
{
    char line[100];
    if (fgets(line, sizeof line, said) == NULL)
        die("the server has ended too early");
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, wanted) != 0)
        die("not wanted: %s", line);
    say("%s", line);
}

/* Stops a server in the middle of a job: by SIGTERM, and perhaps by a second signal, SIGINT. */
static void play(bool twice)
{
    pid_t main_pid = getpid();
    int jobs[2], lines[2];
    check(pipe(jobs));                  /* main keeps both ends: so its write never finds nobody */
    check(pipe(lines));
    pid_t server = check(fork());
    if (server == 0) {
        check(end_with_parent(main_pid));
        check(close(jobs[1]));
        check(close(lines[0]));
        check(dup2(jobs[0], STDIN_FILENO));
        check(dup2(lines[1], STDOUT_FILENO));
        _exit(serve());
    }
    check(close(lines[1]));
    FILE *said = check_ptr(fdopen(lines[0], "r"));
    check(write_full(jobs[1], "x", 1));
    hear(said, "server: a job begins");
    check(kill(server, SIGTERM));
    hear(said, "server: shall stop; a job is not finished yet");
    if (twice)
        check(kill(server, SIGINT));
    else {
        check(write_full(jobs[1], ".y", 2));            /* the job's end; the next one comes too late */
        hear(said, "server: a job is finished");
        hear(said, "server: all is finished and cleaned up");
    }
    int status = check(wait_child(server));
    if (twice ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGINT : status != 0)
        die("the server ended with wait status %d", status);
    say("main: the server ended %s", twice ? "by SIGINT" : "with exit status 0");
    check(fclose(said));
    check(close(jobs[0]));
    check(close(jobs[1]));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    if (argc > 1)
        usage("graceful_stop [serve]");
    play(false);
    play(true);
}

/* Output:
server: a job begins
server: shall stop; a job is not finished yet
server: a job is finished
server: all is finished and cleaned up
main: the server ended with exit status 0
server: a job begins
server: shall stop; a job is not finished yet
main: the server ended by SIGINT
*/
