/* mini_shell.c - an exercise: the heart of a shell: a | b | c > file.
   Task:  mini_shell < LINES  runs each line of standard input, one after the other, as sh would.
          A line is  COMMAND | COMMAND | ...  with one command or more; a command is a program's name and
          its arguments. The first command may have < FILE, the last one > FILE. Nothing else is special:
          no quotes, no $, no *. An empty line is skipped. All this is given: parse() does it.
          1. Programs are found as a shell finds them (PATH). All programs of a line run at the same
             time. Each one's standard output is the next one's standard input, through a pipe.
          2. The first program reads its FILE, the last one writes to its FILE: made if it is not there
             (mode 0666), emptied if it is. Without > the last one has mini_shell's standard output.
             Without < the first one reads /dev/null, since mini_shell's input holds the lines.
          3. Each program gets the descriptors 0, 1 and 2, and no other one.
          4. When ALL programs of the line have ended, the next line begins. Leave no child behind.
          5. The status of a line is that of its last program: its exit status, or 128 + N if signal N
             killed it. mini_shell ends with the status of the last line.
          6. When a program cannot be run, its child says one of these on standard error and ends; the
             other programs of the line run on:  mini_shell: NAME: not found           status 127
                                                 mini_shell: NAME: cannot be run       status 126
             (not found is ENOENT)               mini_shell: FILE: cannot be opened    status 2
          7. A line that is no command line: mini_shell: syntax error, status 2, and on it goes (given).
   Calls: pipe(2) or pipe2(2), fork(2), open(2), dup2(2), close(2), execvp(3), _exit(2), waitpid(2)
   Do not use system, popen or sh -c: the shell is what you write. */
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

/* Runs all programs of the pipeline and waits for them. Returns the status of the line. */
static int run(const struct pipeline *pipeline)
{
    /* TODO 1: a child for each command. pipeline->commands[i].words is what execvp wants.
               Between two programs there is a pipe. Who must close which end, and when? */

    /* TODO 2: in the child: make 0 and 1 what they must be, then exec. And if exec comes back? */

    /* TODO 3: wait for all of them. Whose status is the line's? */
    check(dprintf(STDERR_FILENO, "mini_shell: %d programs, none was run\n", pipeline->count));
    return 1;
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
