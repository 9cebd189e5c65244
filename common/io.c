#include "workbook.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void say(const char *format, ...)
{
    char line[4096];            /* PIPE_BUF on Linux: a write up to this size to a pipe is never torn */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line)
        die("say: a line must be shorter than %zu bytes", sizeof line);
    line[length] = '\n';
    check(write_full(STDOUT_FILENO, line, (size_t)length + 1));
}

ssize_t read_full(int fd, void *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(fd, (char *)buffer + done, size - done);
        if (count == 0)
            break;              /* end of file */
        if (count == -1 && errno == EINTR)
            continue;
        if (count == -1)
            return -1;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

ssize_t write_full(int fd, const void *buffer, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = write(fd, (const char *)buffer + done, size - done);
        if (count == -1 && errno == EINTR)
            continue;
        if (count == -1)
            return -1;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

int parse_number(const char *text, long low, long high, long *number)
{
    char *end;
    /* strtol would skip spaces and take a '+'; an argument should be a plain number */
    if (text[0] != '-' && (text[0] < '0' || text[0] > '9')) {
        errno = EINVAL;
        return -1;
    }
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0') {
        errno = EINVAL;
        return -1;
    }
    if (errno == ERANGE || value < low || value > high) {
        errno = ERANGE;
        return -1;
    }
    *number = value;
    return 0;
}

void no_arguments(int argc, char **argv)
{
    if (argc <= 1)
        return;
    char line[300];
    snprintf(line, sizeof line, "%.200s  (it takes no arguments)", argv[0]);
    usage(line);
}
