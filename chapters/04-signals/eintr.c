/* eintr.c - a handler has run: what becomes of the call in which the process was waiting?
   Python: since 3.5 Python makes such a call again by itself (PEP 475)
   Calls:  sigaction(2) with SA_RESTART, read(2), poll(2), signal(7)
   Needs:  01-fork/pipe, 01-fork/states, 02-process/process_step3, handler
   Try:    In main, write SA_RESTART for the 0. The first read is not interrupted any more. The child
           repeats its signal for 2 s, then gives up and sends the bytes: no line with EINTR. */
#include "workbook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

struct talk {
    pid_t parent;
    int data[2];                /* what the parent waits for */
    int heard[2];               /* the parent tells: a call has failed with EINTR */
    bool ask;                   /* shall the child wait for that? */
};

static volatile sig_atomic_t came;

static void on_usr1(int signal)
{
    (void)signal;
    came = 1;
}

/* The child: sends SIGUSR1 while the parent waits in its call, and only then the bytes. 'S' could be
   another wait, so it asks: were you interrupted? If not, it sends the signal again, for at most 2 s. */
static int interrupt_parent(void *argument)
{
    const struct talk *talk = argument;
    check(end_with_parent(talk->parent));
    check(close(talk->data[0]));
    check(close(talk->heard[1]));
    struct pollfd answer = { .fd = talk->heard[0], .events = POLLIN };
    for (int tries = 0; tries < 100; tries++) {
        check(wait_for_state(talk->parent, 'S', 5000));
        check(kill(talk->parent, SIGUSR1));
        if (!talk->ask || check(poll(&answer, 1, 20)) == 1)
            break;
    }
    check(wait_for_state(talk->parent, 'S', 5000));     /* the handler has run; it waits again */
    check(write_full(talk->data[1], "hello", 5));
    return 0;
}

/* Waits for bytes with CALL, "read" or "poll". FLAGS are those of the handler. */
static void wait_in(const char *call, int flags, bool ask)
{
    struct talk talk = { .parent = getpid(), .ask = ask };
    char bytes[5];
    struct sigaction action = { .sa_handler = on_usr1, .sa_flags = flags };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGUSR1, &action, NULL));
    came = 0;

    check(pipe(talk.data));
    check(pipe(talk.heard));
    pid_t child = check(start_child(interrupt_parent, &talk));
    check(close(talk.data[1]));
    check(close(talk.heard[0]));

    const char *with = flags & SA_RESTART ? "with" : "without";
    struct pollfd one = { .fd = talk.data[0], .events = POLLIN };
    bool told = false;
    ssize_t count;
    for (;;) {
        count = call[0] == 'p' ? poll(&one, 1, -1) : read(talk.data[0], bytes, sizeof bytes);
        if (count != -1)
            break;
        if (errno != EINTR)
            die("%s: %s", call, errno_name(errno));
        if (!told) {
            say("%s %s SA_RESTART: EINTR, so I make the call again", call, with);
            check(write_full(talk.heard[1], "!", 1));
        }
        told = true;            /* EINTR is no error and no end: only "nothing yet" */
    }
    if (call[0] == 'p')
        count = check(read_full(talk.data[0], bytes, sizeof bytes));
    int status = check(wait_child(child));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (status != 0 || count == 0)
        die("the child ended without its bytes: wait status %d", status);
    say("%s %s SA_RESTART: %zd bytes; the handler ran: %s", call, with, count, came ? "yes" : "no");
    check(close(talk.data[0]));
    check(close(talk.heard[1]));
}

int main(void)
{
    wait_in("read", 0, true);
    wait_in("read", SA_RESTART, false);
    wait_in("poll", SA_RESTART, true);
}

/* Output:
read without SA_RESTART: EINTR, so I make the call again
read without SA_RESTART: 5 bytes; the handler ran: yes
read with SA_RESTART: 5 bytes; the handler ran: yes
poll with SA_RESTART: EINTR, so I make the call again
poll with SA_RESTART: 5 bytes; the handler ran: yes
*/
