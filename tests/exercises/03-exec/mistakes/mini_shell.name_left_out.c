/* wrong output | words[0] */
#include "workbook.h"

#include <errno.h>
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

static int run(const struct pipeline *pipeline)
{
    pid_t pids[MAX_COMMANDS];
    int from = -1;
    for (int i = 0; i < pipeline->count; i++) {
        int ends[2] = { -1, -1 };
        bool last = i == pipeline->count - 1;
        if (!last)
            check(pipe(ends));
        pids[i] = check(fork());
        if (pids[i] == 0) {
            char *const *words = pipeline->commands[i].words;
            if (i == 0)
                from = open(pipeline->input, O_RDONLY);
            if (from == -1) {
                dprintf(STDERR_FILENO, "mini_shell: %s: cannot be opened\n", pipeline->input);
                _exit(2);
            }
            check(dup2(from, STDIN_FILENO));
            check(close(from));
            if (!last) {
                check(dup2(ends[1], STDOUT_FILENO));
                check(close(ends[0]));
                check(close(ends[1]));
            } else if (pipeline->output != NULL) {
                int to = open(pipeline->output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
                if (to == -1) {
                    dprintf(STDERR_FILENO, "mini_shell: %s: cannot be opened\n", pipeline->output);
                    _exit(2);
                }
                check(dup2(to, STDOUT_FILENO));
                check(close(to));
            }
            execvp(words[0], words + 1);
            dprintf(STDERR_FILENO, "mini_shell: %s: %s\n", words[0], errno == ENOENT ? "not found" : "cannot be run");
            _exit(errno == ENOENT ? 127 : 126);
        }
        if (from != -1)
            check(close(from));
        if (!last)
            check(close(ends[1]));
        from = ends[0];
    }
    int status = 0;
    for (int i = 0; i < pipeline->count; i++)
        check(waitpid(pids[i], &status, 0));
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
