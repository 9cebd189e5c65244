/* wrong output | ended a program with kill */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Given: from a line to commands. ---- */

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

/* Makes the descriptor TARGET (0 or 1) lead to where FD leads, and closes FD. */
static void move_to(int fd, int target)
{
    if (fd == target)
        return;                 /* then closing it would close what we want */
    check(dup2(fd, target));
    check(close(fd));
}

static int open_or_give_up(const char *file, int flags)
{
    int fd = open(file, flags, 0666);       /* umask(2) takes away what the user does not want to give */
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
    move_to(from, STDIN_FILENO);
    if (to == -1 && pipeline->output != NULL)
        to = open_or_give_up(pipeline->output, O_WRONLY | O_CREAT | O_TRUNC);
    if (to != -1)
        move_to(to, STDOUT_FILENO);
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
        bool last = i == pipeline->count - 1;
        if (!last)
            check(pipe(ends));
        pids[i] = check(fork());
        if (pids[i] == 0) {
            if (!last)
                check(close(ends[0]));      /* the next one reads there: a writer that held it, too, would
                                               never be told that nobody reads any more */
            become(pipeline, i, from, ends[1]);
        }
        /* Both ends that this child has are its own now. If we kept them, its reader would wait for
           our bytes, and its writer would think that we read. The next pipe() is made only now, so no
           child has an end that is not its own. */
        if (from != -1)
            check(close(from));
        if (!last)
            check(close(ends[1]));
        from = ends[0];
    }
    int status = 0, s;
    check(waitpid(pids[pipeline->count - 1], &status, 0));
    for (int i = 0; i < pipeline->count - 1; i++) {
        kill(pids[i], SIGKILL);
        check(waitpid(pids[i], &s, 0));
    }        /* what stays in status is that of the last one */
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
