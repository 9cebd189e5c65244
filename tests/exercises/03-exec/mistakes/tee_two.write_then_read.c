/* hang | waits in write */
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
    for (int i = 0; i < 2; i++)
        if (programs[i].to != -1) {
            if (write_full(programs[i].to, input->bytes, input->size) == -1 && errno != EPIPE)
                die("write: %s", errno_name(errno));
            check(close(programs[i].to));
        }
    for (int i = 0; i < 2; i++) {
        while (read_more(programs[i].from, &programs[i].output))
            ;
        check(close(programs[i].from));
    }
    for (int i = 0; i < 2; i++)
        check(waitpid(programs[i].pid, &programs[i].status, 0));
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
