/* handlers.c - looks at what signal handlers do. Linked into an answer that was compiled with -fsanitize=thread, which
   puts a call before each access to memory, and with --wrap for the functions below (see signals.bash).
   It makes the file ./handlers with one line for each thing that it finds in the first process:
     call NAME ADDRESS          a handler calls NAME, which is not async-signal-safe
     plain VARIABLE ADDRESS     a handler and the rest use this variable, one of them writes it, and it is neither
                                volatile nor atomic
     busy VARIABLE ADDRESS      the rest reads what a handler writes, again and again
   Where the moment matters (before the handler was set, while its signal is blocked), nothing is found that is allowed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 512, MANY = 2000, PRESS_MS = 3 };

extern char __data_start, _end;
static pid_t first;
static struct variable {
    uintptr_t address;
    bool handler_reads, handler_writes, rest_uses, rest_writes, plain, told;
    unsigned reads;
} variables[MOST];
static int count;
static struct sigaction actions[65];
static bool installed;
static _Thread_local int depth;
static _Thread_local char *frames[16];

#define HERE ((uintptr_t)__builtin_return_address(0) - 1)

__attribute__((constructor))
static void begin(void)
{
    first = (pid_t)syscall(SYS_getpid);
}

static bool in_first(void)
{
    return (pid_t)syscall(SYS_getpid) == first;
}

/* A handler may also be left by siglongjmp: then the stack is shorter than its frame. */
static bool in_handler(void)
{
    while (depth > 0 && (char *)__builtin_frame_address(0) > frames[depth - 1])
        depth--;
    return depth > 0;
}

static void tell(const char *text)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "handlers", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (fd == -1)
        return;
    syscall(SYS_write, fd, text, strlen(text));
    syscall(SYS_close, fd);
}

int __real_snprintf(char *, size_t, const char *, ...);

static void tell_call(const char *name, uintptr_t at)
{
    char line[120];
    if (!in_handler() || !in_first())
        return;
    __real_snprintf(line, sizeof line, "call %s %lx\n", name, (unsigned long)at);
    tell(line);
}

static void tell_variable(const char *what, struct variable *variable, uintptr_t at)
{
    char line[120];
    if (variable->told)
        return;
    variable->told = true;
    __real_snprintf(line, sizeof line, "%s %lx %lx\n", what, (unsigned long)variable->address, (unsigned long)at);
    tell(line);
}

/* ---- variables ---- */

static bool may_come_now(void)
{
    unsigned long blocked = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, 8L);
    for (int number = 1; number <= 31; number++)
        if (actions[number].sa_handler != NULL && !(blocked >> (number - 1) & 1))
            return true;
    return false;
}

static void used(const volatile void *memory, bool write, bool plain, uintptr_t at)
{
    uintptr_t address = (uintptr_t)memory;
    if (address < (uintptr_t)&__data_start || address >= (uintptr_t)&_end || !installed || !in_first())
        return;
    int i = 0;
    while (i < count && variables[i].address != address)
        i++;
    if (i == MOST)
        return;
    if (i == count)
        variables[count++].address = address;
    struct variable *variable = &variables[i];
    if (in_handler()) {
        variable->handler_reads |= !write;
        variable->handler_writes |= write;
    } else {
        variable->rest_uses = true;
        /* what is set before the first signal, and only read by its handler, is allowed */
        variable->rest_writes |= write && variable->handler_reads && may_come_now();
        if (!write && variable->handler_writes && ++variable->reads == MANY)
            tell_variable("busy", variable, at);
    }
    variable->plain |= plain;
    if (variable->plain && ((variable->handler_writes && variable->rest_uses) || (variable->handler_reads && variable->rest_writes)))
        tell_variable("plain", variable, at);
}

void __tsan_init(void);
void __tsan_init(void) { }
void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void);
void __tsan_func_exit(void) { }

#define ACCESS(name, write, plain) \
    void __tsan_##name(void *address); \
    void __tsan_##name(void *address) { used(address, write, plain, HERE); }
#define PLAIN(size) \
    ACCESS(read##size, false, true) ACCESS(write##size, true, true) \
    ACCESS(unaligned_read##size, false, true) ACCESS(unaligned_write##size, true, true) \
    ACCESS(volatile_read##size, false, false) ACCESS(volatile_write##size, true, false) \
    ACCESS(unaligned_volatile_read##size, false, false) ACCESS(unaligned_volatile_write##size, true, false)
PLAIN(1) PLAIN(2) PLAIN(4) PLAIN(8) PLAIN(16)

void __tsan_read_range(void *address, unsigned long size);
void __tsan_read_range(void *address, unsigned long size) { (void)size; used(address, false, true, HERE); }
void __tsan_write_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size) { (void)size; used(address, true, true, HERE); }

#define CHANGE(bits, type, name, operation) \
    type __tsan_atomic##bits##_##name(volatile type *a, type v, int order); \
    type __tsan_atomic##bits##_##name(volatile type *a, type v, int order) \
    { (void)order; used(a, false, false, HERE); used(a, true, false, HERE); return operation(a, v, __ATOMIC_SEQ_CST); }
#define COMPARE(bits, type, name) \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *a, type *expected, type v, int order, int failed); \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *a, type *expected, type v, int order, int failed) \
    { (void)order, (void)failed; used(a, true, false, HERE); \
      return __atomic_compare_exchange_n(a, expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); }
#define ATOMIC_OF(bits, type) \
    type __tsan_atomic##bits##_load(const volatile type *a, int order); \
    type __tsan_atomic##bits##_load(const volatile type *a, int order) \
    { (void)order; used(a, false, false, HERE); return __atomic_load_n(a, __ATOMIC_SEQ_CST); } \
    void __tsan_atomic##bits##_store(volatile type *a, type v, int order); \
    void __tsan_atomic##bits##_store(volatile type *a, type v, int order) \
    { (void)order; used(a, true, false, HERE); __atomic_store_n(a, v, __ATOMIC_SEQ_CST); } \
    CHANGE(bits, type, exchange, __atomic_exchange_n) CHANGE(bits, type, fetch_add, __atomic_fetch_add) \
    CHANGE(bits, type, fetch_sub, __atomic_fetch_sub) CHANGE(bits, type, fetch_and, __atomic_fetch_and) \
    CHANGE(bits, type, fetch_or, __atomic_fetch_or) CHANGE(bits, type, fetch_xor, __atomic_fetch_xor) \
    CHANGE(bits, type, fetch_nand, __atomic_fetch_nand) COMPARE(bits, type, strong) COMPARE(bits, type, weak) \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type v, int order, int failed); \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type v, int order, int failed) \
    { (void)order, (void)failed; used(a, true, false, HERE); \
      __atomic_compare_exchange_n(a, &expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); return expected; }
ATOMIC_OF(8, unsigned char) ATOMIC_OF(16, unsigned short) ATOMIC_OF(32, unsigned int) ATOMIC_OF(64, unsigned long)
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order) { (void)order; }
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order) { (void)order; }

/* ---- handlers ---- */

static void handle(int number, siginfo_t *info, void *context)
{
    char here;
    if (depth < 16)
        frames[depth++] = &here + 256;
    if (actions[number].sa_flags & SA_SIGINFO)
        actions[number].sa_sigaction(number, info, context);
    else
        actions[number].sa_handler(number);
    if (depth > 0)
        depth--;
}

int __real_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    if (number < 1 || number > 64 || action == NULL || action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN)
        return __real_sigaction(number, action, old);
    struct sigaction own = *action;
    actions[number] = *action;
    own.sa_sigaction = handle;
    own.sa_flags |= SA_SIGINFO;
    if (in_first())
        installed = true;
    return __real_sigaction(number, &own, old);
}

void (*__wrap_signal(int number, void (*handler)(int)))(int);
void (*__wrap_signal(int number, void (*handler)(int)))(int)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
    return __wrap_sigaction(number, &action, &old) == -1 ? SIG_ERR : old.sa_handler;
}

/* The runner presses a little later, so that who asks again and again has time to do so. */
int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number)
{
    struct timespec time = { 0, PRESS_MS * 1000000l };
    if (!in_first())
        syscall(SYS_nanosleep, &time, NULL);
    return __real_kill(pid, number);
}

/* ---- functions that a handler must not call ---- */

#define WRAP(result, name, parameters, arguments) \
    result __real_##name parameters; \
    result __wrap_##name parameters; \
    result __wrap_##name parameters { tell_call(#name, HERE); return __real_##name arguments; }
#define FORMATTED(name, v, parameters, first_arguments) \
    int __wrap_##name parameters; \
    int __wrap_##name parameters \
    { tell_call(#name, HERE); va_list list; va_start(list, format); int done = v first_arguments; va_end(list); return done; }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t number, size_t size), (number, size))
WRAP(void *, realloc, (void *memory, size_t size), (memory, size))
WRAP(int, puts, (const char *text), (text))
WRAP(int, putchar, (int byte), (byte))
WRAP(int, fputs, (const char *text, FILE *file), (text, file))
WRAP(int, fflush, (FILE *file), (file))
WRAP(char *, strerror, (int code), (code))
FORMATTED(printf, vprintf, (const char *format, ...), (format, list))
FORMATTED(fprintf, vfprintf, (FILE *file, const char *format, ...), (file, format, list))
FORMATTED(dprintf, vdprintf, (int fd, const char *format, ...), (fd, format, list))
FORMATTED(snprintf, vsnprintf, (char *text, size_t size, const char *format, ...), (text, size, format, list))
FORMATTED(sprintf, vsprintf, (char *text, const char *format, ...), (text, format, list))

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory) { tell_call("free", HERE); __real_free(memory); }
void __real_perror(const char *text);
void __wrap_perror(const char *text);
void __wrap_perror(const char *text) { tell_call("perror", HERE); __real_perror(text); }
void __real_exit(int code);
void __wrap_exit(int code);
void __wrap_exit(int code) { tell_call("exit", HERE); __real_exit(code); abort(); }

void __real_say(const char *format, ...);
void __wrap_say(const char *format, ...);
void __wrap_say(const char *format, ...)
{
    char text[4096];
    va_list list;
    tell_call("say", HERE);
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    __real_say("%s", text);
}
