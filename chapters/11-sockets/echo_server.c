/* echo_server.c - a server on the network, with a process for each client. It sends back, in capital letters,
   what it gets. After SIGTERM or Ctrl-C: no new clients; the open talks may end, but within 5 s.
   Python: socketserver.ForkingTCPServer
   Calls:  accept(2), fork(2), poll(2), signalfd(2), waitpid(2) with WNOHANG, alarm(2); see talk.c
   Needs:  04-signals/graceful_stop, 04-signals/self_pipe, echo
   Try:    build/echo_server 4711   and in two other windows   build/echo_client 4711
           Press Ctrl-C in the first window: it waits for the two, for 5 s. Or press it twice. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 2000, STOP_S = 5 };       /* clients at once; how long a talk may go on after a stop */
static const struct limits limits = { .quiet_ms = 300000, .whole_ms = 3600000, .bytes = 1LL << 40 };

struct server {
    int signals, listener;
    pid_t pid, talks[MOST];             /* the children, one for each client */
    int count, served;
};

/* The child, with one client. First it becomes free of what is the server's. The signals stay blocked: Ctrl-C
   and killall go to all processes, and only the server decides. SIGKILL ends this one. */
static int serve(const struct server *server, int client)
{
    check(end_with_parent(server->pid));
    check(close(server->listener));     /* else the port would be busy as long as this talk lasts */
    check(close(server->signals));
    talk_with(client, &limits);
    return 0;                           /* the end of the process closes the socket */
}

/* Takes one client, and starts its process. False: it cannot now, and should rest a little. */
static bool welcome(struct server *server)
{
    int client = server->count == MOST ? -1 : accept_client(server->listener);
    if (client == -1)
        return server->count < MOST && errno == EAGAIN;
    pid_t child = fork();
    if (child == 0)
        _exit(serve(server, client));
    if (child == -1)
        dprintf(STDERR_FILENO, "echo_server: no process for a client: %s\n", errno_name(errno));
    else
        server->talks[server->count++] = child;
    server->served += child != -1;
    check(close(client));               /* the child has its own copy. Were ours still open, the client */
    return child != -1;                 /* would never see the end of the talk */
}

/* Reaps the children that have ended. HOW: WNOHANG, or 0 to wait for one of them. */
static void reap(struct server *server, int how)
{
    int status, i;
    for (pid_t pid; server->count > 0 && (pid = waitpid(-1, &status, how)) > 0; how = WNOHANG) {
        for (i = 0; i < server->count && server->talks[i] != pid; i++)
            ;
        if (i == server->count)
            continue;                   /* not one of ours: who became this program by exec may have had children */
        server->talks[i] = server->talks[--server->count];
        if (WIFSIGNALED(status))
            dprintf(STDERR_FILENO, "echo_server: a talk was ended by signal %d\n", WTERMSIG(status));
    }
}

/* Takes clients until SIGTERM or SIGINT comes. */
static void work(struct server *server)
{
    for (bool rest = false, stop = false; !stop; ) {
        struct pollfd fds[2] = {
            { .fd = server->signals, .events = POLLIN },
            { .fd = rest ? -1 : server->listener, .events = POLLIN },       /* -1: do not look */
        };
        int ready = poll(fds, 2, rest ? 1000 : -1);
        check(ready == -1 && errno == EINTR ? 0 : ready);
        rest = ready > 0 && fds[1].revents != 0 && !welcome(server);
        for (int number; ready > 0 && (number = next_signal(server->signals)) != 0; )
            stop = stop || number == SIGTERM || number == SIGINT;
        reap(server, WNOHANG);
    }
}

/* No new clients. The open talks may end; when the time is up, they are ended. */
static void finish(struct server *server)
{
    struct pollfd signals = { .fd = server->signals, .events = POLLIN };
    check(close(server->listener));
    check(let_signals_end_us());        /* a second one ends the server at once, and its children with it */
    alarm(STOP_S);
    for (int number = 0; server->count > 0 && number != SIGALRM; reap(server, WNOHANG)) {
        poll(&signals, 1, -1);
        number = next_signal(server->signals);          /* before reap: after it, a SIGCHLD could get lost */
    }
    for (int i = 0; i < server->count; i++)
        check(kill(server->talks[i], SIGKILL));         /* not reaped yet, so the pid is ours */
    while (server->count > 0)
        reap(server, 0);
    check(close(server->signals));
}

int main(int argc, char **argv)
{
    static struct server server;
    server.pid = getpid();
    server.signals = check(open_signals());
    server.listener = listen_as_told(argc, argv);
    say("listening on port %d", check(port_of(server.listener)));
    work(&server);
    finish(&server);
    say("%d served", server.served);
}

/* Output of ./echo_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
HELLO, SERVER!
GRüßE, 你好
1 served
*/
