/* redirect.c - sort < IN > OUT: the child changes its descriptors 0 and 1, then becomes sort.
   Python: subprocess.call(["sort"], stdin=open(IN), stdout=open(OUT, "w"))
   Calls:  open(2), dup2(2), execvp(3); fcntl(2) with F_SETFD
   Needs:  01-fork/shared_offset, exec, exec_failed
   Try:    build/redirect README.md build/sorted.txt
           Then write 2 for STDOUT_FILENO in run(), and do it again: sort's lines come to your
           terminal, and its error messages would go to the file. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes descriptor TARGET mean what FD means, and TARGET stays open when exec comes. The trap: FD may
   be TARGET already, because this program was started without a stdin. Then dup2 does nothing, FD
   stays close-on-exec, and exec closes it. */
static void put(int fd, int target)
{
    if (fd == target)
        check(fcntl(fd, F_SETFD, 0));   /* 0: not close-on-exec any more */
    else
        check(dup2(fd, target));        /* closes what TARGET was before; never close-on-exec */
}

/* Runs sort < IN > OUT. */
static void run(const char *in, const char *out)
{
    pid_t pid = check(fork());
    if (pid == 0) {
        /* Here, and not in the parent: only the child's 0 and 1 shall change. */
        put(check(open(in, O_RDONLY | O_CLOEXEC)), STDIN_FILENO);
        put(check(open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)), STDOUT_FILENO);

        char *const words[] = { "sort", NULL };     /* no file names: sort just uses 0 and 1 */
        execvp(words[0], words);
        die("no program %s: %s", words[0], errno_name(errno));
    }
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("sort was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("sort ended with exit status %d", WEXITSTATUS(status));
}

/* Makes a file in memory, which is gone when it is closed. Its descriptor has a PATH, too. */
static int make_file(const char *text, char path[40])
{
    int fd = check(memfd_create("file", MFD_CLOEXEC));
    check(write_full(fd, text, strlen(text)));
    snprintf(path, 40, "/proc/self/fd/%d", fd);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        run(argv[1], argv[2]);
        return 0;
    }
    if (argc != 1)
        usage("redirect [IN OUT]");

    char in_path[40], out_path[40], text[100];
    int in = make_file("pear\nfig\napple\n", in_path);
    int out = make_file("this will be cut off\n", out_path);
    run(in_path, out_path);
    check(lseek(out, 0, SEEK_SET));     /* back to the begin of OUT: what is in it now? */
    ssize_t count = check(read_full(out, text, sizeof text));
    say("my stdout is where it was. In OUT are %zd bytes:", count);
    check(write_full(STDOUT_FILENO, text, (size_t)count));
    check(close(in));
    check(close(out));
}

/* Output:
my stdout is where it was. In OUT are 15 bytes:
apple
fig
pear
*/
