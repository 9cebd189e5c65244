/* exec_failed.c - a program that is not there, told apart from one that ends with exit status 127.
   Python: FileNotFoundError and PermissionError from subprocess.Popen
   Calls:  pipe2(2) with O_CLOEXEC, execvp(3), read(2), write(2)
   Needs:  01-fork/pipe, exec
   Try:    Write 0 for O_CLOEXEC. Now exec keeps the write end open, so end of file comes only
           when the program ends. Nothing else changes, until the program runs for an hour. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts the program WORDS[0]. Returns its pid, or -1 with the errno of the child's exec. */
static pid_t start(char *const words[])
{
    int report[2];
    check(pipe2(report, O_CLOEXEC));    /* "close on exec": a successful exec closes both ends */
    pid_t pid = check(fork());
    if (pid == 0) {
        execvp(words[0], words);
        int error = errno;              /* exec has failed; the parent shall know why */
        check(write_full(report[1], &error, sizeof error));
        _exit(127);                     /* what shells do; our parent does not need it */
    }

    check(close(report[1]));            /* ours: with it open, end of file would never come */
    int error;
    ssize_t count = check(read_full(report[0], &error, sizeof error));
    check(close(report[0]));
    if (count == 0)
        return pid;                     /* end of file: exec has closed the last write end, unread */

    check(wait_child(pid));             /* our caller gets no pid, so nobody else can reap it */
    errno = error;
    return -1;
}

static void run(char *const words[], const char *name, int expected)
{
    pid_t pid = start(words);
    if (pid == -1) {
        say("%s: not started: %s", name, errno_name(errno));
        return;
    }
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))            /* perhaps before its exec: that is end of file, too */
        die("%s was killed by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status) != expected)
        die("%s ended with exit status %d", name, WEXITSTATUS(status));
    say("%s: started, ended with exit status %d", name, WEXITSTATUS(status));
}

int main(void)
{
    char *const missing[] = { "./no_such_program", NULL };
    run(missing, "./no_such_program", -1);

    char *const no_program[] = { "/dev/null", NULL };
    run(no_program, "/dev/null", -1);           /* it is there, but it is no program */

    char *const ends_with_127[] = { "sh", "-c", "exit 127", NULL };
    run(ends_with_127, "sh -c 'exit 127'", 127);
}

/* Output:
./no_such_program: not started: ENOENT
/dev/null: not started: EACCES
sh -c 'exit 127': started, ended with exit status 127
*/
