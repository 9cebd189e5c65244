/* graceful_stop.c - SIGTERM or SIGINT: take no more jobs, finish what was begun, clean up, end.
   A second one ends at once. All servers of the book have this form.
   Python: KeyboardInterrupt; signal.signal(signal.SIGTERM, ...)
   Calls:  sigaction(2) with sa_mask, raise(3), poll(2) with a limit
   Needs:  02-process/terminate, 03-exec/redirect, handler, mask, sigchld, self_pipe
   Try:    build/graceful_stop serve   x and Enter begin a job, a dot and Enter finish it. Press
           Ctrl-C during a job: once, then the dot; once, and no dot for 5 s; twice. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the server: its jobs come from standard input ---- */

enum { LIMIT_MS = 5000 };               /* how long a job may take after a stop */

static volatile sig_atomic_t wake_fd, stop_asked;

static void on_chld(int signal)
{
    (void)signal;
    int saved = errno;
    if (write(wake_fd, "!", 1) == -1 && errno != EAGAIN)
        _exit(1);
    errno = saved;
}

/* For SIGTERM and SIGINT. The second one gets its default action back, and is sent again: so whoever
   waits for this process sees that a signal has ended it. */
static void on_stop(int number)
{
    if (stop_asked) {
        struct sigaction end = { .sa_handler = SIG_DFL };
        if (sigaction(number, &end, NULL) == -1 || raise(number) != 0)
            _exit(1);
        return;                         /* blocked while this handler runs; it comes now */
    }
    stop_asked = 1;
    on_chld(number);                    /* wakes poll, too */
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigfillset(&action.sa_mask);        /* no handler in the middle of another one */
    check(sigaction(number, &action, NULL));
}

/* A job is read to its end, a dot. */
static void do_job(void)
{
    char byte = 0;
    say("worker: begins");
    while (byte != '.' && check(read_full(STDIN_FILENO, &byte, 1)) == 1)
        ;
    say("worker: has finished");
}

/* The worker must not run the server's handlers: all is blocked until it has made its own choice. */
static pid_t start_worker(void)
{
    sigset_t all, before;
    sigfillset(&all);
    check(sigprocmask(SIG_BLOCK, &all, &before));
    pid_t server = getpid(), worker = check(fork());
    if (worker == 0) {
        check(end_with_parent(server));
        handle(SIGCHLD, SIG_DFL);
        handle(SIGTERM, SIG_DFL);
        handle(SIGINT, SIG_IGN);        /* Ctrl-C goes to all; only the server decides */
        check(sigprocmask(SIG_SETMASK, &before, NULL));
        do_job();
        _exit(0);
    }
    check(sigprocmask(SIG_SETMASK, &before, NULL));
    return worker;
}

static int serve(void)
{
    int wake[2], status, failed = 0;
    pid_t worker = 0;                   /* the child that does a job, or 0 */
    bool stopping = false;
    char byte;
    check(pipe2(wake, O_CLOEXEC | O_NONBLOCK));
    wake_fd = wake[1];
    handle(SIGCHLD, on_chld);           /* first of all: from here on nobody can end it halfway */
    handle(SIGTERM, on_stop);
    handle(SIGINT, on_stop);
    while (!stopping || worker != 0) {
        struct pollfd fds[2] = {
            { .fd = wake[0], .events = POLLIN },
            { .fd = stopping || worker != 0 ? -1 : STDIN_FILENO, .events = POLLIN },   /* -1: not now */
        };
        int ready = poll(fds, 2, stopping ? LIMIT_MS : -1);
        if (ready == -1 && errno == EINTR)
            continue;                   /* the handler has written: the next poll returns */
        if (check(ready) == 0)
            check(kill(worker, SIGKILL));               /* not reaped yet, so the pid is ours */
        while (fds[0].revents != 0 && read(wake[0], &byte, 1) > 0)
            ;                           /* until it is empty: EAGAIN */
        if (stop_asked && !stopping) {
            stopping = true;
            say("server: shall stop; a job is %s", worker != 0 ? "not finished yet" : "not there");
        }
        if (worker != 0 && check(waitpid(worker, &status, WNOHANG)) == worker) {
            worker = 0;
            if (status != 0) {
                failed = 1;
                say("server: the worker ended with wait status %d", status);
            }
        }
        if (fds[1].revents != 0 && !stopping) {
            if (check(read_full(STDIN_FILENO, &byte, 1)) == 0)
                stopping = true;        /* end of file: no more jobs */
            else if (byte != '\n')
                worker = start_worker();
        }
    }
    say("server: all is finished and cleaned up");
    return failed;                      /* the pipe stays open: until the very end a handler may write to it */
}

/* ---- the play: main gives a job, sends the signals, and hears all that the server says ---- */

/* Repeats the next line of the server or its worker. It must be the line WANTED. */
static void hear(int from, const char *wanted)
{
    char line[100];
    size_t length = 0;
    while (length + 1 < sizeof line && check(read_full(from, &line[length], 1)) == 1 && line[length] != '\n')
        length++;
    line[length] = '\0';                /* end of file gives an empty line */
    if (length == 0)
        die("the server has ended too early");
    if (strcmp(line, wanted) != 0)
        die("not wanted: %s", line);
    say("%s", line);
}

/* Stops a server in the middle of a job: by SIGTERM, and perhaps by a second signal, SIGINT. */
static void play(bool twice)
{
    pid_t parent = getpid();
    int jobs[2], said[2], status;
    check(pipe(jobs));                  /* main keeps both ends: so its write never finds nobody */
    check(pipe(said));
    pid_t server = check(fork());
    if (server == 0) {
        check(end_with_parent(parent));
        check(dup2(jobs[0], STDIN_FILENO));
        check(dup2(said[1], STDOUT_FILENO));
        for (int i = 0; i < 2; i++) {
            check(close(jobs[i]));
            check(close(said[i]));
        }
        _exit(serve());
    }
    check(close(said[1]));
    check(write_full(jobs[1], "x", 1));
    hear(said[0], "worker: begins");
    check(kill(server, SIGTERM));
    hear(said[0], "server: shall stop; a job is not finished yet");
    if (twice)
        check(kill(server, SIGINT));
    else {
        check(write_full(jobs[1], ".y", 2));            /* the job's end; the next one comes too late */
        hear(said[0], "worker: has finished");
        hear(said[0], "server: all is finished and cleaned up");
    }
    check(waitpid(server, &status, 0));
    if (twice ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGINT : status != 0)
        die("the server ended with wait status %d", status);
    if (twice)
        check(waitpid(-1, &status, 0));                 /* the worker: it has become our child */
    say("main: the server ended %s", twice ? "by SIGINT, and its worker with it" : "with exit status 0");
    check(close(said[0]));
    check(close(jobs[0]));
    check(close(jobs[1]));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();
    if (argc > 1)
        usage("graceful_stop [serve]");
    check(prctl(PR_SET_CHILD_SUBREAPER, 1));
    play(false);
    play(true);
}

/* Output:
worker: begins
server: shall stop; a job is not finished yet
worker: has finished
server: all is finished and cleaned up
main: the server ended with exit status 0
worker: begins
server: shall stop; a job is not finished yet
main: the server ended by SIGINT, and its worker with it
*/
