/* pipeline.c - a | b | c: each program's stdout is the next one's stdin; each exit status is kept.
   Python: Popen(a, stdout=PIPE), Popen(b, stdin=p.stdout, stdout=PIPE) ..., then p.wait() for each
   Calls:  pipe2(2), fork(2), dup2(2), execvp(3), waitpid(2)
   Needs:  01-fork/pipe, 01-fork/many_children, redirect
   Try:    Take out the `if` with check(close(ends[1])) below it. The program hangs (end it with
           Ctrl-C): sort waits for end of file, and we hold a write end while we wait for sort. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
    char *const *words;
    pid_t pid;
    int status;         /* its wait status, when all have ended */
};

/* As in redirect.c. FD -1: TARGET stays as it is. */
static void put(int fd, int target)
{
    if (fd != -1)
        check(fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target));
}

/* The child: its 0 is IN, its 1 is OUT, and it becomes the program WORDS. All other ends that fork has
   copied are close-on-exec, so the program has no more of them. */
static _Noreturn void become(char *const words[], int in, int out)
{
    /* Whoever started us may ignore SIGPIPE, and exec keeps that. But a program that writes into a
       pipe without a reader shall end by it. */
    struct sigaction usual = { .sa_handler = SIG_DFL };
    check(sigaction(SIGPIPE, &usual, NULL));
    put(in, STDIN_FILENO);
    put(out, STDOUT_FILENO);
    execvp(words[0], words);
    dprintf(STDERR_FILENO, "no program %s: %s\n", words[0], errno_name(errno));    /* printf to a descriptor */
    _exit(127);
}

/* Runs COUNT programs, each piped into the next, and waits for all. */
static void run_pipeline(struct program *programs, int count)
{
    int in = -1;                        /* the first one reads from where we read */
    for (int i = 0; i < count; i++) {
        int ends[2] = { -1, -1 };
        if (i < count - 1)              /* the last one has no pipe: it writes to where we write */
            check(pipe2(ends, O_CLOEXEC));

        programs[i].pid = check(fork());
        if (programs[i].pid == 0)
            become(programs[i].words, in, ends[1]);

        /* Two ends are the children's now. If we kept a write end, its reader would never see end of
           file; if we kept a read end, its writer would never get SIGPIPE. */
        if (in != -1)
            check(close(in));
        if (ends[1] != -1)
            check(close(ends[1]));
        in = ends[0];                   /* program i + 1 reads from here */
    }
    /* Wait only when all of them run: each needs the next one to read what it writes. */
    for (int i = 0; i < count; i++)
        programs[i].status = check(wait_child(programs[i].pid));
}

/* Runs the programs and tells their exit codes: N, or -N for signal N. They should be EXPECTED. */
static void show(struct program *programs, int count, const char *expected)
{
    run_pipeline(programs, count);
    char codes[100] = "";
    for (int i = 0; i < count; i++) {
        int status = programs[i].status;
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE)
            die("%s was killed by signal %d", programs[i].words[0], WTERMSIG(status));
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        snprintf(codes + strlen(codes), sizeof codes - strlen(codes), " %d", code);
    }
    if (strcmp(codes + 1, expected) != 0)
        die("exit codes%s instead of %s", codes, expected);
    say("exit codes:%s", codes);
}

int main(void)
{
    char *const words[] = { "sh", "-c", "echo pear; echo apple; exit 3", NULL };
    char *const sort[] = { "sort", NULL };
    char *const upper[] = { "tr", "a-z", "A-Z", NULL };
    struct program three[] = { { .words = words }, { .words = sort }, { .words = upper } };
    show(three, 3, "3 0 0");

    /* The first one never ends by itself. When the second has read enough and ends, the first one's
       next write gets SIGPIPE (13). */
    char *const endless[] = { "sh", "-c", "while echo tea; do :; done", NULL };
    char *const one_line[] = { "sh", "-c", "read line; echo \"one line: $line\"", NULL };
    struct program two[] = { { .words = endless }, { .words = one_line } };
    show(two, 2, "-13 0");

    /* One that is not there: the others see end of file, and end as usual. */
    char *const nothing[] = { "sh", "-c", "exit 0", NULL };
    char *const missing[] = { "./no_such_program", NULL };
    char *const cat[] = { "cat", NULL };
    struct program gap[] = { { .words = nothing }, { .words = missing }, { .words = cat } };
    show(gap, 3, "0 127 0");
}

/* Output:
APPLE
PEAR
exit codes: 3 0 0
one line: tea
exit codes: -13 0
! no program ./no_such_program: ENOENT
exit codes: 0 127 0
*/
