/* prefork_server.c - the same server with 4 processes that are there before any client comes.
   Each one takes a client, talks with it to the end, and takes the next one.
   Python: (none in the library); gunicorn works like this
   Calls:  fork(2) first, then accept(2) in each child
   Needs:  01-fork/many_children, echo_server
   Try:    Start build/prefork_server 4711 and 4 clients, each in a window. A fifth one is connected too,
           by the kernel, but gets no answer until one of the four ends. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, STOP_S = 5 };       /* how long a talk may go on after a stop */
static const struct limits limits = { .quiet_ms = 300000, .whole_ms = 3600000, .bytes = 1LL << 40 };

struct server {
    int signals, listener;
    pid_t pid, workers[WORKERS];        /* 0: nobody is in this place */
    int count;
};

/* A worker. SIGTERM comes from the server, and is looked at between two talks only. SIGINT, by Ctrl-C, goes to
   all, but only the server decides. The descriptor SIGNALS is inherited; it gives each process its own. */
static int work(const struct server *server)
{
    check(end_with_parent(server->pid));
    for (bool rest = false, stop = false; !stop; ) {
        struct pollfd fds[2] = {
            { .fd = server->signals, .events = POLLIN },
            { .fd = rest ? -1 : server->listener, .events = POLLIN },
        };
        int ready = poll(fds, 2, rest ? 100 : -1), client = -1;
        check(ready == -1 && errno == EINTR ? 0 : ready);
        rest = false;
        stop = ready > 0 && next_signal(server->signals) == SIGTERM;
        if (stop || ready <= 0 || fds[1].revents == 0)
            continue;
        if ((client = accept_client(server->listener)) != -1) {
            talk_with(client, &limits);
            check(close(client));
        } else
            rest = errno != EAGAIN;     /* EAGAIN: another worker was faster. That is no reason to rest */
    }
    return 0;
}

/* A worker for each place where nobody is. */
static void start_workers(struct server *server)
{
    for (int i = 0; i < WORKERS; i++) {
        if (server->workers[i] != 0)
            continue;
        pid_t child = fork();
        if (child == 0)
            _exit(work(server));
        if (child == -1) {
            dprintf(STDERR_FILENO, "prefork_server: no process for a worker: %s\n", errno_name(errno));
            return;
        }
        server->workers[i] = child;
        server->count++;
    }
}

/* Reaps the workers that have ended. HOW: WNOHANG, or 0 to wait for one of them. */
static void reap(struct server *server, int how)
{
    int status;
    for (pid_t pid; server->count > 0 && (pid = waitpid(-1, &status, how)) > 0; how = WNOHANG) {
        int i = 0;
        while (i < WORKERS && server->workers[i] != pid)
            i++;
        if (i == WORKERS)
            continue;                   /* not one of ours: who became this program by exec may have had children */
        server->workers[i] = 0;
        server->count--;
        if (status != 0)
            dprintf(STDERR_FILENO, "prefork_server: a worker ended with wait status %d\n", status);
    }
}

/* To all workers that are not reaped yet: so the pids are ours. */
static void signal_workers(const struct server *server, int number)
{
    for (int i = 0; i < WORKERS; i++)
        if (server->workers[i] != 0)
            check(kill(server->workers[i], number));
}

int main(int argc, char **argv)
{
    struct server server = { .pid = getpid(), .signals = check(open_signals()) };
    struct pollfd signals = { .fd = server.signals, .events = POLLIN };
    server.listener = listen_as_told(argc, argv);
    start_workers(&server);
    say("listening on port %d", check(port_of(server.listener)));

    for (bool stop = false; !stop; reap(&server, WNOHANG)) {
        int ready = poll(&signals, 1, server.count < WORKERS ? 100 : -1);
        check(ready == -1 && errno == EINTR ? 0 : ready);
        if (ready == 0)                 /* not at once: what if each new one ends as soon as it begins? */
            start_workers(&server);
        for (int number; ready > 0 && (number = next_signal(server.signals)) != 0; )
            stop = stop || number == SIGTERM || number == SIGINT;
    }
    check(close(server.listener));      /* no new clients, when the workers have closed theirs too */
    check(let_signals_end_us());        /* a second signal ends the server at once, and its workers with it */
    signal_workers(&server, SIGTERM);
    alarm(STOP_S);
    for (int number = 0; server.count > 0 && number != SIGALRM; reap(&server, WNOHANG)) {
        poll(&signals, 1, -1);
        number = next_signal(server.signals);           /* before reap: after it, a SIGCHLD could get lost */
    }
    signal_workers(&server, SIGKILL);   /* the time is up for those that still talk */
    while (server.count > 0)
        reap(&server, 0);
    check(close(server.signals));
    say("the workers have ended");
}

/* Output of ./prefork_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
HELLO, SERVER!
GRüßE, 你好
the workers have ended
*/
