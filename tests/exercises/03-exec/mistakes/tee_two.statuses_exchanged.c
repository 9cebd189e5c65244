/* wrong output | exchanged */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Given: bytes that come, and what is printed at the end. ---- */

struct text { char *bytes; size_t size, room; };    /* begin with { NULL, 0, 0 } */

/* Reads once, and adds what came to TEXT. False at end of file. */
static bool read_more(int fd, struct text *text)
{
    if (text->size == text->room) {
        text->room = text->room == 0 ? 65536 : 2 * text->room;
        text->bytes = check_ptr(realloc(text->bytes, text->room));
    }
    ssize_t count = check(read(fd, text->bytes + text->size, text->room - text->size));
    text->size += (size_t)count;
    return count > 0;
}

/* Prints how program NUMBER (1 or 2) ended, then its output. STATUS is what waitpid gave. */
static void tell(int number, int status, const struct text *output)
{
    if (WIFSIGNALED(status))
        say("%d: killed by signal %d, %zu bytes", number, WTERMSIG(status), output->size);
    else
        say("%d: exit status %d, %zu bytes", number, WEXITSTATUS(status), output->size);
    check(write_full(STDOUT_FILENO, output->bytes, output->size));
}

struct program { pid_t pid; int to, from; size_t sent; struct text output; int status; };

static void start(struct program *program, const char *command)
{
    int to[2], from[2];
    check(pipe2(to, O_CLOEXEC));
    check(pipe2(from, O_CLOEXEC));
    program->pid = check(fork());
    if (program->pid == 0) {
        struct sigaction usual = { .sa_handler = SIG_DFL };
        check(sigaction(SIGPIPE, &usual, NULL));
        check(dup2(to[0], STDIN_FILENO));
        check(dup2(from[1], STDOUT_FILENO));
        check(execlp("sh", "sh", "-c", command, (char *)NULL));
    }
    check(close(to[0]));
    check(close(from[1]));
    check(fcntl(to[1], F_SETFL, O_NONBLOCK));
    program->to = to[1];
    program->from = from[0];
}

static int tee_two(char **commands, const struct text *input)
{
    struct program programs[2] = { { .pid = 0 }, { .pid = 0 } };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    check(sigaction(SIGPIPE, &ignore, NULL));
    for (int i = 0; i < 2; i++) {
        start(&programs[i], commands[i]);
        if (input->size == 0) {
            check(close(programs[i].to));
            programs[i].to = -1;
        }
    }
    while (programs[0].to != -1 || programs[1].to != -1 || programs[0].from != -1 || programs[1].from != -1) {
        struct pollfd fds[4];
        for (int i = 0; i < 2; i++) {
            fds[2 * i] = (struct pollfd){ .fd = programs[i].to, .events = POLLOUT };
            fds[2 * i + 1] = (struct pollfd){ .fd = programs[i].from, .events = POLLIN };
        }
        check(poll(fds, 4, -1));
        for (int i = 0; i < 2; i++) {
            struct program *p = &programs[i];
            if (fds[2 * i].revents != 0) {
                ssize_t count = write(p->to, input->bytes + p->sent, input->size - p->sent);
                if (count == -1 && errno == EPIPE)
                    p->sent = input->size;
                else if (count == -1 && errno == EAGAIN)
                    count = 0;
                else
                    p->sent += (size_t)check(count);
                if (p->sent == input->size) {
                    check(close(p->to));
                    p->to = -1;
                }
            }
            if (fds[2 * i + 1].revents != 0 && !read_more(p->from, &p->output)) {
                check(close(p->from));
                p->from = -1;
            }
        }
    }
    for (int i = 0; i < 2; i++)
        check(waitpid(-1, &programs[i].status, 0));
    for (int i = 0; i < 2; i++) {
        tell(i + 1, programs[i].status, &programs[i].output);
        free(programs[i].output.bytes);
    }
    return programs[0].status == 0 && programs[1].status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        usage("tee_two COMMAND1 COMMAND2 < INPUT   (each is run by sh -c)");
    struct text input = { NULL, 0, 0 };
    while (read_more(STDIN_FILENO, &input))
        ;
    int result = tee_two(argv + 1, &input);
    free(input.bytes);
    return result;
}
