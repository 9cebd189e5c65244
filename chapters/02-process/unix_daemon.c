/* unix_daemon.c - the other meaning of the word: a service that lives on without its starter.
   Python: none; daemon=True is something else
   Calls:  setsid(2), umask(2), chdir(2), dup2(2), null(4)
   Needs:  01-fork/pipe, 01-fork/zombie_and_orphan, terminate
   Try:    Take out the line with setsid(), and run the program in a terminal. Now the daemon still
           has it ("terminal: yes"), and its session is the one that your shell made. */
#include "workbook.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the daemon reports: its own say() would go to /dev/null. */
struct report {
    pid_t pid, session;
    mode_t mask;
    int has_terminal;
    char directory[64];
};

/* Turns the calling process into a daemon: returns only in the new process. */
static void become_a_daemon(void)
{
    check(setsid());                /* a session of its own, without a terminal: no Ctrl-C */
    if (check(fork()) != 0)
        _exit(0);                   /* the session's leader ends; only a leader can get a terminal */
    umask(027);                     /* new files: nothing for others; no error is possible */
    check(chdir("/"));              /* a disk that a process is in cannot be unmounted */
    int null = check(open("/dev/null", O_RDWR));
    for (int fd = 0; fd <= 2; fd++)
        check(dup2(null, fd));      /* stdin, stdout and stderr lead nowhere */
    if (null > 2)
        check(close(null));
}

static _Noreturn void serve(int report_end, int stop_end)
{
    become_a_daemon();
    struct report report = { .pid = getpid(), .session = check(getsid(0)), .mask = umask(0) };
    umask(report.mask);             /* umask only tells the mask when it sets another */
    int terminal = open("/dev/tty", O_RDWR);    /* fails for a process without a terminal */
    report.has_terminal = terminal != -1;
    if (getcwd(report.directory, sizeof report.directory) == NULL)
        _exit(1);
    check(write_full(report_end, &report, sizeof report));
    char byte;
    check(read_full(stop_end, &byte, 1));   /* end of file: main has ended. A real daemon lives on */
    _exit(0);
}

int main(void)
{
    int report_ends[2], stop_ends[2];
    check(prctl(PR_SET_CHILD_SUBREAPER, 1));    /* orphans come to main, not to init: main reaps it */
    check(pipe(report_ends));
    check(pipe(stop_ends));
    pid_t first = check(fork());
    if (first == 0) {
        check(close(report_ends[0]));
        check(close(stop_ends[1]));
        serve(report_ends[1], stop_ends[0]);
    }
    check(close(report_ends[1]));
    check(close(stop_ends[0]));

    int status;
    struct report report;
    check(waitpid(first, &status, 0));          /* ends at once; the daemon is its child */
    ssize_t size = check(read_full(report_ends[0], &report, sizeof report));
    if (WIFSIGNALED(status) || size < (ssize_t)sizeof report)
        die("the daemon has ended before its report");
    say("main (pid %d): has waited for its child (pid %d)", getpid(), first);
    say("daemon (pid %d): in the session that pid %d made", report.pid, report.session);
    say("daemon: terminal: %s, directory: %s, umask: %03o",
        report.has_terminal ? "yes" : "none", report.directory, (unsigned)report.mask);

    check(kill(report.pid, SIGTERM));           /* how daemons are stopped, by their pid */
    check(waitpid(report.pid, &status, 0));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
        die("the daemon has ended in another way: wait status %d", status);
    if (check(state_of(report.pid)) != 0)
        die("the daemon is still there");
    say("daemon: stopped by SIGTERM, and gone");
    check(close(stop_ends[1]));
    check(close(report_ends[0]));
}

/* Output:
main (pid P1): has waited for its child (pid P2)
daemon (pid P3): in the session that pid P2 made
daemon: terminal: none, directory: /, umask: 027
daemon: stopped by SIGTERM, and gone
*/
