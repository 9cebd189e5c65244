/* queue_in_pool.c - workers that were forked before the queue was made. They cannot inherit it; but they can be
   sent its address. Or an open file: a Unix socket can carry a descriptor.
   Python: q = Manager().Queue(); pool.apply_async(work, (q,)); there, Queue() alone gives a RuntimeError
   Calls:  proxy_address, manager_connect of manager.h; sendmsg(2), recvmsg(2) with SCM_RIGHTS, see unix(7)
   Needs:  08-queues/pipe_duplex, 09-pool/pool_step1, dict_list
   Try:    Send the number of the pipe's end as the bytes of an int, and receive an int. In the worker no
           file has this number, or another one has: the write fails, or goes to the wrong place. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 3 };

struct worker {
    int ends[2];                        /* a socketpair: main has 0, the worker has 1 */
    int number;
    pid_t parent;
};

/* Room for one descriptor beside the bytes of a message, aligned as the kernel wants it. */
union extra {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

/* The kernel puts the open file, not its number, into the socket. It needs one byte at least to go with it.
   Returns 1, or -1: the worker has ended. */
static ssize_t send_descriptor(int to, int fd)
{
    union extra extra;
    struct iovec byte = { "!", 1 };
    struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1,
                              .msg_control = &extra, .msg_controllen = sizeof extra };
    memset(&extra, 0, sizeof extra);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return sendmsg(to, &message, MSG_NOSIGNAL);
}

/* It gets a number of this process: perhaps another one than in main, but the same open file. */
static int receive_descriptor(int from)
{
    union extra extra;
    char byte;
    int fd;
    struct iovec room = { &byte, 1 };
    struct msghdr message = { .msg_iov = &room, .msg_iovlen = 1,
                              .msg_control = &extra, .msg_controllen = sizeof extra };
    ssize_t count;
    while ((count = recvmsg(from, &message, MSG_CMSG_CLOEXEC)) == -1 && errno == EINTR)
        ;
    const struct cmsghdr *head = check(count) == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head == NULL || head->cmsg_type != SCM_RIGHTS)
        die("no descriptor came");
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

static int work(void *argument)
{
    const struct worker *self = argument;
    char address[PROXY_ADDRESS];
    check(end_with_parent(self->parent));
    check(close(self->ends[0]));
    if (check(recv(self->ends[1], address, sizeof address, 0)) != (ssize_t)sizeof address)
        die("no address came");
    struct manager *manager = check_ptr(manager_connect(address, NULL, 0));
    struct shared_queue *queue = check_ptr(manager_proxy(manager, address));
    check(shared_queue_put(queue, &self->number, sizeof self->number, MANAGER_FOREVER));
    check(manager_stop(manager));       /* here it only hangs up: another process has started the server */

    int fd = receive_descriptor(self->ends[1]);
    check(write_full(fd, &self->number, sizeof self->number));
    check(close(fd));
    check(close(self->ends[1]));
    return 0;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct worker workers[WORKERS];
    pid_t pids[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){ .number = i + 1, .parent = getpid() };
        check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, workers[i].ends));
        pids[i] = check(start_child(work, &workers[i]));
        check(close(workers[i].ends[1]));
    }

    /* Only now the manager, the queue and the pipe are made: no worker can have inherited them. */
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct shared_queue *queue = check_ptr(manager_queue(manager, 0));
    char address[PROXY_ADDRESS] = "";
    int pipe_ends[2], number, from_queue = 0, from_pipe = 0;
    proxy_address(queue, address);
    check(pipe2(pipe_ends, O_CLOEXEC));
    for (int i = 0; i < WORKERS; i++) {
        /* If it fails, the worker has ended: wait_children will tell. */
        if (send(workers[i].ends[0], address, sizeof address, MSG_NOSIGNAL) != -1)
            send_descriptor(workers[i].ends[0], pipe_ends[1]);
        check(close(workers[i].ends[0]));
    }
    check(close(pipe_ends[1]));
    int failed = check(wait_children(pids, WORKERS));
    while (!failed && shared_queue_get(queue, &number, sizeof number, 0) == sizeof number)
        from_queue += number;
    while (check(read_full(pipe_ends[0], &number, sizeof number)) == sizeof number)
        from_pipe += number;
    check(close(pipe_ends[0]));
    if (!failed) {
        say("from the queue, by its address: the sum is %d", from_queue);
        say("from the pipe, by its descriptor: the sum is %d", from_pipe);
    }
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
from the queue, by its address: the sum is 6
from the pipe, by its descriptor: the sum is 6
*/
