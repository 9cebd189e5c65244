/* queue.h - a queue of messages between processes, and between threads: Python's Queue and
   JoinableQueue. queue_step1.c to queue_step3.c lead to it; queue.c is the whole.

       struct queue *queue = check_ptr(queue_create(sizeof(struct message), 100));    (before fork)
       check(queue_put(queue, &message));                                  (in one process)
       while (check(queue_get(queue, &message)) == 1) ...                  (in another)

   A message is a value of a fixed size; put and get copy it. It must not hold pointers: an address
   means something else in another process. The first message put is the first one got.

   A process that is killed, at any moment, makes nobody wait for ever: the queue goes on, at most a
   second later, and loses at most the one message that the killed process was putting or getting. But
   the queue cannot know that nobody is left to put or to get: a parent of children that may be killed
   waits for them, or uses a limit.

   All functions may be called by any process and thread that has the queue, but not in a signal
   handler. They go on after EINTR. A limit is in ms, by a clock that nobody can set back; 0 or less
   means: look once. A function that fails returns -1 with errno, and has changed nothing. (One
   that is stopped by SIGSTOP in the middle holds up the others until SIGCONT. That is not killed.) */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue;

/* A new queue for CAPACITY messages of MESSAGE_SIZE bytes each, in memory that this process shares
   with the children it starts afterwards. NULL with EINVAL (a zero), ENOMEM, or errno of mmap(2).
   Python: Queue(maxsize); there, 0 means no limit. */
struct queue *queue_create(size_t message_size, size_t capacity);

/* Gives back this process's memory for the queue; the other processes keep theirs. Its threads must
   not use it any more. Returns 0, or -1 with errno of munmap(2). */
int queue_destroy(struct queue *queue);

/* Copies *MESSAGE to the end of the queue; while that is full, waits: for ever, not at all, or for
   LIMIT_MS. Returns 0, or -1: EPIPE (the queue was closed), EAGAIN (full; queue_try_put), ETIMEDOUT
   (still full; queue_put_for). Python: put(), put_nowait(), put(timeout=seconds), queue.Full. */
int queue_put(struct queue *queue, const void *message);
int queue_try_put(struct queue *queue, const void *message);
int queue_put_for(struct queue *queue, const void *message, int limit_ms);

/* Takes the first message and copies it to *MESSAGE; while there is none, waits as above. Returns 1,
   or 0: the end (closed, and empty), or -1: EAGAIN (empty; queue_try_get), ETIMEDOUT (still empty;
   queue_get_for). Python: get(), get_nowait(), get(timeout=seconds), queue.Empty. */
int queue_get(struct queue *queue, void *message);
int queue_try_get(struct queue *queue, void *message);
int queue_get_for(struct queue *queue, void *message, int limit_ms);

/* No more put, by anybody. What is in the queue can still be got; then get returns 0, in every
   process. A second close does nothing. Python: Queue.shutdown() of the module queue, since 3.13;
   the close() of multiprocessing only says that this process puts no more. */
void queue_close(struct queue *queue);

/* How many messages are in it: now. When the answer comes back, it may be wrong already. Wait with
   put and get, not with these. Python: qsize(), empty(), full(). */
size_t queue_size(struct queue *queue);
bool queue_empty(struct queue *queue);
bool queue_full(struct queue *queue);

/* "I have done what one message that I got asked for." Returns 0, or -1: EINVAL (more often than
   messages were got). Python: JoinableQueue.task_done(), ValueError. */
int queue_task_done(struct queue *queue);

/* Waits until every message that was put was also got, and done by queue_task_done. Returns 0, or -1:
   ETIMEDOUT (not so after LIMIT_MS). When a process is killed between its get and its task_done, that
   task is never done: use a limit then. Python: JoinableQueue.join(), without a limit. */
int queue_join(struct queue *queue);
int queue_join_for(struct queue *queue, int limit_ms);

/* How often the queue was found locked by somebody who was killed. Python has none: there the queue
   stays locked. */
unsigned queue_deaths(struct queue *queue);

#endif
