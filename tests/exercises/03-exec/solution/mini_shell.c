/* mini_shell.c - the heart of a shell: a | b | c > file.
   Python: subprocess.Popen(words, stdin=..., stdout=subprocess.PIPE) for each program of the line
   Calls:  pipe2(2), fork(2), open(2), dup2(2), close(2), execvp(3), _exit(2), waitpid(2)
   Needs:  exec.c, redirect.c, exec_failed.c, pipeline.c
   Try:    Write 0 for O_CLOEXEC in run(), and run the line  cat /dev/zero | head -c 9 . The pipe of
           cat still has a reader: cat itself. It fills the pipe and waits for ever. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Given: from a line to commands. Do not change this part. ---- */

enum { MAX_COMMANDS = 32, MAX_WORDS = 64 };

struct command {
    char *words[MAX_WORDS + 1];     /* the program's name, its arguments, then NULL: as execvp wants it */
};

struct pipeline {
    int count;                      /* how many commands; 0: the line was empty */
    struct command commands[MAX_COMMANDS];
    const char *input;              /* the file that the first program reads; "/dev/null" without < */
    const char *output;             /* the file that the last program writes; NULL without > */
};

/* Takes LINE apart, in place: the words stay where they are. False: a syntax error. */
static bool parse(char *line, struct pipeline *pipeline)
{
    const char **file = NULL;       /* after < or >: where the next word belongs */
    int words = 0;
    memset(pipeline, 0, sizeof *pipeline);
    pipeline->count = 1;
    for (char *word = line; ; ) {
        struct command *command = &pipeline->commands[pipeline->count - 1];
        size_t length = strcspn(word, " \t\n|<>");
        char after = word[length];
        word[length] = '\0';
        if (length > 0 && file != NULL) {
            *file = word;
            file = NULL;
        } else if (length > 0) {
            if (words == MAX_WORDS)
                return false;
            command->words[words++] = word;
        }
        if (after == '\0')
            break;
        word += length + 1;
        if (after != ' ' && after != '\t' && after != '\n' && file != NULL)
            return false;           /* | < or > stands where a file's name should */
        if (after == '|') {
            if (words == 0 || pipeline->output != NULL || pipeline->count == MAX_COMMANDS)
                return false;
            pipeline->count++;
            words = 0;
        } else if (after == '<') {
            if (pipeline->count > 1 || pipeline->input != NULL)
                return false;
            file = &pipeline->input;
        } else if (after == '>') {
            if (pipeline->output != NULL)
                return false;
            file = &pipeline->output;
        }
    }
    bool empty = words == 0 && pipeline->count == 1 && pipeline->input == NULL && pipeline->output == NULL;
    if (pipeline->input == NULL)
        pipeline->input = "/dev/null";
    if (empty)
        pipeline->count = 0;
    return file == NULL && (empty || words > 0);
}

/* ---- Yours: the programs ---- */

/* In a child: a last word, then the end. _exit and not exit: exit would tidy up stdin, which this process
   shares with mini_shell, and lines would be read twice. */
static _Noreturn void give_up(const char *name, const char *why, int status)
{
    check(dprintf(STDERR_FILENO, "mini_shell: %s: %s\n", name, why));
    _exit(status);
}

/* Makes descriptor TARGET (0 or 1) mean what FD means, and lets it through to the program. Everything else is
   opened close-on-exec, so the program has just 0, 1 and 2. */
static void put(int fd, int target)
{
    if (fd == target)
        check(fcntl(fd, F_SETFD, 0));       /* dup2 would do nothing, and exec would close it */
    else
        check(dup2(fd, target));
}

static int open_or_give_up(const char *file, int flags)
{
    int fd = open(file, flags | O_CLOEXEC, 0666);       /* umask(2) takes away what the user does not want to give */
    if (fd == -1)
        give_up(file, "cannot be opened", 2);
    return fd;
}

/* In the child: becomes program WHICH, which reads from FROM and writes to TO. -1: not from, or to, a pipe. */
static _Noreturn void become(const struct pipeline *pipeline, int which, int from, int to)
{
    char *const *words = pipeline->commands[which].words;
    if (from == -1)
        from = open_or_give_up(pipeline->input, O_RDONLY);
    put(from, STDIN_FILENO);
    if (to == -1 && pipeline->output != NULL)
        to = open_or_give_up(pipeline->output, O_WRONLY | O_CREAT | O_TRUNC);
    if (to != -1)
        put(to, STDOUT_FILENO);
    execvp(words[0], words);
    if (errno == ENOENT)        /* it came back, so there is no such program */
        give_up(words[0], "not found", 127);
    give_up(words[0], "cannot be run", 126);
}

/* Runs all programs of the pipeline and waits for them. Returns the status of the line. */
static int run(const struct pipeline *pipeline)
{
    pid_t pids[MAX_COMMANDS];
    int from = -1;              /* the read end that the next program gets */
    for (int i = 0; i < pipeline->count; i++) {
        int ends[2] = { -1, -1 };
        if (i < pipeline->count - 1)
            check(pipe2(ends, O_CLOEXEC));
        pids[i] = check(fork());
        if (pids[i] == 0)
            become(pipeline, i, from, ends[1]);
        /* Both ends that this child has are its own now. If we kept them, its reader would wait for
           our bytes, and its writer would think that we read. */
        if (from != -1)
            check(close(from));
        if (ends[1] != -1)
            check(close(ends[1]));
        from = ends[0];
    }
    int status = 0;
    for (int i = 0; i < pipeline->count; i++)
        check(waitpid(pids[i], &status, 0));        /* what stays in status is that of the last one */
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    static struct pipeline pipeline;
    char *line = NULL;
    size_t size = 0;
    int status = 0;
    no_arguments(argc, argv);
    while (getline(&line, &size, stdin) != -1)
        if (!parse(line, &pipeline)) {
            check(dprintf(STDERR_FILENO, "mini_shell: syntax error\n"));
            status = 2;
        } else if (pipeline.count > 0)
            status = run(&pipeline);
    if (ferror(stdin))
        die("mini_shell: cannot read the command lines");
    free(line);
    return status;
}

/* Output of ./mini_shell < exercises/mini_shell.txt:
APPLE
LEMON
PEAR
PLUM
0
! mini_shell: no_such_program: not found
exit 1
*/
