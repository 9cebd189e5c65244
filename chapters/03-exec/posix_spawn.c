/* posix_spawn.c - fork, the usual changes and exec in one call: again sort < IN > OUT.
   Python: os.posix_spawnp(path, argv, env, file_actions=...)
   Calls:  posix_spawnp(3), posix_spawn_file_actions_addopen(3), waitpid(2)
   Needs:  exec_failed, redirect, environment
   Try:    Add a line: posix_spawn_file_actions_addopen for STDIN_FILENO with a path that is not
           there. The call returns ENOENT, just as for a missing program. */
#include "workbook.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts WORDS with its stdin from IN and its stdout to OUT. Returns 0, or an error number: like the
   pthread functions, posix_spawn does not use errno. A program that is missing is told, too. */
static int start(char *const words[], const char *in, const char *out, pid_t *pid)
{
    /* A list of what the child shall do between fork and exec. We give the list, and do nothing. */
    posix_spawn_file_actions_t actions;
    check_pthread(posix_spawn_file_actions_init(&actions));
    check_pthread(posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, in, O_RDONLY, 0));
    check_pthread(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out,
                                                   O_WRONLY | O_CREAT | O_TRUNC, 0666));
    int error = posix_spawnp(pid, words[0], &actions, NULL, words, environ);
    check_pthread(posix_spawn_file_actions_destroy(&actions));
    return error;
}

/* Makes a file in memory, as in redirect.c. */
static int make_file(const char *text, char path[40])
{
    int fd = check(memfd_create("file", MFD_CLOEXEC));
    check(write_full(fd, text, strlen(text)));
    snprintf(path, 40, "/proc/%d/fd/%d", getpid(), fd);
    return fd;
}

static void run(char *const words[], const char *in, const char *out)
{
    pid_t pid;
    int error = start(words, in, out, &pid);
    if (error != 0) {
        say("%s: not started: %s", words[0], errno_name(error));
        return;
    }
    int status = check(wait_child(pid));        /* a child like any other */
    if (WIFSIGNALED(status))
        die("%s was killed by signal %d", words[0], WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("%s ended with exit status %d", words[0], WEXITSTATUS(status));
    say("%s: ended with exit status 0", words[0]);
}

int main(void)
{
    char in_path[40], out_path[40], text[100] = "";
    int in = make_file("pear\nfig\napple\n", in_path);
    int out = make_file("", out_path);
    char *const sort[] = { "sort", NULL };
    run(sort, in_path, out_path);
    check(read_full(out, text, sizeof text - 1));
    say("out begins with: %.*s", (int)strcspn(text, "\n"), text);

    char *const missing[] = { "./no_such_program", NULL };
    run(missing, in_path, out_path);
    check(close(in));
    check(close(out));
}

/* Output:
sort: ended with exit status 0
out begins with: apple
./no_such_program: not started: ENOENT
*/
