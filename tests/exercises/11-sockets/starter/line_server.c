/* line_server.c - an exercise: a server for lines, whatever the packets.
   Task:  line_server PORT  listens on 127.0.0.1 only, and on PORT (0: any free one). When clients can connect, it says
          "listening on port N". It prints nothing else. It runs until SIGTERM comes.
          1. Each line that a client sends is answered by one line: the number of its bytes, a space, the line.
             A line ends with a newline, which does not count, and may hold any other byte, the byte 0 too.
          2. An answer is sent when its line is complete, whole, and in the order of the lines.
          3. A line has at most 1000 bytes. One that is longer gets the answer  too long  (once), and all of
             it is thrown away, up to its newline. However long it is, the server's memory does not grow.
          4. When the client has ended its side, the server sends the answers that are left, and ends the
             connection. What came behind the last newline is no line.
          5. Many clients are connected at the same time (at least 10), and none waits for another one: not even for one
             that begins a line and does not go on, or that does not take its answers.
          6. A client may go away at any moment. That harms nobody else.
          7. When a client has gone, all that it needed is given back at once: descriptors, and its process, if it had
             one: while the server waits for clients, it has no zombies.
          8. SIGTERM: the server ends with exit status 0 within a second, even with clients connected. Nothing is
             left behind, and it can be started again at once on the same port.
          A process a client, a thread a client, or one poll for all: that is your choice.
   Calls: socket(2), setsockopt(2), bind(2), listen(2), getsockname(2), accept(2), recv(2), send(2), close(2); sigaction(2)
          or signalfd(2); fork(2) and waitpid(2), or pthread_create(3), or poll(2)
   Try:   build/exercises/line_server 4711, and in another window build/echo_client 4711 */
#include "workbook.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 1000 };

/* TODO 1: a socket that listens on 127.0.0.1 and PORT */
/* TODO 2: one talk: bytes come in pieces, answers go out whole */
/* TODO 3: take clients, until SIGTERM comes; then clean up */

int main(int argc, char **argv)
{
    long port;
    if (argc != 2 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("line_server PORT   (0: any free one)");
    return 0;
}

/* Output of ./line_server 0 until SIGTERM, with ./echo_client PORT < lines.txt:
listening on port N1
14 Hello, server!
15 Grüße, 你好
*/
