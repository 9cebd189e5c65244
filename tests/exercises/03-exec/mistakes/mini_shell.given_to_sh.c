/* wrong output | given to a shell */
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
    char line[8192] = "";
    for (int i = 0; i < pipeline->count; i++) {
        if (i > 0)
            strcat(line, "| ");
        for (int w = 0; pipeline->commands[i].words[w] != NULL; w++) {
            strcat(line, pipeline->commands[i].words[w]);
            strcat(line, " ");
        }
        if (i == 0) {
            strcat(line, "< ");
            strcat(line, pipeline->input);
            strcat(line, " ");
        }
    }
    if (pipeline->output != NULL) {
        strcat(line, "> ");
        strcat(line, pipeline->output);
    }
    int status = system(line);
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
