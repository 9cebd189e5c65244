/* workbook.h - the small helpers that every program of the workbook shares.
   Include it first: the feature macro below must come before any system header.
   Nothing that a lesson is about hides here. Unless a comment says otherwise, a helper
   returns -1 and sets errno when it fails, like a system call, so that you check it
   where you call it and the message names your line. */
#ifndef WORKBOOK_H
#define WORKBOOK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE             /* -std=c11 hides POSIX and Linux calls unless we ask for them */
#endif

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- errors (errors.c) ---- */

/* check(call): for a call that returns -1 when it fails. Gives the call's value back.
   On failure it prints one line, such as "fork.c:31: pipe(ends): Too many open files",
   and ends this process with _exit(1). Source: errno(3). */
#define check(call) __extension__({ __typeof__(call) value_of_call = (call); \
    if (value_of_call == -1) failed_call(__FILE__, __LINE__, #call); \
    value_of_call; })

/* check_ptr(call): the same for a call that returns NULL or MAP_FAILED. Source: mmap(2), malloc(3). */
#define check_ptr(call) __extension__({ __typeof__(call) pointer_of_call = (call); \
    if (pointer_of_call == NULL || (const void *)pointer_of_call == (const void *)-1) \
        failed_call(__FILE__, __LINE__, #call); \
    pointer_of_call; })

/* check_pthread(call): for a call that returns 0 or an error number and leaves errno alone.
   Source: pthreads(7), "Return values". */
#define check_pthread(call) do { int code_of_call = (call); \
    if (code_of_call != 0) failed_code(__FILE__, __LINE__, #call, code_of_call); } while (0)

/* Print "file:line: call: reason" to stderr, then _exit(1). The macros above call these. */
_Noreturn void failed_call(const char *file, int line, const char *call);
_Noreturn void failed_code(const char *file, int line, const char *call, int code);

/* Prints one line to stderr, made as printf does, then ends this process with _exit(1). */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "usage: " and TEXT to stderr, then ends this process with _exit(2). */
_Noreturn void usage(const char *text);

/* The name of an error number, "EOWNERDEAD" for example, or "E?" for one not in its list.
   strerror's text differs between C libraries, the name does not. Source: errno(3). */
const char *errno_name(int code);

/* ---- words and bytes (io.c) ---- */

/* Prints one line to stdout, made as printf does; the newline is added. It is one write(2)
   without a buffer: lines of several processes never mix, and nothing waits in a buffer that
   a fork would copy. At most 4095 bytes. Ends the process with _exit(1) if writing fails. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads SIZE bytes: asks again after a short count or EINTR. Returns the bytes read, fewer
   than SIZE only at end of file, or -1. Source: read(2). */
ssize_t read_full(int fd, void *buffer, size_t size);

/* Writes SIZE bytes: goes on after a short count or EINTR. Returns SIZE, or -1. Source: write(2). */
ssize_t write_full(int fd, const void *buffer, size_t size);

/* Reads a whole decimal number from TEXT into *NUMBER. Returns 0, or -1 with EINVAL (not a
   number, or something after it) or ERANGE (below LOW or above HIGH). Source: strtol(3). */
int parse_number(const char *text, long low, long high, long *number);

/* For a program that takes no arguments: a usage line and exit 2 if it was given one. */
void no_arguments(int argc, char **argv);

/* ---- children (children.c); from chapter 03 on, because 01 and 02 teach the raw calls ---- */

/* Forks. The child runs FUNCTION(ARGUMENT) and ends with the value it returns. Returns the
   child's pid, or -1. Buffered output is flushed first, so that it is not printed twice.
   Source: fork(2). Python: Process(target=..., args=...).start(). */
pid_t start_child(int (*function)(void *argument), void *argument);

/* Waits for the child PID and returns its wait status, to be read with WIFEXITED and the
   other W-macros, or -1. Source: waitpid(2). Python: Process.join(). */
int wait_child(pid_t pid);

/* Waits for COUNT children, whichever ends first. When one fails, says which and how on
   stderr ("child 2 was killed by signal 9") and ends the rest with SIGKILL. Sets each pid to 0
   when it is reaped, so that nobody signals it again. Returns 0 if all ended with exit 0, 1 if
   one failed, or -1. It reaps every child of the caller, so the caller should have no others. */
int wait_children(pid_t *pids, int count);

/* In a child, right after fork: this process shall be killed when its parent PARENT ends,
   even by SIGKILL. Returns 0, or -1. Ends this process at once if PARENT is gone already.
   "Parent" means the thread that forked. Source: PR_SET_PDEATHSIG in prctl(2). */
int end_with_parent(pid_t parent);

/* ---- memory, states and time (system.c) ---- */

/* SIZE bytes of zeroed memory that this process and its later children share, or NULL.
   Give it back with munmap(2). Source: mmap(2), MAP_SHARED. Python: multiprocessing.Value. */
void *share(size_t size);

/* The state of process PID as the letter in /proc/PID/stat: 'R' running or ready, 'S' waiting,
   'T' stopped, 'Z' zombie ... Returns 0 when there is no such process, -1 on an error.
   Source: proc(5). */
int state_of(pid_t pid);

/* Asks for the state of PID again and again until it is STATE, for at most LIMIT_MS ms.
   STATE 0 means: until the process is gone. Returns 0, or -1 with ETIMEDOUT. */
int wait_for_state(pid_t pid, int state, int limit_ms);

/* Stands for N ticks of work. A tick is 1 ms, or what WORKBOOK_TICK_MS says (0 to 10000), so
   that you can watch a program in slow motion. No order may depend on it. Source: nanosleep(2). */
void work_ticks(int n);

/* sem_wait(3) that goes on after EINTR. Returns 0, or -1. */
int wait_semaphore(sem_t *semaphore);

/* ---- locks (locks.c); from chapter 06 on, whose with.c teaches what this is made of ---- */

/* with_lock(&mutex) { ... }: locks the mutex, runs the block, and unlocks on every way out of it:
   at its end, by break, continue, goto, return. break and continue leave this block, not a loop
   around it. If locking or unlocking fails it ends the process as check_pthread does, so it is not
   for robust mutexes. One a line. Source: pthread_mutex_lock(3). Python: with lock: */
#define with_lock(mutex) \
    for (pthread_mutex_t *WITH_NAME(__LINE__) __attribute__((cleanup(with_lock_end))) = __extension__({ \
             pthread_mutex_t *mutex_of_with = (mutex); \
             check_pthread(pthread_mutex_lock(mutex_of_with)); \
             mutex_of_with; }); \
         WITH_NAME(__LINE__) != NULL; with_lock_end(&WITH_NAME(__LINE__)))
#define WITH_NAME(line) WITH_NAME_OF(line)      /* another name on each line, so that blocks can nest */
#define WITH_NAME_OF(line) mutex_held_in_line_##line

/* Unlocks *MUTEX and sets it to NULL, if it is not NULL already. The macro above calls it. */
void with_lock_end(pthread_mutex_t **mutex);

#endif
