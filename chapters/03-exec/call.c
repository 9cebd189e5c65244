/* call.c - run a program, wait for it, and get one number: how it ended.
   Python: subprocess.call(), Popen.returncode
   Calls:  fork(2), execvp(3), waitpid(2)
   Needs:  01-fork/exit_status, exec
   Try:    Take out `exec 2>/dev/null;`. Now you may see a word such as "Terminated": the outer
           shell tells, on stderr, how its child has ended. Its exit status stays 143. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs WORDS. Returns N when it ended with exit status N, and -N when signal N killed it. */
static int call(char *const words[])
{
    pid_t pid = check(fork());
    if (pid == 0) {
        execvp(words[0], words);
        die("no program %s: %s", words[0], errno_name(errno));
    }
    int status = check(wait_child(pid));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Calls sh -c SCRIPT ARGUMENT, where the script names the argument "$1". */
static void show(const char *what, char *script, char *argument, int expected)
{
    char *const words[] = { "sh", "-c", script, "sh", argument, NULL };     /* "sh": its $0 */
    int code = call(words);
    if (code < 0 && code != expected)
        die("sh was killed by signal %d", -code);
    if (code != expected)
        die("%s: ended with exit status %d", what, code);
    say("%s: %d", what, code);
}

int main(void)
{
    show("exit 0", "exit 0", NULL, 0);
    show("exit 3", "exit 3", NULL, 3);
    show("killed by SIGTERM", "kill -TERM $$", NULL, -SIGTERM);

    /* sh itself is not killed here. Its child is, and sh tells that in its own way: 128 + 15.
       (In a script, exec without a program only redirects. Without `exit $?`, some shells do not fork
       for their last command, but become it.) */
    show("its child was killed by SIGTERM",
         "exec 2>/dev/null; sh -c 'kill -TERM $$'; exit $?", NULL, 143);

    /* A text from outside is an argument, never a part of the script. Nobody reads it as commands. */
    show("an argument with a semicolon", "echo \"argument: $1\"", "tea; exit 9", 0);
}

/* Output:
exit 0: 0
exit 3: 3
killed by SIGTERM: -15
its child was killed by SIGTERM: 143
argument: tea; exit 9
an argument with a semicolon: 0
*/
