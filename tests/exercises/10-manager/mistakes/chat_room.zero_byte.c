/* wrong output | end at a zero byte */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONGEST = 500 };
#define USAGE "chat_room PATH [play NAME:LINE...]"

/* ---- Given: the address, and a play to try the server with ---- */

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        usage(USAGE);
    strcpy(address.sun_path, path);
    return address;
}

enum { PLAYERS = 10 };

/* Says what comes next for this player. */
static void hear(int server, const char *name)
{
    char line[LONGEST + 1] = "", byte = 0;
    for (size_t size = 0; byte != '\n' && size < LONGEST; size++) {
        if (read_full(server, &byte, 1) != 1)
            die("the server has put out %s", name);
        line[size] = byte == '\n' ? '\0' : byte;
    }
    say("%s hears: %s", name, line);
}

/* "ann:hello": ann comes in, if she is not there yet, and says it; all the others hear it. */
static int play(const char *path, char **lines)
{
    struct sockaddr_un address = address_of(path);
    struct { const char *name; int server; } players[PLAYERS];
    int count = 0, who;
    for (; *lines != NULL; lines++) {
        char *text = strchr(*lines, ':');
        if (text == NULL || strlen(text) > LONGEST)
            usage(USAGE);
        *text++ = '\0';
        for (who = 0; who < count && strcmp(players[who].name, *lines) != 0; who++)
            ;
        if (who == PLAYERS)
            usage(USAGE);
        if (who == count) {
            players[count].name = *lines;
            players[count++].server = check(socket(AF_UNIX, SOCK_STREAM, 0));
            check(connect(players[who].server, (const struct sockaddr *)&address, sizeof address));
            hear(players[who].server, *lines);      /* welcome */
        }
        if (send(players[who].server, text, strlen(text), MSG_NOSIGNAL) == -1 ||
            send(players[who].server, "\n", 1, MSG_NOSIGNAL) == -1)
            die("the server has put out %s", *lines);
        for (int i = 0; i < count; i++)
            if (i != who)
                hear(players[i].server, players[i].name);
    }
    while (count > 0)
        check(close(players[--count].server));
    return 0;
}

/* ---- Yours: the server ---- */

enum { CLIENTS = 64, WAITING = 100000 };

struct client {
    char line[LONGEST + 1];             /* what it has begun to say; room for the newline, too */
    size_t length;
    char waiting[WAITING];              /* what the kernel had no room for: it is to be sent when poll says so */
    size_t size;
    bool out;                           /* it has gone, or is to be put out */
};

struct room {
    struct pollfd fds[2 + CLIENTS];     /* the signals, the listener, the clients */
    struct client clients[2 + CLIENTS]; /* clients[i] talks over fds[i] */
    int end;                            /* the first place where nobody is */
};

/* Sends what the kernel takes now; keeps the rest, in its order. It never waits: that is what the room is for. */
static void put(struct room *room, int i, const char *bytes, size_t size)
{
    struct client *client = &room->clients[i];
    if (client->size == 0 && size > 0) {
        ssize_t count = send(room->fds[i].fd, bytes, size, MSG_NOSIGNAL);
        if (count == -1 && errno != EAGAIN && errno != EINTR)
            client->out = true;         /* EPIPE: it has gone */
        bytes += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    if (size > WAITING - client->size)
        client->out = true;             /* it does not listen. Shall the others wait? Shall our memory grow? */
    if (client->out)
        return;
    memcpy(client->waiting + client->size, bytes, size);
    client->size += size;
}

static void put_waiting(struct room *room, int i)
{
    struct client *client = &room->clients[i];
    ssize_t count = send(room->fds[i].fd, client->waiting, client->size, MSG_NOSIGNAL);
    if (count == -1 && errno != EAGAIN && errno != EINTR)
        client->out = true;
    if (count > 0) {
        client->size -= (size_t)count;
        memmove(client->waiting, client->waiting + count, client->size);
    }
}

/* One recv: a part of a line, or many lines. Those that are complete go to all the others. */
static void hear_from(struct room *room, int i)
{
    struct client *client = &room->clients[i];
    char bytes[4096];
    ssize_t count = recv(room->fds[i].fd, bytes, sizeof bytes, 0);
    if (count == 0 || (count == -1 && errno != EAGAIN && errno != EINTR))
        client->out = true;
    for (ssize_t k = 0; k < count && !client->out; k++) {
        if (client->length == LONGEST && bytes[k] != '\n') {
            client->out = true;         /* a longer line than is allowed */
            break;
        }
        client->line[client->length++] = bytes[k];
        if (bytes[k] == '\n') {
            char text[LONGEST + 2];
            client->line[client->length - 1] = '\0';
            snprintf(text, sizeof text, "%s\n", client->line);
            for (int other = 2; other < room->end; other++)
                if (other != i && !room->clients[other].out)
                    put(room, other, text, strlen(text));
            client->length = 0;
        }
    }
}

static void welcome(struct room *room)
{
    int fd = accept4(room->fds[1].fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd == -1)
        return;                         /* it has gone again */
    room->fds[room->end] = (struct pollfd){ .fd = fd };
    room->clients[room->end] = (struct client){ .length = 0 };
    put(room, room->end++, "welcome\n", 8);
}

static void serve(struct room *room)
{
    while (room->fds[0].revents == 0) {
        room->fds[1].events = room->end < 2 + CLIENTS ? POLLIN : 0;
        for (int i = 2; i < room->end; i++)
            room->fds[i].events = room->clients[i].size > 0 ? POLLIN | POLLOUT : POLLIN;
        int ready = poll(room->fds, (nfds_t)room->end, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        for (int i = 2; i < room->end; i++) {
            if (room->fds[i].revents & POLLOUT)
                put_waiting(room, i);
            if (room->fds[i].revents & ~POLLOUT)
                hear_from(room, i);
        }
        for (int i = room->end - 1; i >= 2; i--)        /* the last one moves to the place of one that goes */
            if (room->clients[i].out) {
                check(close(room->fds[i].fd));
                room->fds[i] = room->fds[--room->end];
                room->clients[i] = room->clients[room->end];
            }
        if (room->fds[1].revents != 0)
            welcome(room);
    }
}

int main(int argc, char **argv)
{
    static struct room room = { .end = 2 };
    if (argc > 2 && strcmp(argv[2], "play") == 0)
        return play(argv[1], argv + 3);
    if (argc != 2)
        usage(USAGE);
    struct sockaddr_un address = address_of(argv[1]);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    check(sigprocmask(SIG_BLOCK, &set, NULL));
    room.fds[0] = (struct pollfd){ .fd = check(signalfd(-1, &set, 0)), .events = POLLIN };
    room.fds[1].fd = check(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    check(bind(room.fds[1].fd, (const struct sockaddr *)&address, sizeof address));
    check(listen(room.fds[1].fd, SOMAXCONN));
    say("listening on %s", argv[1]);
    serve(&room);
    check(unlink(argv[1]));
    for (int i = 0; i < room.end; i++)
        check(close(room.fds[i].fd));
    return 0;
}
