/* server.c - the loop of the manager's server. It never waits for one client: it waits in poll, for all. */
#include "workbook.h"

#include "server.h"

#include "objects.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PROOF_MS = 5000,         /* how long a new client may take to prove that it knows the key */
       FULL_MS = 100,           /* no descriptor for a new client: so long until we try again */
       SMALL = 512, KEPT = 65536 };     /* bytes of a new buffer; longer ones than KEPT are not kept */

static struct {                 /* a process is one server at most */
    int life, listener;
    const void *key;            /* NULL: all may come in */
    size_t key_size;
    struct client **clients;
    struct pollfd *fds;         /* LIFE, LISTENER, then one for each client */
    size_t count, clients_room, fds_room;
    long long full_until_ms;
} server;

/* SIGTERM ends the life line: poll sees that, whether it waits already or begins later. */
static void on_term(int signal)
{
    (void)signal;
    int error = errno;
    shutdown(server.life, SHUT_RD);
    errno = error;
}

static long long now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool grow(void *array, size_t *room, size_t count, size_t size)
{
    void *old, *longer;
    if (count <= *room)
        return true;
    size_t wanted = count > 2 * *room ? count : 2 * *room;
    memcpy(&old, array, sizeof old);
    if ((longer = realloc(old, wanted * size)) == NULL)
        return false;
    memcpy(array, &longer, sizeof longer);
    *room = wanted;
    return true;
}

/* ---- requests and replies ---- */

struct request_head head_of(const struct client *client)
{
    struct request_head head;
    memcpy(&head, client->in, sizeof head);
    return head;
}

const unsigned char *value_of(const struct client *client, size_t *size)
{
    struct request_head head = head_of(client);
    *size = head.length - head.key_length;
    return client->in + sizeof head + head.key_length;
}

static void *write_reply(struct client *client, int error, long long number, size_t size)
{
    struct reply_head head = { .length = (uint32_t)size, .error = error, .number = number };
    memcpy(client->out, &head, sizeof head);
    client->out_size = sizeof head + size;
    return client->out + sizeof head;
}

void *start_answer(struct client *client, long long number, size_t size)
{
    if (size > MANAGER_LARGEST)
        refuse(client, EMSGSIZE, "the reply would be longer than MANAGER_LARGEST");
    else if (!grow(&client->out, &client->out_room, sizeof(struct reply_head) + size, 1))
        no_memory(client);
    else
        return write_reply(client, 0, number, size);
    return NULL;
}

struct object *answer(struct client *client, long long number)
{
    start_answer(client, number, 0);
    return NULL;
}

struct object *refuse(struct client *client, int error, const char *reason)
{
    size_t size = strlen(reason);       /* all reasons are shorter than SMALL */
    memcpy(write_reply(client, error, -1, size), reason, size);
    return NULL;
}

struct object *no_memory(struct client *client)
{
    return refuse(client, ENOMEM, "the server has no memory");
}

bool was_refused(const struct client *client)
{
    struct reply_head head;
    memcpy(&head, client->out, sizeof head);
    return head.error != 0;
}

/* ---- clients ---- */

/* Sends what the socket takes now. The rest is sent when poll says that there is room. */
static void send_reply(struct client *client)
{
    ssize_t count = send(client->fd, client->out + client->out_sent, client->out_size - client->out_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1) {
        client->gone = client->gone || (errno != EAGAIN && errno != EINTR);
        return;
    }
    client->out_sent += (size_t)count;
    if (client->out_sent < client->out_size)
        return;
    client->out_size = client->out_sent = 0;
    void *smaller;
    if (client->out_room > KEPT && (smaller = realloc(client->out, SMALL)) != NULL) {
        client->out = smaller;
        client->out_room = SMALL;
    }
}

void finish(struct client *client)
{
    void *smaller;
    client->waits_for = client->lock = NULL;
    client->end_ms = NEVER;
    client->late = client->stage = 0;
    client->in_size = 0;
    if (client->in_room > KEPT && (smaller = realloc(client->in, SMALL)) != NULL) {
        client->in = smaller;
        client->in_room = SMALL;
    }
    send_reply(client);
}

/* Reads what has come of the request, once. When all of it is there, serves it. Here nothing is believed:
   LENGTH is looked at before any memory is taken for it. */
static void read_request(struct client *client)
{
    struct request_head head;
    ssize_t count = recv(client->fd, client->in + client->in_size, client->in_room - client->in_size, MSG_DONTWAIT);
    if (count == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    client->gone = count <= 0;
    client->in_size += client->gone ? 0 : (size_t)count;
    if (client->gone || client->in_size < sizeof head)
        return;
    head = head_of(client);
    if (head.length > MANAGER_LARGEST || head.key_length > head.length || head.key_length > LONGEST_KEY ||
        client->in_size > sizeof head + head.length ||          /* a second request, before the reply */
        !grow(&client->in, &client->in_room, sizeof head + head.length, 1)) {
        client->gone = true;
        return;
    }
    if (client->in_size < sizeof head + head.length)
        return;
    struct object *waits_for = serve_request(client);
    if (waits_for == NULL)
        finish(client);
    else
        wait_for(client, waits_for, head.limit_ms > 0 ? now_ms() + head.limit_ms : NEVER);
    if (waits_for != NULL && head.limit_ms == 0)
        is_late(client, EAGAIN);
    settle();
}

/* A Unix socket's second guard, beside its directory: the kernel says which user has called connect. (Root could
   do all that we do anyway.) Over TCP it does not know; there the key must do. */
static bool is_stranger(int fd)
{
    struct ucred peer;
    int family;
    socklen_t size = sizeof family, peer_size = sizeof peer;
    check(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size));
    if (family != AF_UNIX)
        return false;
    check(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size));
    return peer.uid != geteuid() && peer.uid != 0;
}

static void let_in(void)
{
    int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd == -1 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        server.full_until_ms = now_ms() + FULL_MS;      /* it waits at the door; we serve the others */
    if (fd == -1)
        return;
    struct client *client = is_stranger(fd) ? NULL : calloc(1, sizeof *client);
    if (client == NULL || (client->in = malloc(SMALL)) == NULL || (client->out = malloc(SMALL)) == NULL ||
        !grow(&server.clients, &server.clients_room, server.count + 1, sizeof client) ||
        !grow(&server.fds, &server.fds_room, server.count + 3, sizeof *server.fds) ||
        (server.key != NULL && auth_begin(&client->auth, AUTH_SERVER, server.key, server.key_size, PROOF_MS) == -1)) {
        if (client != NULL) {
            free(client->in);
            free(client->out);
        }
        free(client);
        close(fd);
        return;
    }
    client->fd = fd;
    client->inside = server.key == NULL;
    client->in_room = client->out_room = SMALL;
    client->end_ms = NEVER;
    server.clients[server.count++] = client;
}

/* It has ended, or has broken the rules. */
static void forget(struct client *client)
{
    stop_waiting(client);
    release_everything(client);
    close(client->fd);
    free(client->in);
    free(client->out);
    free(client);
}

static void forget_the_gone(void)
{
    for (size_t i = server.count; i-- > 0; )
        if (server.clients[i]->gone) {
            forget(server.clients[i]);
            server.clients[i] = server.clients[--server.count];
            server.full_until_ms = 0;
        }
}

/* ---- the loop ---- */

static short events_of(const struct client *client)
{
    if (!client->inside)
        return auth_events(&client->auth);
    return client->out_size > 0 ? POLLOUT : client->waits_for != NULL ? POLLRDHUP : POLLIN;
}

/* Something has happened on the client's connection, or its time is over. */
static void turn(struct client *client)
{
    if (client->inside && client->out_size > 0) {
        send_reply(client);
    } else if (client->inside && client->waits_for == NULL) {
        read_request(client);
    } else if (!client->inside) {
        enum auth_state state = auth_step(&client->auth, client->fd);
        client->inside = state == AUTH_DONE;
        client->gone = state == AUTH_REFUSED;
    }
}

/* What to poll for; returns how long, in ms. */
static int prepare(void)
{
    long long end = server.full_until_ms > 0 ? server.full_until_ms : NEVER;
    server.fds[0] = (struct pollfd){ .fd = server.life, .events = POLLIN };
    server.fds[1] = (struct pollfd){ .fd = server.full_until_ms > 0 ? -1 : server.listener, .events = POLLIN };
    for (size_t i = 0; i < server.count; i++) {
        const struct client *client = server.clients[i];
        long long client_end = client->inside ? client->end_ms : client->auth.end_ms;
        server.fds[i + 2] = (struct pollfd){ .fd = client->fd, .events = events_of(client) };
        if (client_end < end)
            end = client_end;
    }
    if (end == NEVER)
        return -1;
    end -= now_ms();
    return end < 0 ? 0 : (int)end;
}

static void look_at_the_clock(void)
{
    long long now = now_ms();
    if (server.full_until_ms <= now)
        server.full_until_ms = 0;
    for (size_t i = 0; i < server.count; i++)
        if (!server.clients[i]->inside && server.clients[i]->auth.end_ms <= now)
            turn(server.clients[i]);
        else if (server.clients[i]->end_ms <= now)
            is_late(server.clients[i], ETIMEDOUT);
    settle();
}

void serve(int listener, int life, const void *key, size_t key_size)
{
    sigset_t term;
    struct sigaction action = { .sa_handler = on_term };
    server.life = life;
    server.listener = listener;
    server.key = key;
    server.key_size = key_size;
    sigfillset(&action.sa_mask);
    check(sigaction(SIGTERM, &action, NULL));
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);              /* no other one: Ctrl-C goes to all, and only the parent decides */
    check(sigprocmask(SIG_UNBLOCK, &term, NULL));
    if (!grow(&server.fds, &server.fds_room, SMALL, sizeof *server.fds))
        return;
    for (;;) {
        int ms = prepare(), ready = poll(server.fds, server.count + 2, ms);
        if (ready == -1 && errno == EINTR)
            continue;
        if (ready == -1 || server.fds[0].revents != 0)
            break;
        /* First those who wait and have ended: what comes now must not be given to them. */
        for (size_t i = 0; i < server.count; i++)
            if (server.fds[i + 2].revents != 0 && server.clients[i]->waits_for != NULL) {
                server.clients[i]->gone = true;
                stop_waiting(server.clients[i]);
            }
        settle();
        for (size_t i = 0; i < server.count; i++)
            if (server.fds[i + 2].revents != 0 && !server.clients[i]->gone)
                turn(server.clients[i]);
        if (ms != -1)
            look_at_the_clock();
        if (server.fds[1].revents != 0)
            let_in();
        forget_the_gone();
        settle();
    }
}
