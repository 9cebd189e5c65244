/* file_server.c - an exercise: a server that sends the files of one folder, by name, and nothing else.
   Task:  file_server PORT FOLDER  listens on 127.0.0.1, port PORT (given), and runs until SIGTERM comes.
          1. A client sends names, one a line, as many as it likes. The answer to a name is the size of that file in
             decimal, a newline, and exactly so many bytes: the file, whatever is in it, however big it is.
             Or it is the line  none .  Names come in any packets. They are answered in their order.
          2. A file is sent if it is a regular file, lies in FOLDER itself, and can be read. For everything else the
             answer is  none : a name with a / in it, a folder, a symbolic link, a FIFO, an empty name, a name of more
             than 255 bytes (however long), a name with the byte 0. No client gets what lies outside of FOLDER,
             and none makes the server wait.
          3. When the client has ended its side, the server sends what is left, and ends the connection.
          4. Many clients are connected at the same time (at least 10), and none waits for another one: not even for one
             that has asked for a big file and does not take it.
          5. A client may go away at any moment, in the middle of a file. That harms nobody else.
          6. A file is closed when it has been sent. When a client has gone, all that it needed is given back at once:
             descriptors, and its process, if it had one. The server that waits has no zombies.
          7. SIGTERM: the server ends with exit status 0 within a second, even with clients connected.
          A process a client, a thread a client, or one poll for all: that is your choice.
   Calls: open(2) or openat(2), fstat(2), read(2), close(2), accept(2), recv(2), send(2); sigaction(2) or signalfd(2);
          fork(2) and waitpid(2), or pthread_create(3), or poll(2)
   Try:   build/exercises/file_server 4711 exercises , and in another window  build/echo_client 4711 */
#include "workbook.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 255 };

/* ---- Given: a socket that listens. (The exercise line_server is about this.) ---- */

static int listen_on(long port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int yes = 1, listener = check(socket(AF_INET, SOCK_STREAM, 0));
    check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    check(bind(listener, (const struct sockaddr *)&address, size));
    check(listen(listener, SOMAXCONN));
    check(getsockname(listener, (struct sockaddr *)&address, &size));
    say("listening on port %d", ntohs(address.sin_port));
    return listener;
}

/* ---- Yours ---- */

/* TODO 1: the file of a name, or none */
/* TODO 2: one talk: names come in pieces, files go out whole */
/* TODO 3: take clients, until SIGTERM comes; then clean up */

int main(int argc, char **argv)
{
    long port;
    if (argc != 3 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("file_server PORT FOLDER   (PORT 0: any free one)");
    /* TODO 4: what must be ready before the first client can come? */
    int listener = listen_on(port);
    check(close(listener));
    return 0;
}

/* Output of ./file_server 0 exercises until SIGTERM, with ./echo_client PORT < exercises/file_server.txt:
listening on port N1
42
file_server.txt
no_such_file
../lines.txt
none
none
*/
