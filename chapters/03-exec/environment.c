/* environment.c - a folder and an environment for the child only.
   Python: subprocess.Popen(cwd=..., env=...)
   Calls:  chdir(2), setenv(3), environ(7), execve(2), getcwd(3)
   Needs:  exec
   Try:    Write chdir("/no_such_folder") in change_folder(). The child says what failed, and ends
           before its exec; the parent sees exit status 1. */
#include "workbook.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ${NAME-not set}: the value of NAME, or "not set" if there is none. */
static char script[] = "echo \"$1: folder $(pwd), COLOUR ${COLOUR-not set}, FRUIT ${FRUIT-not set}\"";

/* Each of these runs in a child, right after fork. */
static void change_nothing(char *const words[])
{
    execvp(words[0], words);            /* gives the program our environment, the array environ */
}

static void change_folder(char *const words[])
{
    check(chdir("/"));                  /* before exec: a failure is still ours to tell */
    execvp(words[0], words);
}

static void add(char *const words[])
{
    check(setenv("COLOUR", "green", 1));    /* in this process's copy */
    execvp(words[0], words);
}

static void replace(char *const words[])
{
    char *const only[] = { "COLOUR=blue", NULL };
    execve("/bin/sh", words, only);     /* these and no others. No PATH either: name the file */
}

static void run(char *what, void (*become)(char *const words[]))
{
    char *const words[] = { "sh", "-c", script, "sh", what, NULL };
    pid_t pid = check(fork());
    if (pid == 0) {
        become(words);
        die("no program %s: %s", words[0], errno_name(errno));
    }
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("sh was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("sh ended with exit status %d", WEXITSTATUS(status));
}

int main(void)
{
    /* So that this program prints the same for everybody. */
    check(chdir("/dev"));
    check(setenv("FRUIT", "pear", 1));
    check(unsetenv("COLOUR"));

    run("as it is", change_nothing);
    run("cwd", change_folder);
    run("one more", add);
    run("only mine", replace);

    char folder[PATH_MAX];
    check_ptr(getcwd(folder, sizeof folder));
    say("parent: folder %s, COLOUR %s", folder, getenv("COLOUR") == NULL ? "not set" : "set");
}

/* Output:
as it is: folder /dev, COLOUR not set, FRUIT pear
cwd: folder /, COLOUR not set, FRUIT pear
one more: folder /dev, COLOUR green, FRUIT pear
only mine: folder /dev, COLOUR blue, FRUIT not set
parent: folder /dev, COLOUR not set
*/
