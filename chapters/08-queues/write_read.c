/* write_read.c - one process puts A, B and C, another gets them; then both end by themselves.
   Python: q = Queue(), q.put(value), q.get(); two Processes, and no terminate()
   Calls:  queue_put, queue_get of queue.h
   Needs:  01-fork/many_children, queue_step3
   Try:    Take out the line that puts the end. The reader waits for ever: nobody tells it that nothing
           more will come. (End it with Ctrl-C.) */
#include "workbook.h"

#include "queue.h"

#include <unistd.h>

struct message {
    char letter;                    /* '\0': the end, the last message of the writer */
};

struct client {
    struct queue *queue;
    pid_t parent;
};

static int write_letters(void *argument)
{
    const struct client *self = argument;
    check(end_with_parent(self->parent));
    say("writer (pid %d): begins", getpid());
    for (char letter = 'A'; letter <= 'C'; letter++) {
        struct message message = { letter };
        say("writer: puts %c", letter);
        check(queue_put(self->queue, &message));
    }
    struct message end = { '\0' };
    check(queue_put(self->queue, &end));
    return 0;
}

static int read_letters(void *argument)
{
    const struct client *self = argument;
    struct message message;
    check(end_with_parent(self->parent));
    say("reader (pid %d): begins", getpid());
    while (check(queue_get(self->queue, &message)) == 1 && message.letter != '\0')
        say("reader: got %c", message.letter);
    say("reader: got the end");
    return 0;
}

int main(void)
{
    struct queue *queue = check_ptr(queue_create(sizeof(struct message), 10));  /* before the forks */
    struct client client = { .queue = queue, .parent = getpid() };
    pid_t pids[2];
    pids[0] = check(start_child(write_letters, &client));
    pids[1] = check(start_child(read_letters, &client));
    if (check(wait_children(pids, 2)) != 0)     /* main only waits: so it sees when one is killed, */
        return 1;                               /* says so, and ends the other one */
    say("main: both have ended");
    check(queue_destroy(queue));
}

/* Unordered output: the reader may be many letters behind the writer, or none; each line comes once.
writer (pid P1): begins
writer: puts A
writer: puts B
writer: puts C
reader (pid P2): begins
reader: got A
reader: got B
reader: got C
reader: got the end
main: both have ended
*/
