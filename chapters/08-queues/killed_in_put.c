/* killed_in_put.c - a process is killed inside queue_put, with the queue's lock: the others go on.
   Python: nothing like it; after p.kill() in the middle of a put, the queue's lock stays locked
   Calls:  queue_put, queue_get, queue_deaths of queue.h; mmap(2) with PROT_NONE, sigaction(2)
   Needs:  04-signals/handler, 06-locks/robust_lock, timeouts
   Try:    In queue.c, take out pthread_mutexattr_setrobust and the if above it. Now the next put waits
           for a dead owner, for ever, as in Python. (End it with Ctrl-C.) */
#include "workbook.h"

#include "queue.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPACITY = 8, LIMIT_MS = 2000 };

struct message {
    char text[64];
};

struct client {
    struct queue *queue;
    pid_t parent;
};

static void put_text(struct queue *queue, const char *text)
{
    struct message message;
    memset(&message, 0, sizeof message);
    memcpy(message.text, text, strlen(text));
    check(queue_put(queue, &message));
}

static void on_segv(int signal)
{
    (void)signal;
    kill(getpid(), SIGKILL);        /* as if somebody had killed us, just now */
}

/* Half of its message lies in memory that nobody may read. So the copy in queue_put stops in the
   middle. In a real program the message would be right, and SIGKILL would come just then by chance. */
static int die_in_put(void *argument)
{
    const struct client *self = argument;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    check(end_with_parent(self->parent));
    struct sigaction action = { .sa_handler = on_segv };
    sigemptyset(&action.sa_mask);
    check(sigaction(SIGSEGV, &action, NULL));
    char *pages = check_ptr(mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    check(mprotect(pages + page, page, PROT_NONE));
    check(queue_put(self->queue, pages + page - sizeof(struct message) / 2));
    return 0;                       /* never reached */
}

/* Waits for a message; is asleep in queue_get when main kills it. */
static int wait_in_get(void *argument)
{
    const struct client *self = argument;
    struct message message;
    check(end_with_parent(self->parent));
    check(queue_get(self->queue, &message));
    return 0;
}

static int get_all(void *argument)
{
    const struct client *self = argument;
    struct message message;
    check(end_with_parent(self->parent));
    while (check(queue_get(self->queue, &message)) == 1)
        say("got: %s", message.text);
    say("the end");
    return 0;
}

/* Waits for the end of a child that shall be killed by SIGKILL. */
static void expect_killed(pid_t child, const char *where)
{
    int status = check(wait_child(child));
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        die("the child in %s was not killed by signal 9: wait status %d", where, status);
    say("a process was killed in %s", where);
}

int main(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(struct message), CAPACITY));
    struct client client = { .queue = queue, .parent = getpid() };

    pid_t child = check(start_child(wait_in_get, &client));
    if (wait_for_state(child, 'S', LIMIT_MS) == -1)
        die("the child in queue_get does not sleep");
    check(kill(child, SIGKILL));
    expect_killed(child, "queue_get");

    put_text(queue, "before");
    unsigned deaths = queue_deaths(queue);
    expect_killed(check(start_child(die_in_put, &client)), "queue_put");
    put_text(queue, "after");       /* finds the lock of the dead one, and goes on */
    queue_close(queue);
    child = check(start_child(get_all, &client));
    if (check(wait_children(&child, 1)) != 0)
        return 1;
    say("found locked by a dead owner: %u time", queue_deaths(queue) - deaths);
    check(queue_destroy(queue));
}

/* Output:
a process was killed in queue_get
a process was killed in queue_put
got: before
got: after
the end
found locked by a dead owner: 1 time
*/
