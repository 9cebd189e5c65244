/* chat_room.c - an exercise: a room where each one's lines go to all the others, and nobody is waited for.
   Task:  chat_room PATH  listens on the Unix socket PATH (a file's name), and then says "listening on PATH". It prints nothing
          else, and runs until SIGTERM comes.
          1. A client that has come in gets the line  welcome . From then on each line that somebody sends goes to all the
             others who are in the room, but not back to its sender: at once when it is complete, whole, and in
             the order in which that sender has sent its lines.
          2. The pieces that come are not the lines: a part of one, or several at once. A line may hold any byte but the
             newline. What a client has begun when it goes is no line.
          3. A line has at most 500 bytes, and the newline. Who sends more is put out at the 501st byte (its connection
             is ended), and nobody hears anything of that line.
          4. Nobody waits for a client that does not take its lines. At least 100 lines are kept for it, and it gets them
             in their order when it takes them, none left out. It is put out when too much waits for it: at the
             latest at 500000 bytes (what the kernel holds for it counts, too).
          5. A client may go away at any moment. That harms nobody else. When it has gone, or is put out, all that it
             needed is given back at once.
          6. At least 20 clients can be in the room. SIGTERM: the server ends with exit status 0 within a second, even
             with clients in the room. The file PATH is gone, and nothing is left behind.
   Calls: socket(2), bind(2), listen(2), accept(2), poll(2), recv(2), send(2) with MSG_DONTWAIT, close(2), unlink(2);
          sigaction(2) or signalfd(2)
   Given: chat_room PATH play NAME:LINE...  is a play of clients, who come in, say their lines, and tell what they hear.
   Try:   build/exercises/chat_room /tmp/room , and in another window
          build/exercises/chat_room /tmp/room play ann:hello bob:hi */
#include "workbook.h"

#include <stdio.h>
#include <string.h>
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

/* TODO 1: what must be kept of each client? */
/* TODO 2: send to one client without waiting for it */
/* TODO 3: the bytes of one recv: lines, for all the others */
/* TODO 4: wait for all of them at once: SIGTERM, new clients, lines, room for what waits */

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "play") == 0)
        return play(argv[1], argv + 3);
    if (argc != 2)
        usage(USAGE);
    struct sockaddr_un address = address_of(argv[1]);
    (void)address;
    /* TODO 5: signals, socket, bind, listen; say it; serve; clean up */
    return 0;
}

/* Output of ./chat_room room until SIGTERM, with ./chat_room room play ann:hello bob:hi eve:psst ann:bye:
listening on room
ann hears: welcome
bob hears: welcome
ann hears: hi
eve hears: welcome
ann hears: psst
bob hears: psst
bob hears: bye
eve hears: bye
*/
