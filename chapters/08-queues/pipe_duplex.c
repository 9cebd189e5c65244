/* pipe_duplex.c - a connection with two ends: each of two processes sends and receives at its own end.
   Python: here, there = Pipe(); send(), recv(), EOFError, BrokenPipeError
   Calls:  socketpair(2) with SOCK_SEQPACKET, send(2), recv(2), see unix(7)
   Needs:  01-fork/pipe, 04-signals/sigpipe
   Try:    Write SOCK_STREAM for SOCK_SEQPACKET. The edges of the messages are gone: a recv may bring
           several words (or answers) as one, or a part of one. */
#include "workbook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 100 };

struct connection {
    int mine, theirs;               /* as the parent sees it */
    pid_t parent;
};

/* One message of any length up to LONGEST. MSG_NOSIGNAL: EPIPE instead of SIGPIPE, as in Python. */
static int send_text(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* One message, as a string. Returns 1, or 0 at the end: the other end is closed. Or -1. */
static int receive_text(int fd, char text[LONGEST + 1])
{
    ssize_t length;
    while ((length = recv(fd, text, LONGEST, 0)) == -1 && errno == EINTR)
        ;
    if (length == -1)
        return -1;
    text[length] = '\0';
    return length > 0;
}

/* The child: answers each word with its length, then says so when the parent has sent the last. */
static int answer(void *argument)
{
    const struct connection *connection = argument;
    int fd = connection->theirs;
    char word[LONGEST + 1], reply[LONGEST + 50];
    check(end_with_parent(connection->parent));
    check(close(connection->mine)); /* else the child would keep the other end open, for itself */
    while (check(receive_text(fd, word)) == 1) {
        snprintf(reply, sizeof reply, "%s has %zu letters", word, strlen(word));
        check(send_text(fd, reply));
    }
    check(send_text(fd, "that was the last word"));
    check(close(fd));
    return 0;
}

int main(void)
{
    int ends[2];
    char text[LONGEST + 1];
    const char *const words[] = { "queue", "pipe", "socketpair" };

    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    struct connection connection = { .mine = ends[0], .theirs = ends[1], .parent = getpid() };
    pid_t child = check(start_child(answer, &connection));
    check(close(connection.theirs));

    /* All are sent before one is read: the child may have read none, or all. Messages wait. */
    for (int i = 0; i < 3 && send_text(connection.mine, words[i]) == 0; i++)
        say("parent sends: %s", words[i]);
    check(shutdown(connection.mine, SHUT_WR));  /* one direction ends; the other one stays open */
    int result;
    while ((result = receive_text(connection.mine, text)) == 1)
        say("parent receives: %s", text);
    if (check(wait_children(&child, 1)) != 0)
        return 1;                   /* killed: then send or recv has failed, or the end came early */
    check(result);
    say("parent receives: the end");
    check(close(connection.mine));
}

/* Output:
parent sends: queue
parent sends: pipe
parent sends: socketpair
parent receives: queue has 5 letters
parent receives: pipe has 4 letters
parent receives: socketpair has 10 letters
parent receives: that was the last word
parent receives: the end
*/
