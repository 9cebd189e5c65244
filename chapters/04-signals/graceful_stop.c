/* graceful_stop.c - SIGTERM or SIGINT: take no more work, finish what was begun, clean up, end.
   A second one ends at once. All servers of the book have this form.
   Python: KeyboardInterrupt; signal.signal(signal.SIGTERM, ...)
   Calls:  sigaction(2) with sa_mask, raise(3), poll(2) with a limit
   Needs:  02-process/terminate, handler, mask, sigchld, self_pipe
   Try:    build/graceful_stop serve   Type x and Enter: a job of 2 s. Press Ctrl-C during the job:
           once; the next time, twice. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 5000 };               /* how long a job may take after a stop */

struct server {
    pid_t parent;
    int jobs[2];                        /* each byte is a job */
    int tell[2], finish[2];             /* main hears what happens, and lets a job finish */
    bool by_hand;                       /* no main: jobs come from standard input */
    pid_t worker;                       /* the child that does a job, or 0 */
    int failed;
};

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
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGCHLD);        /* no handler in the middle of another one */
    sigaddset(&action.sa_mask, SIGTERM);
    sigaddset(&action.sa_mask, SIGINT);
    check(sigaction(number, &action, NULL));
}

static void tell_main(const struct server *self, const char *what)
{
    if (!self->by_hand)
        check(write_full(self->tell[1], what, 1));
}

/* The worker must not run the server's handlers: all is blocked until it has made its own choice. */
static void start_worker(struct server *self)
{
    sigset_t all, before;
    char byte;
    sigfillset(&all);
    check(sigprocmask(SIG_BLOCK, &all, &before));
    pid_t server = getpid();
    self->worker = check(fork());
    if (self->worker == 0) {
        check(end_with_parent(server));
        handle(SIGCHLD, SIG_DFL);
        handle(SIGTERM, SIG_DFL);
        handle(SIGINT, SIG_IGN);        /* Ctrl-C goes to all; only the server decides */
        check(sigprocmask(SIG_SETMASK, &before, NULL));
        say("worker: begins");
        tell_main(self, "b");
        if (self->by_hand)
            work_ticks(2000);
        else
            check(read_full(self->finish[0], &byte, 1));
        say("worker: has finished");
        _exit(0);
    }
    check(sigprocmask(SIG_SETMASK, &before, NULL));
}

static void reap(struct server *self)
{
    int status;
    pid_t pid = self->worker == 0 ? 0 : check(waitpid(self->worker, &status, WNOHANG));
    if (pid == 0)
        return;                         /* none, or it still works: SIGCHLD came from elsewhere */
    self->worker = 0;
    if (status == 0)
        return;
    self->failed = 1;
    dprintf(STDERR_FILENO, "the worker ended with wait status %d\n", status);
    tell_main(self, "f");
}

static int serve(struct server *self)
{
    int wake[2];
    bool stopping = false;
    char bytes[64];
    check(pipe2(wake, O_CLOEXEC | O_NONBLOCK));
    wake_fd = wake[1];
    handle(SIGCHLD, on_chld);           /* first of all: from here on nobody can end it halfway */
    handle(SIGTERM, on_stop);
    handle(SIGINT, on_stop);
    tell_main(self, "r");
    while (!stopping || self->worker != 0) {
        struct pollfd fds[2] = {
            { .fd = wake[0], .events = POLLIN },
            { .fd = stopping || self->worker != 0 ? -1 : self->jobs[0], .events = POLLIN },   /* -1: not now */
        };
        int ready = poll(fds, 2, stopping ? LIMIT_MS : -1);
        if (ready == -1 && errno == EINTR)
            continue;                   /* the handler has written: the next poll returns */
        if (check(ready) == 0)
            check(kill(self->worker, SIGKILL));         /* not reaped yet, so the pid is ours */
        while (fds[0].revents != 0 && read(wake[0], bytes, sizeof bytes) > 0)
            ;                           /* until it is empty: EAGAIN */
        if (stop_asked && !stopping) {
            stopping = true;
            say("server: shall stop; a job is %s", self->worker != 0 ? "not finished yet" : "not there");
            tell_main(self, "s");
        }
        reap(self);
        if (fds[1].revents != 0 && !stopping) {
            if (check(read_full(self->jobs[0], bytes, 1)) == 0)
                stopping = true;        /* end of file: no more jobs */
            else if (bytes[0] != '\n')
                start_worker(self);
        }
    }
    say("server: all is finished and cleaned up");
    return self->failed;                /* the pipe stays open: until the very end a handler may write to it */
}

/* ---- what main does: it gives a job, and sends the signals ---- */

static int be_server(void *argument)
{
    struct server *self = argument;
    check(end_with_parent(self->parent));
    check(close(self->jobs[1]));
    check(close(self->tell[0]));
    check(close(self->finish[1]));
    return serve(self);
}

static void hear(const struct server *server, char wanted)
{
    char what = 0;
    check(read_full(server->tell[0], &what, 1));        /* end of file: all of them have ended */
    if (what != wanted)
        die("the server or its worker has ended too early");
}

/* Stops a server that has begun a job: by SIGTERM, and perhaps by a second signal, SIGINT. */
static void play(bool twice)
{
    struct server server = { .parent = getpid() };
    int status;
    check(pipe(server.jobs));
    check(pipe(server.tell));
    check(pipe(server.finish));
    pid_t pid = check(start_child(be_server, &server));
    check(close(server.tell[1]));
    hear(&server, 'r');
    check(write_full(server.jobs[1], "x", 1));
    hear(&server, 'b');
    check(kill(pid, SIGTERM));
    hear(&server, 's');
    if (twice)
        check(kill(pid, SIGINT));
    else {
        check(write_full(server.jobs[1], "y", 1));      /* too late */
        check(write_full(server.finish[1], "!", 1));
    }
    check(waitpid(pid, &status, 0));
    if (twice && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) {
        check(waitpid(-1, &status, 0));                 /* the worker: it has become our child */
        say("main: SIGINT has ended the server, and its worker ended with it");
    } else if (!twice && status == 0)
        say("main: the server ended with exit status 0");
    else
        die("the server ended with wait status %d", status);
    for (int i = 0; i < 2; i++) {
        check(close(server.jobs[i]));
        check(close(server.finish[i]));
    }
    check(close(server.tell[0]));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0) {
        struct server server = { .jobs = { STDIN_FILENO, -1 }, .by_hand = true };
        return serve(&server);
    }
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
main: SIGINT has ended the server, and its worker ended with it
*/
