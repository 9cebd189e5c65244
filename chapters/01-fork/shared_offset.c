/* shared_offset.c - fork copies the descriptors, but not the open files behind them.
   Python: f = open(...) before os.fork(); both processes then use f
   Calls:  memfd_create(2), lseek(2), write(2), open(2)
   Needs:  fork, exit_status
   Try:    Let the child call lseek(fd, 0, SEEK_SET) before its _exit. That moves the parent's
           offset to 0, so the parent's last word lands on the first one. */
#include "workbook.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes all of TEXT at the file's offset; write moves the offset on. One write may take less
   than we gave it, so go on with the rest. */
static void put(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t count = check(write(fd, text, left));
        text += count;
        left -= (size_t)count;
    }
}

/* Where the next read or write of this open file will be. Moves nothing. */
static int offset(int fd)
{
    return (int)check(lseek(fd, 0, SEEK_CUR));
}

static _Noreturn void child(int fd)
{
    say("child: offset %d, although I wrote nothing yet", offset(fd));
    put(fd, "child ");
    say("child: offset %d", offset(fd));

    /* To open the same file once more gives a new open file, with an offset of its own. */
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = check(open(path, O_RDWR));
    put(own, "PARENT");         /* written at offset 0, over the parent's word */
    say("child: offset %d where I opened it myself, still %d in the other", offset(own), offset(fd));
    _exit(0);                   /* closes both */
}

int main(void)
{
    /* A file in memory, without a path: it is gone with its last descriptor. */
    int fd = check(memfd_create("words", 0));
    put(fd, "parent ");
    say("parent: offset %d", offset(fd));

    pid_t pid = check(fork());
    if (pid == 0)
        child(fd);
    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit code %d", WEXITSTATUS(status));

    say("parent: offset %d: the child moved it", offset(fd));
    put(fd, "parent");          /* after the child's word, not over it */

    char text[100];
    check(lseek(fd, 0, SEEK_SET));
    size_t length = 0;
    for (ssize_t count; (count = check(read(fd, text + length, sizeof text - length))) > 0; )
        length += (size_t)count;
    say("the file: \"%.*s\"", (int)length, text);
    check(close(fd));
}

/* Output:
parent: offset 7
child: offset 7, although I wrote nothing yet
child: offset 13
child: offset 6 where I opened it myself, still 13 in the other
parent: offset 13: the child moved it
the file: "PARENT child parent"
*/
