/* shared_or_copied.c - the same change made by a thread and by a child: who sees it?
   Python: a global, a list and a file changed in a Thread, and in a Process
   Calls:  pthread_create(3) beside fork(2); fcntl(2) with F_GETFD
   Needs:  01-fork/copy_on_write, 01-fork/share, thread
   Try:    Make `global` a pointer to memory from share(), as in chapter 01. Now main sees what
           the child has changed, too. With threads, all memory is like that. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int global;

/* Where main's other things are. A thread and a child find them at the same addresses. */
struct things {
    int *local;
    int *heap;
    int descriptor;
};

static void change_all(const struct things *things, const char *who)
{
    say("%s (pid %d): changes everything", who, getpid());
    global = 2;
    *things->local = 2;
    *things->heap = 2;
    check(close(things->descriptor));
}

static void *change_in_thread(void *argument)
{
    change_all(argument, "thread");
    return NULL;
}

static int change_in_child(void *argument)
{
    change_all(argument, "child");
    return 0;
}

static bool is_open(int descriptor)
{
    if (fcntl(descriptor, F_GETFD) != -1)
        return true;
    if (errno != EBADF)         /* "there is no such descriptor" */
        die("fcntl: %s", errno_name(errno));
    return false;
}

static void tell(const struct things *things)
{
    say("main (pid %d): global %d, local %d, heap %d, descriptor %s", getpid(), global,
        *things->local, *things->heap, is_open(things->descriptor) ? "open" : "closed");
}

int main(void)
{
    int local = 1;
    struct things things = { .local = &local, .heap = check_ptr(malloc(sizeof(int))) };
    things.descriptor = check(open("/dev/null", O_RDONLY));
    global = 1;
    *things.heap = 1;
    tell(&things);

    /* First the child: there must be no other thread when a process forks (see fork_with_threads). */
    pid_t child = check(start_child(change_in_child, &things));
    int status = check(wait_child(child));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit status %d", WEXITSTATUS(status));
    tell(&things);

    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, change_in_thread, &things));
    check_pthread(pthread_join(thread, NULL));
    tell(&things);
    free(things.heap);
}

/* Output:
main (pid P1): global 1, local 1, heap 1, descriptor open
child (pid P2): changes everything
main (pid P1): global 1, local 1, heap 1, descriptor open
thread (pid P1): changes everything
main (pid P1): global 2, local 2, heap 2, descriptor closed
*/
