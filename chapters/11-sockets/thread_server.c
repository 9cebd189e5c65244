/* thread_server.c - the same server with a thread for each client.
   Python: socketserver.ThreadingTCPServer
   Calls:  pthread_create(3), pthread_detach(3), pthread_cond_timedwait(3), shutdown(2)
   Needs:  05-threads/thread, 07-coordination/event, echo_server
   Try:    Let serve crash when it has talked: *(volatile char *)0 = 0. One client ends the talks of all.
           In echo_server's serve, the same line ends one talk only. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 2000, STOP_S = 5, FREE = -1 };    /* clients at once; how long a talk may go on after a stop */
static const struct limits limits = { .quiet_ms = 300000, .whole_ms = 3600000, .bytes = 1LL << 40 };

struct server {
    pthread_mutex_t lock;               /* for all that follows */
    pthread_cond_t ended;               /* "a talk has ended" */
    int clients[MOST];                  /* the sockets of the open talks; or FREE */
    int count, served;
};
static struct server server = { .lock = PTHREAD_MUTEX_INITIALIZER };    /* all threads share it */

static void end_talk(int *client)
{
    with_lock(&server.lock) {
        check(close(*client));          /* with the lock, or finish might shut down another socket that */
        *client = FREE;                 /* gets this number */
        server.count--;
        check_pthread(pthread_cond_signal(&server.ended));
    }
}

static void *serve(void *client)
{
    talk_with(*(int *)client, &limits);
    end_talk(client);
    return NULL;
}

/* Takes one client, and starts its thread. False: it cannot now, and need not try again at once. */
static bool welcome(int listener)
{
    int place = 0;
    pthread_t thread;
    with_lock(&server.lock)
        while (place < MOST && server.clients[place] != FREE)
            place++;
    int client = place == MOST ? -1 : accept_client(listener);
    if (client == -1)
        return place < MOST && errno == EAGAIN;
    with_lock(&server.lock) {
        server.clients[place] = client;
        server.count++, server.served++;
    }
    int code = pthread_create(&thread, NULL, serve, &server.clients[place]);
    if (code == 0) {
        check_pthread(pthread_detach(thread));          /* nobody joins it: it tells its end by itself */
    } else {
        dprintf(STDERR_FILENO, "thread_server: no thread for a client: %s\n", errno_name(code));
        end_talk(&server.clients[place]);
    }
    return code == 0;
}

/* The open talks may end. When the time is up, their sockets are shut down: nobody can kill a thread, but
   now its recv and send return at once. */
static void finish(void)
{
    struct timespec limit;
    int code = 0;
    check(clock_gettime(CLOCK_MONOTONIC, &limit));
    limit.tv_sec += STOP_S;
    with_lock(&server.lock) {
        while (server.count > 0 && code != ETIMEDOUT)
            code = pthread_cond_timedwait(&server.ended, &server.lock, &limit);
        for (int i = 0; i < MOST; i++)
            if (server.clients[i] != FREE)
                shutdown(server.clients[i], SHUT_RDWR);         /* fails if the client has gone by itself */
        while (server.count > 0)
            check_pthread(pthread_cond_wait(&server.ended, &server.lock));
    }
}

int main(int argc, char **argv)
{
    pthread_condattr_t attributes;
    check_pthread(pthread_condattr_init(&attributes));
    check_pthread(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    check_pthread(pthread_cond_init(&server.ended, &attributes));
    for (int i = 0; i < MOST; i++)
        server.clients[i] = FREE;
    allow_descriptors(MOST + 10);
    int signals = check(open_signals());        /* before the first thread: all inherit that they are blocked */
    int listener = listen_as_told(argc, argv);
    say("listening on port %d", check(port_of(listener)));

    for (bool rest = false, stop = false; !stop; ) {
        struct pollfd fds[2] = {
            { .fd = signals, .events = POLLIN },
            { .fd = rest ? -1 : listener, .events = POLLIN },
        };
        int ready = poll(fds, 2, rest ? 100 : -1);
        check(ready == -1 && errno == EINTR ? 0 : ready);
        rest = ready > 0 && fds[1].revents != 0 && !welcome(listener);
        int number = ready > 0 ? next_signal(signals) : 0;
        stop = number == SIGTERM || number == SIGINT;
    }
    check(close(listener));             /* no new clients */
    check(let_signals_end_us());        /* a second signal ends the server at once, and so its threads */
    finish();
    check(close(signals));
    say("%d served", server.served);
}

/* Output of ./thread_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
HELLO, SERVER!
GRüßE, 你好
1 served
*/
