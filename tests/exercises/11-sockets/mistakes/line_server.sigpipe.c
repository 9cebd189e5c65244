/* crash | MSG_NOSIGNAL */
#include "workbook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 1000 };

static bool send_all(int client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = send(client, bytes, size, 0);
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

static void *talk_with(void *argument)
{
    int client = *(int *)argument;
    free(argument);
    talk(client);
    check(close(client));
    return NULL;
}

static void *take_clients(void *argument)
{
    const int *listener = argument;
    for (;;) {
        int *client = check_ptr(malloc(sizeof *client));
        pthread_t thread;
        while ((*client = accept(*listener, NULL, NULL)) == -1)
            ;
        check_pthread(pthread_create(&thread, NULL, talk_with, client));
        check_pthread(pthread_detach(thread));
    }
}

int main(int argc, char **argv)
{
    sigset_t set;
    pthread_t thread;
    long port;
    int number;
    if (argc != 2 || parse_number(argv[1], 0, 65535, &port) == -1)
        usage("line_server PORT   (0: any free one)");
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    check_pthread(pthread_sigmask(SIG_BLOCK, &set, NULL));
    int listener = listen_on(port);
    check_pthread(pthread_create(&thread, NULL, take_clients, &listener));
    check_pthread(pthread_detach(thread));
    check_pthread(sigwait(&set, &number));
    exit(0);
}
