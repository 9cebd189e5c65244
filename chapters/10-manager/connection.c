/* connection.c - on the client's side: a connection for each process and thread, and what goes over it: one
   request, one reply. */
#include "workbook.h"

#include "connection.h"

#include "auth.h"
#include "start.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct connection {                     /* of one thread */
    int fd;                             /* -1: not connected now */
    unsigned char *buffer;              /* the request, then its reply */
    size_t room;
    struct manager *manager;
    struct connection *next;
};

pthread_mutex_t managers_lock = PTHREAD_MUTEX_INITIALIZER;
struct manager *managers;

/* ---- why a call failed ---- */

static _Thread_local char reason_of_failure[100];

const char *manager_error(void)
{
    return reason_of_failure;
}

int fail(int error, const char *reason)
{
    snprintf(reason_of_failure, sizeof reason_of_failure, "%s", reason);
    errno = error;
    return -1;
}

int fail_errno(void)
{
    return fail(errno, strerror(errno));
}

/* Not close(): in a program with threads that may be the place where a thread is cancelled. */
static void close_here(int *fd)
{
    if (*fd != -1)
        syscall(SYS_close, *fd);
    *fd = -1;
}

/* ---- fork: a child must not have its parent's connections. Else the server would not see the parent's end,
   and two processes would read each other's replies. ---- */

/* Runs in each child, at the end of fork; see pthread_atfork(3). Another thread of the parent may have been in
   the middle of anything: its copy of the lock may be locked, for ever. The lists are whole: a change of them
   is one store of one pointer. */
static void after_fork_in_child(void)
{
    managers_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    for (struct manager *manager = managers; manager != NULL; manager = manager->next) {
        for (struct connection *connection = manager->connections; connection != NULL; connection = connection->next)
            close_here(&connection->fd);        /* the next call makes a new one */
        close_here(&manager->life);
        manager->pid = 0;
    }
}

void register_fork_handler(void)
{
    check_pthread(pthread_atfork(NULL, NULL, after_fork_in_child));
}

void hang_up(int *fd)
{
    int error = errno;
    if (*fd != -1)
        shutdown(*fd, SHUT_RDWR);               /* at once, even if a child that was just forked has it yet */
    close_here(fd);
    errno = error;
}

/* ---- the connection of this thread ---- */

void free_connection(void *argument)
{
    struct connection *connection = argument;
    check_pthread(pthread_mutex_lock(&managers_lock));
    struct connection **link = &connection->manager->connections;
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    check_pthread(pthread_mutex_unlock(&managers_lock));
    hang_up(&connection->fd);
    free(connection->buffer);
    free(connection);
}

/* This thread's own, made at its first call; NULL: no memory. It may be not connected. */
static struct connection *my_connection(struct manager *manager)
{
    struct connection *connection = pthread_getspecific(manager->mine);
    if (connection != NULL)
        return connection;
    connection = calloc(1, sizeof *connection);
    if (connection == NULL || (connection->buffer = malloc(connection->room = 512)) == NULL ||
        pthread_setspecific(manager->mine, connection) != 0) {
        if (connection != NULL)
            free(connection->buffer);
        free(connection);
        fail(ENOMEM, "no memory for a connection");
        return NULL;
    }
    connection->fd = -1;
    connection->manager = manager;
    check_pthread(pthread_mutex_lock(&managers_lock));
    connection->next = manager->connections;
    manager->connections = connection;
    check_pthread(pthread_mutex_unlock(&managers_lock));
    return connection;
}

/* Connects, unless it is connected. */
static int dial(struct connection *connection)
{
    const struct manager *manager = connection->manager;
    const int yes = 1;
    if (connection->fd != -1)
        return 0;
    connection->fd = socket(manager->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd == -1)
        return fail_errno();
    const struct sockaddr *name = (const struct sockaddr *)&manager->name;
    int result;
    while ((result = connect(connection->fd, name, manager->name_size)) == -1 && errno == EINTR)
        ;
    if (result == 0 && manager->name.ss_family == AF_INET)
        result = setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (result == 0 && manager->key != NULL)
        result = auth_client(connection->fd, manager->key, manager->key_size, MANAGER_LIMIT_MS);
    if (result == 0)
        return 0;
    fail(errno, errno == EACCES ? "the server has another key, or has ended" : "the server cannot be reached");
    hang_up(&connection->fd);
    return -1;
}

int try_to_connect(struct manager *manager)
{
    struct connection *connection = my_connection(manager);
    return connection == NULL ? -1 : dial(connection);
}

/* ---- a request and its reply ---- */

static bool make_room(struct connection *connection, size_t size)
{
    unsigned char *longer = size <= connection->room ? connection->buffer : realloc(connection->buffer, size);
    if (longer == NULL)
        return false;
    if (size > connection->room)
        connection->room = size;
    connection->buffer = longer;
    return true;
}

static bool send_all(const struct connection *connection, size_t size)
{
    for (size_t sent = 0; sent < size; ) {
        ssize_t count = send(connection->fd, connection->buffer + sent, size - sent, MSG_NOSIGNAL);
        if (count == -1 && errno != EINTR)
            return false;
        sent += count == -1 ? 0 : (size_t)count;
    }
    return true;
}

/* Reads until the reply is whole. The head comes first, and says how long it is. */
static bool receive_reply(struct connection *connection, struct reply_head *head)
{
    for (size_t got = 0, size = sizeof *head; got < size; ) {
        ssize_t count = recv(connection->fd, connection->buffer + got, connection->room - got, 0);
        if (count == -1 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        got += (size_t)count;
        if (got < sizeof *head)
            continue;
        memcpy(head, connection->buffer, sizeof *head);
        size = sizeof *head + head->length;
        if (head->length > MANAGER_LARGEST || got > size || !make_room(connection, size))
            return false;
    }
    return true;
}

long long call(const void *any_proxy, struct question question, const unsigned char **bytes)
{
    const struct proxy *proxy = any_proxy;
    struct reply_head reply;
    size_t key_size = question.key != NULL ? strlen(question.key) : 0;
    if (key_size > LONGEST_KEY || question.size > MANAGER_LARGEST - key_size)
        return fail(key_size > LONGEST_KEY ? EINVAL : EMSGSIZE, "longer than it may be");
    struct request_head head = {
        .length = (uint32_t)(key_size + question.size), .request = question.request, .object = proxy->object,
        .key_length = (uint32_t)key_size, .limit_ms = question.limit_ms, .number = question.number,
        .room = question.room < MANAGER_LARGEST ? (uint32_t)question.room : MANAGER_LARGEST,
    };
    struct connection *connection = my_connection(proxy->manager);
    if (connection == NULL)
        return -1;
    if (dial(connection) == -1) {
        server_is_gone(proxy->manager);
        return -1;
    }
    if (!make_room(connection, sizeof head + head.length))
        return fail(ENOMEM, "no memory for the request");
    memcpy(connection->buffer, &head, sizeof head);
    if (key_size > 0)
        memcpy(connection->buffer + sizeof head, question.key, key_size);
    if (question.size > 0)
        memcpy(connection->buffer + sizeof head + key_size, question.value, question.size);

    if (!send_all(connection, sizeof head + head.length) || !receive_reply(connection, &reply)) {
        hang_up(&connection->fd);       /* half a reply may be in it: the next call makes a new one */
        server_is_gone(proxy->manager);
        return fail(ECONNRESET, "the server has ended before its reply");
    }
    unsigned char *value = connection->buffer + sizeof reply;
    if (reply.error != 0) {
        snprintf(reason_of_failure, sizeof reason_of_failure, "%.*s", (int)reply.length, (const char *)value);
        errno = reply.error;
        return -1;
    }
    if (question.to != NULL && reply.length > 0)
        memcpy(question.to, value, reply.length < question.room ? reply.length : question.room);
    if (bytes != NULL)
        *bytes = value;
    return reply.number;
}
