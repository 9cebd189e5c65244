/* output.c - what a program prints, read into memory: any number of bytes.
   Python: subprocess.check_output(), CalledProcessError
   Calls:  pipe2(2), dup2(2), read(2), realloc(3), waitpid(2)
   Needs:  01-fork/pipe, redirect, exec_failed
   Try:    In output(), move the line with wait_child() above the loop. The program hangs, and
           Ctrl-C ends it: sh waits until somebody reads, and we wait until sh has ended. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(int fd, int target)     /* as in redirect.c */
{
    check(fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target));
}

/* Runs WORDS and returns its wait status. What it prints to stdout is in *BYTES, *SIZE of them;
   the caller frees them. */
static int output(char *const words[], char **bytes, size_t *size)
{
    int ends[2];
    check(pipe2(ends, O_CLOEXEC));
    pid_t pid = check(fork());
    if (pid == 0) {
        put(ends[1], STDOUT_FILENO);
        execvp(words[0], words);
        die("no program %s: %s", words[0], errno_name(errno));
    }
    check(close(ends[1]));

    /* First read to the end, only then wait. A pipe holds 64 KiB; a program that prints more than
       that waits in write until we read. */
    size_t room = 0;
    *bytes = NULL;
    *size = 0;
    for (;;) {
        if (*size == room) {
            room = room == 0 ? 4096 : 2 * room;         /* doubled: few copies, for any size */
            *bytes = check_ptr(realloc(*bytes, room));
        }
        ssize_t count = check(read(ends[0], *bytes + *size, room - *size));
        if (count == 0)
            break;                                      /* nobody has the write end any more */
        *size += (size_t)count;
    }
    check(close(ends[0]));
    return check(wait_child(pid));
}

static void show(char *script, int expected)
{
    char *const words[] = { "sh", "-c", script, NULL };
    char *bytes;
    size_t size;
    int status = output(words, &bytes, &size);
    if (WIFSIGNALED(status))
        die("sh was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != expected)
        die("sh ended with exit status %d", WEXITSTATUS(status));
    say("exit status %d, %zu bytes, the first: \"%.*s\"", WEXITSTATUS(status), size,
        (int)(size < 6 ? size : 6), bytes);
    free(bytes);
}

int main(void)
{
    show("printf hello", 0);
    show("printf '%0200000d' 7", 0);            /* 199999 zeroes and a 7 */
    show("printf 'so far'; exit 3", 3);          /* it failed, but its output is there */
    show("exit 0", 0);                          /* nothing printed: end of file at once */
}

/* Output:
exit status 0, 5 bytes, the first: "hello"
exit status 0, 200000 bytes, the first: "000000"
exit status 3, 6 bytes, the first: "so far"
exit status 0, 0 bytes, the first: ""
*/
