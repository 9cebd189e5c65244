/* daemon_thread.c - who ends whom: a process ends with its main, whatever its threads do.
   Python: Thread(daemon=True) is what each thread of C is; Python's default is to join at the end
   Calls:  exit(3), pthread_exit(3), pthread_detach(3)
   Needs:  thread, 01-fork/exit_status, 02-process/daemon
   Try:    In leaves_by_pthread_exit(), write exit(0) for pthread_exit(NULL): the thread's second
           line no longer comes, and now and then not even its first. */
#include "workbook.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int here[2];             /* pipe: the thread is here */
static int never[2];            /* pipe: nobody writes, so a read waits for ever */

static void *wait_for_ever(void *argument)
{
    char byte;
    say("  thread: is here");
    check(write_full(here[1], "h", 1));
    check(read_full(never[0], &byte, 1));
    say("  thread: this line never comes");
    return argument;
}

static void *outlive_main(void *argument)
{
    say("  thread: is here");
    /* When its first thread has ended, the kernel shows the process as Z, although others run. */
    check(wait_for_state(getpid(), 'Z', 5000));
    say("  thread: main has ended, I have not");
    /* A return would do: a process ends with its last thread, with exit code 0. But under
       ThreadSanitizer a thread of its own never ends. So the last of ours ends the process. */
    exit(0);
    return argument;
}

static void *call_exit(void *argument)
{
    say("  thread: calls exit(7)");
    exit(7);                    /* of the process, with all its threads */
    return argument;
}

static pthread_t start(void *(*function)(void *argument))
{
    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, function, NULL));
    return thread;
}

/* Each of the next four is a small program's main, played by a child. */

static void returns(void)
{
    char byte;
    start(wait_for_ever);
    check(read_full(here[0], &byte, 1));
}

static void detaches(void)
{
    char byte;
    check_pthread(pthread_detach(start(wait_for_ever)));    /* says who frees it, not when it ends */
    check(read_full(here[0], &byte, 1));
}

static void leaves_by_pthread_exit(void)
{
    check_pthread(pthread_detach(start(outlive_main)));     /* nobody will join it */
    pthread_exit(NULL);         /* ends this thread only; the process ends with its last thread */
}

static void has_thread_that_exits(void)
{
    check_pthread(pthread_join(start(call_exit), NULL));
    say("  main: this line never comes");
}

static void play(const char *what, void (*small_main)(void), int wanted)
{
    say("%s:", what);
    pid_t parent = getpid();
    pid_t pid = check(fork());
    if (pid == 0) {
        check(end_with_parent(parent));
        small_main();
        exit(0);                /* what a return from main does */
    }
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) == 1)
        _exit(1);               /* a call has failed: the child has said which */
    if (WEXITSTATUS(status) != wanted)
        die("the child ended with exit code %d", WEXITSTATUS(status));
    say("  the process has ended, exit code %d", wanted);
}

int main(void)
{
    check(pipe(here));
    check(pipe(never));         /* each child has a copy of never[1]: no end of file there */
    play("main returns", returns, 0);
    play("main returns, the thread is detached", detaches, 0);
    play("main calls pthread_exit", leaves_by_pthread_exit, 0);
    play("a thread calls exit", has_thread_that_exits, 7);
    for (int i = 0; i < 2; i++) {
        check(close(here[i]));
        check(close(never[i]));
    }
}

/* Output:
main returns:
  thread: is here
  the process has ended, exit code 0
main returns, the thread is detached:
  thread: is here
  the process has ended, exit code 0
main calls pthread_exit:
  thread: is here
  thread: main has ended, I have not
  the process has ended, exit code 0
a thread calls exit:
  thread: calls exit(7)
  the process has ended, exit code 7
*/
