/* echo.c - a server and three clients in one program: all the calls of a connection, and nothing else.
   Python: socket.socket(), bind, listen, accept, connect, sendall, shutdown, recv
   Calls:  socket(2), bind(2), listen(2), getsockname(2), accept(2), connect(2), send(2), recv(2)
   Needs:  01-fork/many_children, 08-queues/pipe_duplex, byte_order, addresses
   Try:    Take out the client's shutdown. Its text has no end now: the server waits for more of it, the
           client for its answer. End it with Ctrl-C. */
#include "workbook.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 3 };

struct echo {
    pid_t parent;
    int listener;                       /* the server's: it only takes clients, no bytes come here */
    struct sockaddr_in address;         /* where it listens */
    int number;                         /* of the client */
};

/* Sends all of it: a send may take only a part. MSG_NOSIGNAL: EPIPE instead of SIGPIPE. */
static void send_all(int fd, const char *bytes, size_t size)
{
    for (size_t sent = 0; sent < size; )
        sent += (size_t)check(send(fd, bytes + sent, size - sent, MSG_NOSIGNAL));
}

/* ---- the server: one client after the other ---- */

static int serve(void *argument)
{
    const struct echo *echo = argument;
    char bytes[100];
    ssize_t count;
    check(end_with_parent(echo->parent));
    for (int served = 0; served < CLIENTS; served++) {
        int client = check(accept(echo->listener, NULL, NULL));     /* a new socket, for this client alone */
        while ((count = check(recv(client, bytes, sizeof bytes, 0))) > 0) {
            for (ssize_t i = 0; i < count; i++)
                if (bytes[i] >= 'a' && bytes[i] <= 'z')
                    bytes[i] = (char)(bytes[i] - 'a' + 'A');
            send_all(client, bytes, (size_t)count);
        }
        check(close(client));           /* the end, for the client too */
    }
    return 0;
}

/* ---- a client ---- */

static int ask(void *argument)
{
    const struct echo *echo = argument;
    char text[] = "good morning", answer[100] = "";
    check(end_with_parent(echo->parent));
    int server = check(socket(AF_INET, SOCK_STREAM, 0));
    check(connect(server, (const struct sockaddr *)&echo->address, sizeof echo->address));
    send_all(server, text, strlen(text));
    check(shutdown(server, SHUT_WR));   /* "that was all": the server's recv gets 0. Answers still come */
    check(read_full(server, answer, sizeof answer - 1));    /* a recv may bring a part; this asks again, to the end */
    say("client %d: %s", echo->number, answer);
    check(close(server));
    return 0;
}

int main(void)
{
    struct echo echo = { .parent = getpid(), .address = { .sin_family = AF_INET, .sin_port = htons(0),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };  /* 127.0.0.1, and any port that is free */
    socklen_t size = sizeof echo.address;
    pid_t children[1 + CLIENTS];

    echo.listener = check(socket(AF_INET, SOCK_STREAM, 0));
    check(bind(echo.listener, (const struct sockaddr *)&echo.address, size));
    check(listen(echo.listener, CLIENTS));              /* from now on clients may come: the kernel keeps them */
    check(getsockname(echo.listener, (struct sockaddr *)&echo.address, &size));     /* which port was it? */
    say("listening on port %d", ntohs(echo.address.sin_port));

    children[0] = check(start_child(serve, &echo));
    for (echo.number = 1; echo.number <= CLIENTS; echo.number++)
        children[echo.number] = check(start_child(ask, &echo));
    check(close(echo.listener));
    return check(wait_children(children, 1 + CLIENTS));
}

/* Unordered output: which client is served first is free
listening on port N1
client 1: GOOD MORNING
client 2: GOOD MORNING
client 3: GOOD MORNING
*/
