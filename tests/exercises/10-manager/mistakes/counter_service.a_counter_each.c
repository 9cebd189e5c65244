/* wrong output | a counter of its own */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 15 };
#define USAGE "counter_service PATH [ask REQUEST...]"

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        usage(USAGE);
    strcpy(address.sun_path, path);
    return address;
}

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

static long counter;

static void talk(int client)
{
    char request[LONGEST], reply[30], byte;
    size_t have = 0;
    int size;
    while (read_full(client, &byte, 1) == 1) {
        if (byte != '\n' && have < LONGEST) {
            request[have++] = byte;
            continue;
        }
        bool inc = have == 3 && memcmp(request, "INC", 3) == 0;
        bool get = have == 3 && memcmp(request, "GET", 3) == 0;
        counter += inc;
        size = inc || get ? snprintf(reply, sizeof reply, "%ld\n", counter) : snprintf(reply, sizeof reply, "ERROR\n");
        if (send(client, reply, (size_t)size, MSG_NOSIGNAL) != size || byte != '\n')
            return;
        have = 0;
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[2], "ask") == 0)
        return ask(argv[1], argv + 3);
    if (argc != 2)
        usage(USAGE);
    struct sockaddr_un address = address_of(argv[1]);
    handle(SIGTERM, on_term);
    handle(SIGCHLD, on_chld);
    int listener = check(socket(AF_UNIX, SOCK_STREAM, 0));
    check(bind(listener, (const struct sockaddr *)&address, sizeof address));
    check(listen(listener, SOMAXCONN));
    say("listening on %s", argv[1]);
    while (!stop) {
        int client = accept(listener, NULL, NULL);
        if (client == -1 && errno == EINTR)
            continue;
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
    check(unlink(argv[1]));
    handle(SIGTERM, SIG_IGN);
    check(kill(0, SIGTERM));
    while (wait(NULL) != -1 || errno == EINTR)
        ;
    return 0;
}
