/* wrong output | Keep that part */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WRITERS = 16, MAX_LENGTH = 1000 };
#define USAGE "log_collector FILE LENGTH COUNT...   (LENGTH: 40 to 1000; 1 to 16 numbers COUNT, each 0 to 9999)"

/* Writes line NUMBER of writer WRITER to TEXT: at most LENGTH bytes, then '\0'. There is no '\n' in it. */
static void make_text(char *text, int length, int writer, int number)
{
    int size = length - (writer * 17 + number * 29) % (length / 2);
    for (int i = snprintf(text, MAX_LENGTH + 1, "writer %d line %d ", writer, number); i < size; i++)
        text[i] = (char)('a' + (i + writer + number) % 26);
    text[size] = '\0';
}

/* Looks at every line of the log; tells the first one that is wrong, or how many there are of each writer. */
static void tell_log(const char *path, int length, int writers)
{
    int lines = 0, last[MAX_WRITERS + 1] = { 0 };
    char *line = NULL;
    size_t room = 0;
    FILE *file = check_ptr(fopen(path, "r"));
    bool good = true;
    while (good && getline(&line, &room, file) != -1) {
        char text[MAX_LENGTH + 1], right[MAX_LENGTH + 32] = "";
        int number, writer, of_writer;
        lines++;
        if (sscanf(line, "%9d writer %9d line %9d ", &number, &writer, &of_writer) == 3 && writer >= 1 &&
            writer <= writers && of_writer >= 1) {
            make_text(text, length, writer, of_writer);
            snprintf(right, sizeof right, "%d %s", number, text);
        }
        good = false;
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, right) != 0)
            say("line %d of the log is not whole: %.100s", lines, line);
        else if (number != lines)
            say("line %d of the log has the number %d", lines, number);
        else if (of_writer != last[writer] + 1)
            say("line %d of the log: line %d of writer %d comes after its line %d", lines, of_writer, writer, last[writer]);
        else
            good = true, last[writer]++;
    }
    for (int i = 1; good && i <= writers; i++)
        say("writer %d: %d lines, whole and in order", i, last[i]);
    say("the log has %d lines%s", lines, good ? "" : ", or more");
    free(line);
    check(fclose(file));
}

struct writer {
    int number, lines, length;
    const int *queue;               /* the two ends of the pipe */
    pid_t parent;
};

struct collector {
    int log_fd;
    const int *queue;
    pid_t parent;
};

_Static_assert(MAX_LENGTH + 1 <= PIPE_BUF, "a longer line could be torn by another writer");

/* Each line is one write, with its '\n': the kernel puts it into the pipe in one piece. */
static int write_lines(void *argument)
{
    const struct writer *self = argument;
    check(end_with_parent(self->parent));
    check(close(self->queue[0]));
    for (int i = 1; i <= self->lines; i++) {
        char line[MAX_LENGTH + 2];
        make_text(line, self->length, self->number, i);
        size_t size = strlen(line);
        line[size++] = '\n';
        check(write_full(self->queue[1], line, size));
    }
    return 0;
}

/* Reads until the end of file, which comes when no process has the write end any more: so nothing is lost. */
static int collect(void *argument)
{
    const struct collector *self = argument;
    char buffer[16 * 1024], numbered[MAX_LENGTH + 32];
    size_t used = 0;
    int lines = 0;
    check(end_with_parent(self->parent));
    check(close(self->queue[1]));   /* else the collector itself could still write: no end of file */
    for (;;) {
        ssize_t count = read(self->queue[0], buffer + used, sizeof buffer - used);
        if (count == -1 && errno == EINTR)
            continue;
        if (check(count) == 0)
            break;
        used += (size_t)count;
        char *line = buffer, *end;
        while ((end = memchr(line, '\n', used - (size_t)(line - buffer))) != NULL) {
            int size = snprintf(numbered, sizeof numbered, "%d %.*s\n", ++lines, (int)(end - line), line);
            check(write_full(self->log_fd, numbered, (size_t)size));
            line = end + 1;
        }
        used = 0;
    }
    if (used > 0)
        die("a writer ended in the middle of a line");
    return 0;
}

int main(int argc, char **argv)
{
    int writers = argc - 3;
    long length, count[MAX_WRITERS];
    if (writers < 1 || writers > MAX_WRITERS || parse_number(argv[2], 40, MAX_LENGTH, &length) == -1)
        usage(USAGE);
    for (int i = 0; i < writers; i++)
        if (parse_number(argv[3 + i], 0, 9999, &count[i]) == -1)
            usage(USAGE);
    int log_fd = check(open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));

    int queue[2];
    check(pipe(queue));
    struct collector collector = { .log_fd = log_fd, .queue = queue, .parent = getpid() };
    struct writer writer[MAX_WRITERS];
    pid_t pids[MAX_WRITERS + 1];
    for (int i = 0; i < writers; i++) {
        writer[i] = (struct writer){ i + 1, (int)count[i], (int)length, queue, getpid() };
        pids[i] = check(start_child(write_lines, &writer[i]));
    }
    pids[writers] = check(start_child(collect, &collector));
    check(close(queue[0]));         /* if the collector is killed, the writers see it: nobody reads any more */
    check(close(queue[1]));         /* and this one, or the collector would wait for us */

    if (check(wait_children(pids, writers + 1)) != 0)
        return 1;                   /* it has been told, and the others were ended */
    check(close(log_fd));
    tell_log(argv[1], (int)length, writers);
    return 0;
}
