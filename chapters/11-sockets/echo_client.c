/* echo_client.c - sends the lines of its input to a server, and prints the lines that come back.
   Python: socket.create_connection((host, port)), sendall, shutdown(socket.SHUT_WR), recv
   Calls:  poll(2), recv(2), send(2) with MSG_DONTWAIT, shutdown(2)
   Needs:  03-exec/communicate, 08-queues/pipe_duplex, echo, echo_server
   Try:    Start build/echo_server 4711, then build/echo_client 4711, and end the server by Ctrl-C, twice:
           the client tells it, though it waits for your next line. One poll waits for both. */
#include "workbook.h"

#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 65536 };

struct client {
    int server;                         /* the socket */
    bool input_ended;
    char out[SIZE], in[SIZE];           /* read, but not sent yet; received, but not printed yet */
    size_t out_start, out_end, in_end;
    long long sent, received;
};

/* The next input; when all that was read before has been sent. Its end is told to the server: shutdown
   ends this direction only. The last answers still come. */
static void take_input(struct client *client)
{
    ssize_t count = read(STDIN_FILENO, client->out, SIZE);
    if (count == -1 && (errno == EINTR || errno == EAGAIN))
        return;
    client->out_start = 0;
    client->out_end = (size_t)check(count);
    client->input_ended = count == 0;
    if (count == 0 && shutdown(client->server, SHUT_WR) == -1 && errno != ENOTCONN)
        check(-1);
}

/* Sends what the kernel has room for, and no more: a send that waits until the server takes it, while
   the server waits until we take its answers, would be a deadlock. */
static void send_some(struct client *client)
{
    ssize_t count = send(client->server, client->out + client->out_start, client->out_end - client->out_start,
        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
        client->out_start += (size_t)count;
        client->sent += count;
    } else if (errno != EAGAIN && errno != EINTR)
        client->out_start = client->out_end;    /* the server has gone: recv will say so */
}

/* How many of the bytes can be printed: whole lines. A line that is longer than the buffer is cut, but
   not within a character: in UTF-8 its second byte and those that follow begin with the bits 10. */
static size_t printable(const char *bytes, size_t size)
{
    const char *newline = memrchr(bytes, '\n', size);
    if (newline != NULL)
        return (size_t)(newline - bytes) + 1;
    if (size < SIZE)
        return 0;
    for (size = SIZE - 1; size > SIZE - 4 && ((unsigned char)bytes[size] & 0xC0) == 0x80; size--)
        ;
    return size;
}

/* Returns false at the end: the server has closed its side, or the connection is broken. */
static bool receive(struct client *client)
{
    ssize_t count = recv(client->server, client->in + client->in_end, SIZE - client->in_end, 0);
    if (count == -1 && errno == EINTR)
        return true;
    client->in_end += count > 0 ? (size_t)count : 0;
    client->received += count > 0 ? count : 0;
    size_t print = count > 0 ? printable(client->in, client->in_end) : client->in_end;
    check(write_full(STDOUT_FILENO, client->in, print));
    client->in_end -= print;
    memmove(client->in, client->in + print, client->in_end);
    return count > 0;
}

int main(int argc, char **argv)
{
    static struct client client;
    const char *address = argc == 3 ? argv[2] : "127.0.0.1";
    long port;
    if (argc < 2 || argc > 3 || parse_number(argv[1], 1, 65535, &port) == -1)
        usage("echo_client PORT [ADDRESS] < lines");
    client.server = connect_to(address, argv[1]);
    if (client.server == -1 && errno == EINVAL)
        usage("echo_client PORT [ADDRESS] < lines   (ADDRESS: numbers, such as 127.0.0.1 or ::1)");
    if (client.server == -1)
        die("no server at %s, port %s: %s", address, argv[1], strerror(errno));

    for (bool open = true; open; ) {
        bool unsent = client.out_start < client.out_end;
        struct pollfd fds[2] = {
            { .fd = client.server, .events = unsent ? POLLIN | POLLOUT : POLLIN },
            { .fd = unsent || client.input_ended ? -1 : STDIN_FILENO, .events = POLLIN },   /* -1: not now */
        };
        int ready = poll(fds, 2, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        if (fds[0].revents & POLLOUT)
            send_some(&client);
        if (fds[1].revents != 0)
            take_input(&client);
        if (fds[0].revents & ~POLLOUT)          /* bytes, the end, or an error: recv tells which */
            open = receive(&client);
    }
    check(close(client.server));
    if (!client.input_ended || client.out_start < client.out_end || client.received < client.sent)
        die("the server ended the talk: %lld bytes sent, %lld received", client.sent, client.received);
}

/* Output of ./echo_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
HELLO, SERVER!
GRüßE, 你好
1 served
*/
