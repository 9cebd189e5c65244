/* udp_echo.c - datagrams: messages with edges, without a connection, and without a promise that they come.
   Python: socket.socket(type=socket.SOCK_DGRAM), sendto, recvfrom; socketserver.UDPServer
   Calls:  socket(2) with SOCK_DGRAM, sendto(2), recvfrom(2) with MSG_TRUNC, connect(2); see udp(7)
   Needs:  byte_order, echo
   Try:    Take out the line that looks at answer.number, and let LIMIT_MS be 0: answers that come late
           are taken for the answers to other questions. */
#include "workbook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 20, LIMIT_MS = 50 };

struct message {
    uint32_t number;                    /* of the question, in network byte order; the answer has the same */
    char text[TEXT];
};

struct echo {
    pid_t parent;
    int server;                         /* one socket for all clients: there is nothing to accept */
    struct sockaddr_in address;
};

/* The server, until it gets SIGTERM. It knows nothing of its clients but where each datagram came from. */
static int serve(void *argument)
{
    const struct echo *echo = argument;
    struct message message;
    struct sockaddr_in client;
    check(end_with_parent(echo->parent));
    for (bool lost = false; ; ) {
        socklen_t size = sizeof client;
        /* One call, one datagram: all of it, or its beginning. What is too long is cut, and the rest is gone.
           With MSG_TRUNC the result is the true length. */
        ssize_t length = recvfrom(echo->server, &message, sizeof message, MSG_TRUNC, (struct sockaddr *)&client, &size);
        if (length == -1 && errno == EINTR)
            continue;
        if ((size_t)check(length) > sizeof message)
            length = sizeof message;
        if (length < (ssize_t)sizeof message.number)
            continue;                   /* anybody can send anything here; even 0 bytes, which is not an end */
        if (ntohl(message.number) == 2 && !lost) {
            lost = true;                /* the network may lose any datagram: here it loses this one */
            continue;
        }
        for (size_t i = 0; i < (size_t)length - sizeof message.number; i++)
            if (message.text[i] >= 'a' && message.text[i] <= 'z')
                message.text[i] = (char)(message.text[i] - 'a' + 'A');
        /* May fail: there is nobody any more, or no room. Then it is lost, like others. */
        sendto(echo->server, &message, (size_t)length, 0, (const struct sockaddr *)&client, size);
    }
}

/* Sends one question, again and again until its answer comes. */
static void ask(int server, uint32_t number, const char *text)
{
    char question[sizeof number + 100];
    struct message answer;
    struct pollfd one = { .fd = server, .events = POLLIN };
    uint32_t on_the_way = htonl(number);
    memcpy(question, &on_the_way, sizeof number);
    memcpy(question + sizeof number, text, strlen(text));
    for (int times = 0; times < 40; times++) {
        check(send(server, question, sizeof number + strlen(text), 0));
        while (poll(&one, 1, LIMIT_MS) > 0) {       /* 0: no answer in time */
            ssize_t length = check(recv(server, &answer, sizeof answer, 0)) - (ssize_t)sizeof number;
            if (length < 0 || answer.number != on_the_way)
                continue;               /* late: the answer to a question that was asked twice */
            say("question %u, %zu bytes: %zd bytes back: \"%.*s\"", number, strlen(text), length, (int)length, answer.text);
            return;
        }
    }
    die("the server does not answer");
}

static int be_client(void *argument)
{
    const struct echo *echo = argument;
    check(end_with_parent(echo->parent));
    int server = check(socket(AF_INET, SOCK_DGRAM, 0));
    /* Sends nothing. But now send knows where to, and recv takes datagrams from there only. */
    check(connect(server, (const struct sockaddr *)&echo->address, sizeof echo->address));
    ask(server, 1, "one message");
    ask(server, 2, "lost at first");
    ask(server, 3, "too long for the server's buffer");
    ask(server, 4, "");
    check(close(server));
    return 0;
}

int main(void)
{
    struct echo echo = { .parent = getpid(), .address = { .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof echo.address;
    echo.server = check(socket(AF_INET, SOCK_DGRAM, 0));
    check(bind(echo.server, (const struct sockaddr *)&echo.address, size));
    check(getsockname(echo.server, (struct sockaddr *)&echo.address, &size));
    pid_t server = check(start_child(serve, &echo));
    check(close(echo.server));
    pid_t client = check(start_child(be_client, &echo));
    int status = check(wait_child(client));
    check(kill(server, SIGTERM));       /* no connection, so no end of it either: the server cannot know */
    check(wait_child(server));
    if (WIFSIGNALED(status))
        die("the client was killed by signal %d", WTERMSIG(status));
    return status != 0;
}

/* Output:
question 1, 11 bytes: 11 bytes back: "ONE MESSAGE"
question 2, 13 bytes: 13 bytes back: "LOST AT FIRST"
question 3, 32 bytes: 20 bytes back: "TOO LONG FOR THE SER"
question 4, 0 bytes: 0 bytes back: ""
*/
