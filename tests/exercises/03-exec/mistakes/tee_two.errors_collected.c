/* wrong output | standard error stays as it is */
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

/* ---- Yours ---- */

struct program {
    pid_t pid;
    int status;                 /* its wait status, when it has ended */
    size_t sent;                /* how many bytes of the input it has */
    struct text output;
};

/* Which of our four ends is which: the two of program I stand at 2 * I and 2 * I + 1. */
enum { TO = 0, FROM = 1, ENDS = 4 };

static void put(int fd, int target)
{
    if (fd == target)
        check(fcntl(fd, F_SETFD, 0));       /* it is in its place already: keep it open at exec */
    else
        check(dup2(fd, target));
}

/* Starts COMMAND. All ends are close-on-exec: neither program gets an end that is meant for the other. */
static void start(struct program *program, const char *command, struct pollfd *ends)
{
    int to[2], from[2];
    check(pipe2(to, O_CLOEXEC));
    check(pipe2(from, O_CLOEXEC));
    program->pid = check(fork());
    if (program->pid == 0) {
        /* exec keeps an ignored signal ignored; we ignore SIGPIPE, the program must not */
        struct sigaction usual = { .sa_handler = SIG_DFL };
        check(sigaction(SIGPIPE, &usual, NULL));
        put(to[0], STDIN_FILENO);
        put(from[1], STDOUT_FILENO);
        put(from[1], STDERR_FILENO);
        check(execlp("sh", "sh", "-c", command, (char *)NULL));
    }
    check(close(to[0]));        /* if we read there too, write would never tell that nobody does */
    check(close(from[1]));      /* if we wrote there too, read would never see the end */
    check(fcntl(to[1], F_SETFL, O_NONBLOCK));       /* write takes what fits, and never waits */
    ends[TO] = (struct pollfd){ .fd = to[1], .events = POLLOUT };
    ends[FROM] = (struct pollfd){ .fd = from[0], .events = POLLIN };
}

static void shut(struct pollfd *end)
{
    check(close(end->fd));
    end->fd = -1;               /* poll takes no notice of a negative descriptor */
}

/* Writes what fits. Closes the pipe when all is sent, or when the program reads no more. */
static void send_more(struct program *program, const struct text *input, struct pollfd *end)
{
    if (program->sent < input->size) {
        ssize_t count = write(end->fd, input->bytes + program->sent, input->size - program->sent);
        if (count == -1 && errno == EPIPE)
            program->sent = input->size;    /* it wants no more. No error */
        else if (count != -1 || errno != EAGAIN)
            program->sent += (size_t)check(count);
    }
    if (program->sent == input->size)
        shut(end);              /* end of file for the program */
}

/* Runs the two commands, gives INPUT to both, and tells how they ended and what they printed.
   Returns the exit status of tee_two: 0 or 1. */
static int tee_two(char **commands, const struct text *input)
{
    struct program programs[2] = { { .pid = 0 }, { .pid = 0 } };
    struct pollfd ends[ENDS];
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    check(sigaction(SIGPIPE, &ignore, NULL));       /* write then says EPIPE */
    for (int i = 0; i < 2; i++)
        start(&programs[i], commands[i], &ends[2 * i]);

    /* As long as one of the four is open: do what can be done without waiting. */
    while (ends[0].fd != -1 || ends[1].fd != -1 || ends[2].fd != -1 || ends[3].fd != -1) {
        int ready = poll(ends, ENDS, -1);
        if (ready == -1 && errno == EINTR)
            continue;
        check(ready);
        for (int i = 0; i < 2; i++) {
            /* any answer counts, not only POLLOUT and POLLIN: POLLERR and POLLHUP tell that the
               other side is gone, and then write says EPIPE, and read says end of file */
            if (ends[2 * i + TO].revents != 0)
                send_more(&programs[i], input, &ends[2 * i + TO]);
            if (ends[2 * i + FROM].revents != 0 && !read_more(ends[2 * i + FROM].fd, &programs[i].output))
                shut(&ends[2 * i + FROM]);
        }
    }

    int result = 0;
    for (int i = 0; i < 2; i++) {
        check(waitpid(programs[i].pid, &programs[i].status, 0));
        if (programs[i].status != 0)
            result = 1;
    }
    for (int i = 0; i < 2; i++) {
        tell(i + 1, programs[i].status, &programs[i].output);
        free(programs[i].output.bytes);
    }
    return result;
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
