/* slow_client.c - no client may hold up a server for ever: limits in time and in size.
   Python: connection.settimeout(seconds)
   Calls:  poll(2) with a limit, in talk.c
   Needs:  echo, echo_server
   Try:    In the line of drop_by_drop write LONG twice. It sends a letter again and again, so it is never
           quiet: the next client waits half a minute, until this one has sent too much. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHORT = 50, LONG = 1000000, MUCH = 5000 };   /* two limits in ms, and one in bytes */

/* ---- the clients. Each one talks until the server ends it; only the honest one says when it has done. ---- */

static bool is_ready(int fd, int limit_ms)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    int ready;
    while ((ready = poll(&one, 1, limit_ms)) == -1 && errno == EINTR)
        ;
    return check(ready) > 0;
}

/* Takes answers. True: the server has ended the talk. It waits for LIMIT_MS; -1: as long as it takes. */
static bool is_over(int server, int limit_ms)
{
    char answers[4096];
    return is_ready(server, limit_ms) && recv(server, answers, sizeof answers, 0) <= 0;
}

static bool put(int server, const char *text)
{
    return send(server, text, strlen(text), MSG_NOSIGNAL) != -1;
}

static void silent(int server)          /* says nothing */
{
    while (!is_over(server, -1))
        ;
}

static void honest(int server)
{
    put(server, "good morning");
    check(shutdown(server, SHUT_WR));
    silent(server);
}

static void drop_by_drop(int server)    /* a letter; when its answer is there, nothing for 5 ms; the next letter */
{
    while (put(server, "x") && !is_over(server, 5) && !is_over(server, 5))
        ;
}

static void deaf(int server)            /* takes no answers: soon all buffers are full, and the server cannot send */
{
    char text[2000] = "";
    memset(text, 'a', sizeof text - 1);
    while (put(server, text))
        ;
}

static void endless(int server)         /* takes the answers, and never ends */
{
    while (put(server, "and so on, and so on, and so on, ") && !is_over(server, 0))
        ;
}

static const struct {
    const char *name;
    void (*talk)(int server);
    struct limits limits;
} clients[] = {
    { "honest", honest, { .quiet_ms = LONG, .whole_ms = LONG, .bytes = MUCH } },
    { "silent", silent, { .quiet_ms = SHORT, .whole_ms = LONG, .bytes = MUCH } },
    { "drop by drop", drop_by_drop, { .quiet_ms = LONG, .whole_ms = SHORT, .bytes = MUCH } },
    { "deaf", deaf, { .quiet_ms = SHORT, .whole_ms = LONG, .bytes = 1LL << 40 } },
    { "endless", endless, { .quiet_ms = LONG, .whole_ms = LONG, .bytes = MUCH } },
};
enum { COUNT = sizeof clients / sizeof clients[0] };

struct play {
    pid_t parent;
    int listener;
    char port[16];
};

/* So that they are full soon; else the kernel keeps some million bytes for each direction. */
static void small_buffers(int fd)
{
    int size = 4096;
    check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
    check(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
}

static int talk_with_server(void *argument)
{
    const struct play *play = argument;
    check(end_with_parent(play->parent));
    for (int i = 0; i < COUNT; i++) {
        int server = check(connect_to("127.0.0.1", play->port));
        small_buffers(server);
        clients[i].talk(server);
        check(close(server));
    }
    return 0;
}

/* ---- the server ---- */

static int talk_with_clients(void *argument)
{
    static const char *const ends[] = { [BY_CLIENT] = "it was done", [BY_ERROR] = "an error", [TOO_QUIET] =
        "too quiet", [TOO_LONG] = "it took too long", [TOO_MUCH] = "it sent too much" };
    const struct play *play = argument;
    check(end_with_parent(play->parent));
    for (int i = 0; i < COUNT; i++) {
        is_ready(play->listener, -1);
        int client = check(accept_client(play->listener));
        say("%s: %s", clients[i].name, ends[talk_with(client, &clients[i].limits)]);
        check(close(client));
    }
    return 0;
}

int main(void)
{
    char *any_port[] = { "slow_client", "0" };
    struct play play = { .parent = getpid(), .listener = listen_as_told(2, any_port) };
    small_buffers(play.listener);       /* the sockets that accept makes inherit it */
    snprintf(play.port, sizeof play.port, "%d", check(port_of(play.listener)));
    pid_t children[2] = { check(start_child(talk_with_clients, &play)) };
    children[1] = check(start_child(talk_with_server, &play));
    check(close(play.listener));
    return check(wait_children(children, 2));
}

/* Output:
honest: it was done
silent: too quiet
drop by drop: it took too long
deaf: too quiet
endless: it sent too much
*/
