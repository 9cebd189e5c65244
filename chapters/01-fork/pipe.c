/* pipe.c - bytes from the child to the parent, up to end of file.
   Python: Pipe(duplex=False), conn.send_bytes(), conn.recv_bytes(), EOFError
   Calls:  pipe(2), read(2), write(2), close(2)
   Needs:  fork, exit_status
   Try:    Remove the parent's close(ends[1]). The program hangs (end it with Ctrl-C): the parent
           waits for an end of file that cannot come while it holds a write end itself. */
#include "workbook.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child(int ends[2])
{
    check(close(ends[0]));      /* the child only writes. If it kept the read end, it would never
                                   notice that its reader has ended: it would be a reader itself */
    const char *const words[] = { "one ", "two ", "three" };
    for (int i = 0; i < 3; i++)
        check(write(ends[1], words[i], strlen(words[i])));  /* so few bytes go in all at once */
    say("child (pid %d): three calls of write", getpid());
    check(close(ends[1]));      /* the last write end: from now on, end of file for the parent */
    _exit(0);
}

int main(void)
{
    int ends[2];                /* 0 for reading, 1 for writing; just as 0 is stdin and 1 stdout */
    check(pipe(ends));
    pid_t pid = check(fork());  /* both processes now hold both ends: four descriptors, one pipe */
    if (pid == 0)
        child(ends);

    check(close(ends[1]));      /* the parent only reads. If it kept this end, read could never
                                   return 0, because there would always be a possible writer */
    char text[100];
    size_t length = 0;
    for (;;) {
        /* A pipe keeps no borders between writes. One read gets what is there: one byte, one
           word, or all. So read again until it returns 0: the pipe is empty and has no writer. */
        ssize_t count = check(read(ends[0], text + length, sizeof text - length));
        if (count == 0)
            break;
        length += (size_t)count;
    }
    check(close(ends[0]));

    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))    /* end of file comes then too, only too early */
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit code %d", WEXITSTATUS(status));
    say("parent (pid %d): \"%.*s\", then end of file", getpid(), (int)length, text);
}

/* Output:
child (pid P1): three calls of write
parent (pid P2): "one two three", then end of file
*/
