/* library.c - C library functions that the compiler's instrumentation does not see into. In the answer's object
   file (and nowhere else) memcpy is given the name judged_memcpy, and so on; the list is in exercise.bash.
   Some of them touch memory; others must not be called in a signal handler: see signal-safety(7). */
#include "calls.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what touches memory ---- */

void *judged_memcpy(void *to, const void *from, size_t size);
void *judged_memcpy(void *to, const void *from, size_t size)
{
    access_memory(from, size, false, HERE);
    access_memory(to, size, true, HERE);
    return memcpy(to, from, size);
}

void *judged_memmove(void *to, const void *from, size_t size);
void *judged_memmove(void *to, const void *from, size_t size)
{
    access_memory(from, size, false, HERE);
    access_memory(to, size, true, HERE);
    return memmove(to, from, size);
}

void *judged_memset(void *to, int value, size_t size);
void *judged_memset(void *to, int value, size_t size)
{
    access_memory(to, size, true, HERE);
    return memset(to, value, size);
}

char *judged_strcpy(char *to, const char *from);
char *judged_strcpy(char *to, const char *from)
{
    access_memory(from, strlen(from) + 1, false, HERE);
    access_memory(to, strlen(from) + 1, true, HERE);
    return strcpy(to, from);
}

/* ---- what a signal handler must not call: it may have interrupted the same function ---- */

static void not_in_handler(const char *name, uintptr_t at)
{
    if (PLAYED && handler_depth > 0)
        verdict("wrong call", "%s is called in a signal handler, at @%lx@: the handler may have interrupted %s itself\n",
                name, (unsigned long)at, name);
}

void *judged_malloc(size_t size);
void *judged_malloc(size_t size)
{
    not_in_handler("malloc", HERE);
    return malloc(size);
}

void *judged_calloc(size_t count, size_t size);
void *judged_calloc(size_t count, size_t size)
{
    not_in_handler("calloc", HERE);
    return calloc(count, size);
}

void *judged_realloc(void *memory, size_t size);
void *judged_realloc(void *memory, size_t size)
{
    not_in_handler("realloc", HERE);
    size_t before = memory != NULL ? malloc_usable_size(memory) : 0;
    void *grown = realloc(memory, size);
    if (grown != NULL && grown != memory && before > 0)
        forget_memory(memory, before);
    return grown;
}

void judged_free(void *memory);
void judged_free(void *memory)
{
    not_in_handler("free", HERE);
    if (memory != NULL)         /* it may be given out again, to a task that knows nothing of this one */
        forget_memory(memory, malloc_usable_size(memory));
    free(memory);
}

__attribute__((format(printf, 1, 2))) int judged_printf(const char *format, ...);
int judged_printf(const char *format, ...)
{
    va_list arguments;
    not_in_handler("printf", HERE);
    va_start(arguments, format);
    int count = vprintf(format, arguments);
    va_end(arguments);
    return count;
}

__attribute__((format(printf, 2, 3))) int judged_fprintf(FILE *file, const char *format, ...);
int judged_fprintf(FILE *file, const char *format, ...)
{
    va_list arguments;
    not_in_handler("fprintf", HERE);
    va_start(arguments, format);
    int count = vfprintf(file, format, arguments);
    va_end(arguments);
    return count;
}

int judged_puts(const char *text);
int judged_puts(const char *text)
{
    not_in_handler("puts", HERE);
    return puts(text);
}

int judged_putchar(int byte);
int judged_putchar(int byte)
{
    not_in_handler("putchar", HERE);
    return putchar(byte);
}

int judged_fputs(const char *text, FILE *file);
int judged_fputs(const char *text, FILE *file)
{
    not_in_handler("fputs", HERE);
    return fputs(text, file);
}

void judged_exit(int code);
void judged_exit(int code)
{
    not_in_handler("exit", HERE);
    exit(code);
}
