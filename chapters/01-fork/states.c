/* states.c - one child is led through its states: waiting, running, stopped, ended.
   Python: none; psutil's Process.status() reads the same letter
   Calls:  kill(2), waitpid(2) with WUNTRACED, waitid(2), proc(5)
   Needs:  fork, exit_status, pipe, zombie_and_orphan
   Try:    In main, remove the line that sends SIGCONT, and the line below it. A stopped process
           takes no SIGTERM until it goes on: the program hangs. End it with Ctrl-C. */
#include "workbook.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child(int gate[2], pid_t parent)
{
    /* Later this child loops, then it is stopped: it would not notice that its parent has ended.
       So the kernel shall end it then (prctl(2), PR_SET_PDEATHSIG). */
    check(end_with_parent(parent));
    check(close(gate[1]));
    char byte;
    check(read(gate[0], &byte, 1));     /* S: nothing to do until the parent closes its end */
    volatile unsigned long turns = 0;
    for (;;)
        turns++;                        /* R: always something to do */
}

static _Noreturn void tell_end(int status)
{
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    die("the child ended with exit code %d", WEXITSTATUS(status));
}

/* Says the state of the child PID once it is STATE. The kernel does not tell us when a process
   begins to wait, so this asks again and again: for 3 s at most, or until the child has ended. */
static void show_state(pid_t pid, int state, const char *meaning)
{
    for (int i = 0; i < 30; i++) {
        if (wait_for_state(pid, state, 100) == 0) {
            say("%c  %s", state, meaning);
            return;
        }
        if (errno != ETIMEDOUT)
            die("wait_for_state: %s", errno_name(errno));
        int status;
        if (check(waitpid(pid, &status, WNOHANG)) == pid)   /* WNOHANG: look, do not wait */
            tell_end(status);
    }
    check(kill(pid, SIGKILL));
    check(waitpid(pid, NULL, 0));
    die("the child did not reach the state %c", state);
}

int main(void)
{
    int gate[2];
    check(pipe(gate));
    pid_t parent = getpid();
    pid_t pid = check(fork());
    if (pid == 0)
        child(gate, parent);
    check(close(gate[0]));
    show_state(pid, 'S', "waiting, in read");

    check(close(gate[1]));
    show_state(pid, 'R', "running, or ready to run");

    int status;
    check(kill(pid, SIGSTOP));
    check(waitpid(pid, &status, WUNTRACED));    /* also returns when a child was stopped */
    if (!WIFSTOPPED(status))
        tell_end(status);
    show_state(pid, 'T', "stopped, by SIGSTOP");

    check(kill(pid, SIGCONT));
    show_state(pid, 'R', "running again, after SIGCONT");

    check(kill(pid, SIGTERM));
    siginfo_t info;
    check(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    if (info.si_status != SIGTERM) {
        check(waitpid(pid, &status, 0));
        tell_end(status);
    }
    show_state(pid, 'Z', "ended, but not reaped");

    check(waitpid(pid, &status, 0));
    say("-  %s", check(state_of(pid)) == 0 ? "gone, after waitpid" : "still there");
}

/* Output:
S  waiting, in read
R  running, or ready to run
T  stopped, by SIGSTOP
R  running again, after SIGCONT
Z  ended, but not reaped
-  gone, after waitpid
*/
