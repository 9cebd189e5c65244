#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t start_child(int (*function)(void *argument), void *argument)
{
    if (fflush(NULL) == EOF)
        return -1;
    pid_t pid = fork();
    if (pid != 0)
        return pid;             /* the parent, or -1 */
    int status = function(argument);
    if (fflush(NULL) == EOF)
        _exit(1);
    _exit(status);              /* not exit: the parent's atexit handlers are not ours to run */
}

int wait_child(pid_t pid)
{
    int status;
    for (;;) {
        if (waitpid(pid, &status, 0) == pid)
            return status;
        if (errno != EINTR)
            return -1;
    }
}

int wait_children(pid_t *pids, int count)
{
    int running = count, failed = 0;
    while (running > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid == -1 && errno == EINTR)
            continue;
        if (pid == -1)
            return -1;
        int which = 0;
        while (which < count && pids[which] != pid)
            which++;
        if (which == count)
            continue;           /* a child we were not asked about */
        pids[which] = 0;
        running--;
        if (failed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
            continue;
        failed = 1;
        if (WIFSIGNALED(status))
            dprintf(STDERR_FILENO, "child %d was killed by signal %d\n", which + 1, WTERMSIG(status));
        else
            dprintf(STDERR_FILENO, "child %d ended with exit status %d\n", which + 1, WEXITSTATUS(status));
        for (int i = 0; i < count; i++)
            if (pids[i] != 0)
                kill(pids[i], SIGKILL);     /* not reaped yet, so the pid is still ours */
    }
    return failed;
}

int end_with_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
        return -1;
    /* The parent may have ended between fork and prctl: then the signal never comes. */
    if (getppid() != parent)
        _exit(1);
    return 0;
}
