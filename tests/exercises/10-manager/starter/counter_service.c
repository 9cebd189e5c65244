/* counter_service.c - an exercise: a counter in a process of its own, for many clients, in lines of text.
   Task:  counter_service PATH  listens on the Unix socket PATH (a file's name), and then says "listening on PATH". It prints
          nothing else, and runs until SIGTERM comes. It keeps one counter, which begins at 0.
          1. A request is a line.  INC  adds 1 to the counter; the reply is the new value.  GET : the reply is the
             value. To any other line the reply is  ERROR . A reply is a line, too. It comes at once when
             the request is complete, whole, and in the order of the requests.
          2. A request has at most 15 bytes, and the newline. At the 16th byte the reply is  ERROR , and the server ends
             that connection, without waiting for a newline.
          3. The pieces that come are not the requests: a part of one, or several at once (a client may send
             100 requests before it takes the first reply). When a client has ended its side, it gets the
             replies that are left, then the server ends the connection. A request without its newline does not count.
          4. Many clients are connected at the same time (at least 20), and none waits for another one: not for one that has
             sent half a request, nor for one that sends and sends, and takes no replies (that one may be ended).
          5. A client may go away at any moment, before its reply too. That harms nobody, and an INC that has come counts.
          6. When a client has gone, all that it needed is given back at once. The server that waits has no zombies.
          7. SIGTERM: the server ends with exit status 0 within a second, even with clients connected. The file PATH
             is gone, and nothing is left behind.
   Calls: socket(2), bind(2), listen(2), accept(2), poll(2), recv(2), send(2), close(2), unlink(2); sigaction(2) or signalfd(2)
   Given: counter_service PATH ask REQUEST...  is a client: it sends requests and says the replies.
   Try:   build/exercises/counter_service /tmp/counter , and in another window
          build/exercises/counter_service /tmp/counter ask INC GET */
#include "workbook.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONGEST = 15 };
#define USAGE "counter_service PATH [ask REQUEST...]"

/* ---- Given: the address, and a client to try the server with ---- */

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        usage(USAGE);
    strcpy(address.sun_path, path);
    return address;
}

/* Sends each request, and says the reply. */
static int ask(const char *path, char **requests)
{
    struct sockaddr_un address = address_of(path);
    int server = check(socket(AF_UNIX, SOCK_STREAM, 0));
    check(connect(server, (const struct sockaddr *)&address, sizeof address));
    for (; *requests != NULL; requests++) {
        char line[100] = "", byte = 0;
        size_t size = (size_t)snprintf(line, sizeof line, "%.90s\n", *requests);
        if (send(server, line, size, MSG_NOSIGNAL) != (ssize_t)size)
            die("the server has gone");
        for (size = 0; byte != '\n' && size < sizeof line - 1; size++) {
            if (read_full(server, &byte, 1) != 1)
                die("the server has ended the connection");
            line[size] = byte == '\n' ? '\0' : byte;
        }
        say("%s: %s", *requests, line);
    }
    check(close(server));
    return 0;
}

/* ---- Yours: the server ---- */

/* TODO 1: what must be kept of each client, from one recv to the next? */
/* TODO 2: the bytes of one recv: requests, and their replies */
/* TODO 3: wait for all of them at once: SIGTERM, new clients, requests */

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "ask") == 0)
        return ask(argv[1], argv + 3);
    if (argc != 2)
        usage(USAGE);
    struct sockaddr_un address = address_of(argv[1]);
    (void)address;
    /* TODO 4: signals, socket, bind, listen; say it; serve; clean up */
    return 0;
}

/* Output of ./counter_service counter until SIGTERM, with ./counter_service counter ask INC INC GET DEC INC:
listening on counter
INC: 1
INC: 2
GET: 2
DEC: ERROR
INC: 3
*/
