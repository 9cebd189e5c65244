#include "workbook.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Writes one whole line to stderr, without stdio's buffer and without touching errno. */
static void complain(const char *line)
{
    char text[1024];
    int length = snprintf(text, sizeof text, "%.1000s\n", line);
    if (length > 0 && write_full(STDERR_FILENO, text, (size_t)length) == -1)
        _exit(1);               /* stderr itself is broken: nobody is left to tell */
}

static _Noreturn void failed(const char *file, int line, const char *call, int code)
{
    const char *slash = strrchr(file, '/');
    char text[512];
    snprintf(text, sizeof text, "%s:%d: %s: %s", slash ? slash + 1 : file, line, call, strerror(code));
    complain(text);
    _exit(1);
}

void failed_call(const char *file, int line, const char *call)
{
    failed(file, line, call, errno);
}

void failed_code(const char *file, int line, const char *call, int code)
{
    failed(file, line, call, code);
}

void die(const char *format, ...)
{
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    complain(text);
    _exit(1);
}

void usage(const char *text)
{
    char line[1000];
    snprintf(line, sizeof line, "usage: %s", text);
    complain(line);
    _exit(2);
}

#define NAME_OF(code) case code: return #code
const char *errno_name(int code)
{
    switch (code) {
    NAME_OF(EACCES); NAME_OF(EAGAIN); NAME_OF(EBADF); NAME_OF(EBUSY); NAME_OF(ECHILD);
    NAME_OF(ECONNREFUSED); NAME_OF(ECONNRESET); NAME_OF(EDEADLK); NAME_OF(EEXIST); NAME_OF(EINTR);
    NAME_OF(EINVAL); NAME_OF(EMFILE); NAME_OF(ENOENT); NAME_OF(ENOEXEC); NAME_OF(ENOMEM);
    NAME_OF(ENOTDIR); NAME_OF(ENOTRECOVERABLE); NAME_OF(EOWNERDEAD); NAME_OF(EPERM); NAME_OF(EPIPE);
    NAME_OF(ERANGE); NAME_OF(ESRCH); NAME_OF(ETIMEDOUT);
    default: return "E?";
    }
}
