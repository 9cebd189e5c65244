/* wrong exit status | EINTR */
#include "workbook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 1000 };

static bool send_all(int client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = send(client, bytes, size, MSG_NOSIGNAL);
        if (count == -1 && errno != EINTR)
            return false;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    return true;
}

struct line {
    char bytes[LONGEST];
    size_t length;
    bool too_long;
};

static bool answer(int client, struct line *line)
{
    char reply[LONGEST + 20];
    int size = snprintf(reply, sizeof reply, "%zu ", line->length);
    if (line->too_long)
        size = snprintf(reply, sizeof reply, "too long");
    for (size_t i = 0; i < line->length && !line->too_long; i++)
        reply[size++] = line->bytes[i];
    reply[size++] = '\n';
    line->length = 0;
    line->too_long = false;
    return send_all(client, reply, (size_t)size);
}

static void talk(int client)
{
    struct line line = { .length = 0 };
    char bytes[4096];
    for (;;) {
        ssize_t count = recv(client, bytes, sizeof bytes, 0);
        if (count == -1 && errno == EINTR)
            continue;
        if (count <= 0)
            return;
        for (ssize_t i = 0; i < count; i++)
            if (bytes[i] == '\n') {
                if (!answer(client, &line))
                    return;
            } else if (line.length < LONGEST)
                line.bytes[line.length++] = bytes[i];
            else
                line.too_long = true;
    }
}

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

static volatile sig_atomic_t stop;

static void on_term(int number)
{
    (void)number;
    stop = 1;
}

static void on_chld(int number)
{
    (void)number;
    int saved = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL));
}

int main(int argc, char **argv)
{
    long port;
    if (argc != 2 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("line_server PORT   (0: any free one)");
    handle(SIGTERM, on_term);
    handle(SIGCHLD, on_chld);
    int listener = listen_on(port);
    while (!stop) {
        int client = accept(listener, NULL, NULL);
        if (client == -1 && stop)
            break;
        check(client);
        pid_t child = check(fork());
        if (child == 0) {
            handle(SIGTERM, SIG_DFL);
            check(close(listener));
            talk(client);
            _exit(0);
        }
        check(close(client));
    }
    check(close(listener));
    handle(SIGTERM, SIG_IGN);
    check(kill(0, SIGTERM));
    while (wait(NULL) != -1 || errno == EINTR)
        ;
    return 0;
}
