/* talker.c - the client in the checks of a server: plays a script of talks over several connections at a time, and tells
   the first thing that is not as it should be. Started by the runner, beside the server, as the same user.
   usage: talker SCRIPT WHERE MARK     WHERE: a port of 127.0.0.1, or the path of a Unix socket
   It prints one line:   client: all is well MARK
                   or:   client: VERDICT|KIND|TOPIC|what was wrong MARK
   and then ends the server by force, so that nobody waits for it. KIND is one word, for the check's explain().

   A script has one step a line. C is the name of a connection, DATA is text with the escapes of C (\n, \0, \x41), or
   @FILE, the bytes of that file, or *NUMBER TEXT, the text so many times.
     # TOPIC           what the next steps are about; it is told when one of them fails
     open C            connects
     send C DATA       sends all of it at once, in one packet if it is small; what the server sends meanwhile is kept
     queue C DATA      begins to send, and does not wait
     pieces C N DATA   sends N bytes at a time; the next ones when the server has read these and waits again
     expect C DATA     these bytes come next
     prefix C DATA     the server ends the connection, and what it had sent is a beginning of this
     file C DATA       a number in decimal and a newline come next, and then so many bytes, which are these
     silent C          the server waits, and has sent nothing more on this connection, and has not ended it
     eof C             the server ends the connection, and nothing more came
     over C            the same, or the connection is reset (it is, when the server did not read all that was sent)
     ends C            the same, whatever came before
     half C            we send nothing more: the server gets the end of file
     close C           ends the connection. What came and was not read makes it a reset
     reset C           ends it as a network does that breaks down: an error for the server, not the end of file
     deaf C  hear C    from now on its bytes are left in the kernel, so that the server's send is full some day; or not
     freeze   thaw     stops the server (SIGSTOP), so that what we do meanwhile comes to it all at once; lets it go on
     settle            waits until the server waits
     children          ... and has no zombie
     mark  level N     remembers how many descriptors the server has; has it no more than N more now?
     memory MB         it has not taken more than so much memory since the mark
     local             the server listens on 127.0.0.1 only
     stop              SIGTERM, and the server ends. A script without it ends so too

   Nothing here depends on speed. "The server waits" is what the kernel says: none of its processes and threads runs,
   and none has run at several looks. A step fails early when the server waits without a limit while we wait for it.
   When the kernel cannot say so (the server waits with limits, or a machine is very slow), limits count, see below. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<linux/sockios.h>)
#include <linux/sockios.h>
#else
#define SIOCOUTQ 0x5411
#endif

/* look.c looks at the descendants of a process. We look at those of our parent, the runner. */
#define getpid getppid
#include "look.c"
#undef getpid

enum {
    STUCK_MS = 400,             /* the server waits without a limit, and we wait for it: so long, then it is a failure */
    TIMED_MS = 2500,            /* the same, when it waits with a limit */
    LIMIT_MS = 6000,            /* the same, whatever the server does */
    BUSY_MS = 500,              /* processor time that a server may use while nothing happens */
    MOST = 64,                  /* connections */
};

struct bytes { char *at; size_t size, room; };
struct connection {
    char name[16];
    int fd;
    bool deaf, ended, reset;    /* ended: end of file, or reset */
    struct bytes in, out;       /* came and was not looked at; not sent yet */
};

static struct connection connections[MOST];
static int count;
static const char *where, *mark;
static char topic[200];
static int line_number;
static pid_t server;            /* its first process */
static bool stopped;            /* SIGTERM was sent */
static struct family family;    /* all of its processes */

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* For mistakes in the script, and of ours. */
void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("client: judge error|script|%s|line %d of the script: ", topic, line_number);
    vprintf(format, arguments);
    printf(" %s\n", mark);
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

/* ---- the server's processes ---- */

/* The children of a thread, as the kernel lists them. False where it does not. */
static bool add_children(pid_t pid, pid_t thread)
{
    char path[96], text[8192], *end;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)thread);
    if (!read_proc(path, text, sizeof text))
        return false;
    for (char *at = text; ; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            return true;
        if (child != getpid() && family.count < MOST_TASKS && read_task((pid_t)child, &family.task[family.count]))
            family.count++;
    }
}

static bool children_of_thread(pid_t pid, pid_t thread, void *context)
{
    (void)context;
    add_children(pid, thread);
    return true;
}

/* All that the runner has below it, but us. The first process is the oldest of its children. */
static void look(void)
{
    family.count = 0;
    if (add_children(getppid(), getppid())) {
        for (int i = 0; i < family.count; i++)
            each_thread(family.task[i].pid, children_of_thread, NULL);
    } else {
        look_at_family(&family);
        for (int i = 0; i < family.count; i++)
            if (family.task[i].pid == getpid())
                family.task[i--] = family.task[--family.count];
    }
    for (int i = 0; i < family.count && server == 0; i++)
        if (family.task[i].parent == getppid())
            server = family.task[i].pid;
}

static bool server_has_ended(void)
{
    look();
    for (int i = 0; i < family.count; i++)
        if (family.task[i].pid == server)
            return family.task[i].state == 'Z' || family.task[i].state == 'X';
    return true;
}

static bool sleeps(pid_t pid, pid_t thread, void *context)
{
    char path[96], text[1024];
    (void)context;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    const char *bracket = read_proc(path, text, sizeof text) ? strrchr(text, ')') : NULL;
    return bracket != NULL && strchr("SZXT", bracket[2]) != NULL;
}

static bool all_sleep(void)
{
    for (int i = 0; i < family.count; i++)
        if (!each_thread(family.task[i].pid, sleeps, NULL))
            return false;
    return true;
}

/* How often its threads have been put to sleep; processes that come and go count, too. */
static bool add_switches(pid_t pid, pid_t thread, void *context)
{
    unsigned long long *switches = context;
    char path[96], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)thread);
    if (read_proc(path, text, sizeof text))
        for (const char *line = text; (line = strstr(line, "ctxt_switches:")) != NULL; line++)
            *switches += strtoull(line + strlen("ctxt_switches:"), NULL, 10);
    *switches += (unsigned long long)thread << 32;
    return true;
}

static unsigned long long switches_of_all(void)
{
    unsigned long long switches = 0;
    for (int i = 0; i < family.count; i++)
        each_thread(family.task[i].pid, add_switches, &switches);
    return switches;
}

/* In ms: the processor time that its processes have used, also those that were reaped. */
static double time_used(void)
{
    unsigned long used = 0, own[4];
    for (int i = 0; i < family.count; i++) {
        char path[64], text[1024];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)family.task[i].pid);
        const char *bracket = read_proc(path, text, sizeof text) ? strrchr(text, ')') : NULL;
        if (bracket != NULL && sscanf(bracket + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
                                      &own[0], &own[1], &own[2], &own[3]) == 4)
            used += own[0] + own[1] + own[2] + own[3];
    }
    return (double)used * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static int descriptors(void)
{
    int all = 0;
    look();
    for (int i = 0; i < family.count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/fd", (int)family.task[i].pid);
        DIR *folder = opendir(path);
        for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL; )
            all += entry->d_name[0] != '.';
        if (folder != NULL)
            closedir(folder);
    }
    return all;
}

static long resident(void)
{
    long all = 0;
    look();
    for (int i = 0; i < family.count; i++)
        all += family.task[i].resident;
    return all;
}

/* ---- telling a failure ---- */

static void end_server(void)
{
    struct timespec pause = { 0, 1000000 };
    for (int round = 0; round < 20; round++) {      /* the first process first: it might make new ones */
        kill(server, SIGKILL);
        look();
        for (int i = 0; i < family.count; i++)
            if (family.task[i].state != 'Z')
                kill(family.task[i].pid, SIGKILL);
        if (family.count == 0)
            return;
        nanosleep(&pause, NULL);
    }
}

static void not_well(const char *verdict, const char *kind, const char *format, ...)
{
    char text[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* Did the server end by itself? Its files are closed first, so give it time. */
    for (int i = 0; i < 100 && strcmp(kind, "silent") != 0 && !server_has_ended() && !all_sleep(); i++)
        poll(NULL, 0, 5);
    if (server_has_ended() && strcmp(kind, "stop") != 0) {
        printf("client: gone|gone|%s|the server's first process has ended; before that: %s %s\n", topic, text, mark);
    } else {
        printf("client: %s|%s|%s|%s %s\n", verdict, kind, topic, text, mark);
        fflush(stdout);
        end_server();
    }
    fflush(stdout);
    _exit(1);
}

/* Bytes in quotes, at most 60 of them; several texts at a time. */
static const char *quoted(const char *bytes, size_t size)
{
    static char texts[4][400];
    static int next;
    char *text = texts[next++ % 4], *to = text;
    *to++ = '"';
    for (size_t i = 0; i < size && i < 60; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        to += byte == '\n' ? sprintf(to, "\\n") : byte == '"' || byte == '\\' ? sprintf(to, "\\%c", byte) :
              byte < 32 || byte > 126 ? sprintf(to, "\\x%02x", byte) : sprintf(to, "%c", byte);
    }
    sprintf(to, size > 60 ? "\"... (%zu bytes)" : "\"", size);
    return text;
}

/* ---- the connections ---- */

static void append(struct bytes *bytes, const char *from, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->at = realloc(bytes->at, bytes->room);
        if (bytes->at == NULL)
            fail("no memory");
    }
    if (size > 0)
        memcpy(bytes->at + bytes->size, from, size);
    bytes->size += size;
}

static void remove_first(struct bytes *bytes, size_t size)
{
    bytes->size -= size;
    memmove(bytes->at, bytes->at + size, bytes->size);
}

/* One round: sends and receives what is possible now, or within LIMIT_MS. True if anything moved. */
static bool move(int limit_ms)
{
    static char piece[65536];
    struct pollfd fds[MOST];
    bool moved = false;
    int yes = 1;
    for (int i = 0; i < count; i++) {
        struct connection *c = &connections[i];
        short events = (short)((c->deaf || c->ended ? 0 : POLLIN) | (c->out.size > 0 ? POLLOUT : 0));
        fds[i] = (struct pollfd){ .fd = events != 0 ? c->fd : -1, .events = events };
        if (c->fd != -1)        /* a server that sends small pieces shall not wait for our acknowledgement */
            setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
    }
    if (poll(fds, (nfds_t)count, limit_ms) <= 0)
        return false;
    for (int i = 0; i < count; i++) {
        struct connection *c = &connections[i];
        if (c->fd == -1 || fds[i].fd == -1 || fds[i].revents == 0)
            continue;
        if (!c->deaf && !c->ended) {
            ssize_t got = recv(c->fd, piece, sizeof piece, MSG_DONTWAIT);
            if (got > 0)
                append(&c->in, piece, (size_t)got);
            else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                c->ended = true;
                c->reset = got != 0;
            }
            moved = moved || got >= 0 || c->ended;
        }
        if (c->out.size > 0) {
            ssize_t sent = send(c->fd, c->out.at, c->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent > 0)
                remove_first(&c->out, (size_t)sent);
            else if (sent == -1 && errno != EAGAIN && errno != EINTR)
                c->out.size = 0;        /* nobody is there any more: what it sent before still counts */
            moved = moved || sent > 0 || c->out.size == 0;
        }
    }
    return moved;
}

/* How long have we waited for the server? Each wait begins with { 0 }. */
struct patience { double began, still, used; unsigned long long switches; bool server_had_ended; };

static bool lost_patience(struct patience *patience, bool moved)
{
    double now = now_ms();
    if (patience->began == 0 || moved) {
        patience->began = now;
        patience->still = 0;
        patience->used = -1;
        return false;
    }
    unsigned long long switches = 0;
    look();
    if (patience->used < 0)
        patience->used = time_used();
    if (now - patience->began > BUSY_MS && time_used() - patience->used > BUSY_MS)
        not_well("hang", "busy", "the server runs on and on, and nothing comes of it");
    if (all_blocked(&family, &switches) && switches == patience->switches && patience->still != 0) {
        if (now - patience->still > STUCK_MS)
            return true;
    } else
        patience->still = now;
    patience->switches = switches;
    /* what it sent before its end must have had the time to come: one round more */
    bool had_ended = patience->server_had_ended;
    patience->server_had_ended = server_has_ended();
    return had_ended || now - patience->began > (all_sleep() ? TIMED_MS : LIMIT_MS);
}

/* All that we sent has reached the server's side of the connection. */
static bool arrived(void)
{
    int left;
    for (int i = 0; i < count; i++)
        if (connections[i].fd != -1 && !connections[i].deaf && !connections[i].ended &&
            ioctl(connections[i].fd, SIOCOUTQ, &left) == 0 && left > 0)
            return false;
    return true;
}

/* Waits until the server waits: at LOOKS looks, one after the other, nothing of it runs or has run. */
static void settle(void)
{
    enum { LOOKS = 5, LONG = 20 };
    double began = now_ms(), used = -1;
    unsigned long long before = 0;
    for (int looks = 0; ; ) {
        bool moved = move(0);
        look();
        unsigned long long switches = switches_of_all();
        double spent = now_ms() - began;
        /* one that looks around all the time, with short limits, never seems to wait otherwise */
        bool still = !moved && all_sleep() && (switches == before || spent > 200);
        looks = still ? looks + 1 : 0;
        before = switches;
        /* the acknowledgement may come late, though the bytes are there */
        if (looks >= LONG || (looks >= LOOKS && arrived()))
            return;
        if (used < 0 || moved)
            used = time_used();
        if (spent > 100 && time_used() - used > BUSY_MS)
            not_well("hang", "busy", "the server runs on and on, though nobody wants anything from it");
        if (spent > LIMIT_MS)
            return;
        struct timespec pause = { 0, 200000 };
        nanosleep(&pause, NULL);
    }
}

static struct connection *named(const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(connections[i].name, name) == 0)
            return &connections[i];
    fail("there is no connection %s", name);
}

static void open_connection(const char *name)
{
    struct connection *c = NULL;
    for (int i = 0; i < count; i++)
        if (strcmp(connections[i].name, name) == 0)
            c = &connections[i];
    if (c == NULL && count == MOST)
        fail("too many connections");
    if (c == NULL)
        c = &connections[count++];
    else if (c->fd != -1)
        fail("%s is open already", name);
    free(c->in.at);
    free(c->out.at);
    *c = (struct connection){ .fd = -1 };
    snprintf(c->name, sizeof c->name, "%s", name);

    bool is_port = where[strspn(where, "0123456789")] == '\0';
    struct sockaddr_in port = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un path = { .sun_family = AF_UNIX };
    int yes = 1, error = 0;
    port.sin_port = htons((uint16_t)atoi(where));
    snprintf(path.sun_path, sizeof path.sun_path, "%s", where);
    const struct sockaddr *address = is_port ? (const void *)&port : (const void *)&path;
    socklen_t size = is_port ? sizeof port : sizeof path;
    c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd == -1)
        fail("socket: %s", strerror(errno));
    if (is_port)                /* each piece is a packet of its own */
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct patience patience = { 0 };
    for (;;) {
        if (connect(c->fd, address, size) == 0 || errno == EISCONN)
            return;
        if (errno != EAGAIN && errno != EINPROGRESS && errno != EALREADY && errno != EINTR)
            break;
        struct pollfd one = { .fd = c->fd, .events = POLLOUT };
        error = errno;
        if (error == EAGAIN)    /* a Unix socket whose queue is full */
            poll(NULL, 0, 2);
        else
            poll(&one, 1, 2);
        if (lost_patience(&patience, false))
            not_well("hang", "accept", "the server does not accept connection %s", name);
    }
    not_well("hang", "refused", "connection %s cannot be made: %s", name, strerror(errno));
}

static void close_connection(struct connection *c, bool reset)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(c->fd);
    c->fd = -1;
    c->out.size = 0;
}

/* ---- the steps ---- */

static void send_all(struct connection *c)
{
    struct patience patience = { 0 };
    while (c->out.size > 0)
        if (lost_patience(&patience, move(2)))
            not_well("hang", "reading", "the server does not read what connection %s sends: %zu bytes are left", c->name, c->out.size);
}

static const char *how_it_ended(const struct connection *c)
{
    return c->reset ? "the connection was reset" : "then the server ended the connection";
}

/* The bytes that come next on C must be WANTED. */
static void expect(struct connection *c, const struct bytes *wanted)
{
    struct patience patience = { 0 };
    for (bool moved = true; ; moved = move(2)) {
        size_t both = c->in.size < wanted->size ? c->in.size : wanted->size;
        if (memcmp(c->in.at != NULL ? c->in.at : "", wanted->at, both) != 0) {
            size_t at = 0;
            while (c->in.at[at] == wanted->at[at])
                at++;
            settle();           /* so that the whole of it is told */
            size_t from = at > 30 ? at - 20 : 0;
            not_well("wrong output", "bytes", "connection %s: wanted %s and got %s%s", c->name,
                     quoted(wanted->at + from, wanted->size - from), quoted(c->in.at + from, c->in.size - from),
                     from > 0 ? " (shown from shortly before the first difference)" : "");
        }
        if (c->in.size >= wanted->size)
            break;
        size_t from = both > 40 ? both - 10 : 0;
        if (c->ended)
            not_well("wrong output", c->reset ? "reset" : "end", "connection %s: wanted %s and got %s; %s%s", c->name,
                     quoted(wanted->at + from, wanted->size - from), quoted(c->in.at + from, c->in.size - from), how_it_ended(c),
                     from > 0 ? " (shown are the last bytes that came)" : "");
        if (lost_patience(&patience, moved))
            not_well("hang", c->in.size > 0 ? "part" : "nothing", "connection %s: wanted %s and got %s; then nothing more came%s",
                     c->name, quoted(wanted->at + from, wanted->size - from), quoted(c->in.at + from, c->in.size - from),
                     from > 0 ? " (shown are the last bytes that came)" : "");
    }
    remove_first(&c->in, wanted->size);
}

static void expect_file(struct connection *c, const struct bytes *wanted)
{
    char size[32];
    struct bytes heading = { size, (size_t)snprintf(size, sizeof size, "%zu\n", wanted->size), 0 };
    expect(c, &heading);
    expect(c, wanted);
}

static void wait_for_end(struct connection *c)
{
    struct patience patience = { 0 };
    while (!c->ended)
        if (lost_patience(&patience, move(2)))
            not_well("hang", "open", "connection %s: the server does not end it", c->name);
}

static void expect_end(struct connection *c, bool reset_too)
{
    wait_for_end(c);
    if (c->in.size > 0)
        not_well("wrong output", "more", "connection %s: before its end came %s, which nobody wanted", c->name, quoted(c->in.at, c->in.size));
    if (c->reset && !reset_too)
        not_well("wrong output", "reset", "connection %s was reset, not ended", c->name);
}

static void expect_prefix(struct connection *c, const struct bytes *wanted)
{
    wait_for_end(c);
    if (c->in.size > wanted->size || memcmp(c->in.at != NULL ? c->in.at : "", wanted->at, c->in.size) != 0)
        not_well("wrong output", "bytes", "connection %s got %zu bytes, and not the first ones of those that it should get", c->name, c->in.size);
    c->in.size = 0;
}

static void expect_silence(struct connection *c)
{
    settle();
    if (c->in.size > 0)
        not_well("wrong output", "silent", "connection %s: %s came, and nothing was wanted yet", c->name, quoted(c->in.at, c->in.size));
    if (c->ended)
        not_well("wrong output", c->reset ? "reset" : "end", "connection %s: %s", c->name, how_it_ended(c));
}

static void send_pieces(struct connection *c, size_t size, const struct bytes *data)
{
    for (size_t at = 0; at < data->size; at += size) {
        append(&c->out, data->at + at, data->size - at < size ? data->size - at : size);
        send_all(c);
        settle();
    }
}

static void expect_no_zombies(void)
{
    int zombies = 0;
    settle();
    look();
    for (int i = 0; i < family.count; i++)
        zombies += family.task[i].state == 'Z' && family.task[i].pid != server;
    if (zombies > 0)
        not_well("left behind", "zombies", "the server waits, and %d of its children %s ended and not waited for (zombies)",
                 zombies, zombies == 1 ? "has" : "have");
}

static bool is_stopped(pid_t pid, pid_t thread, void *context)
{
    char path[96], text[1024];
    (void)context;
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    const char *bracket = read_proc(path, text, sizeof text) ? strrchr(text, ')') : NULL;
    return bracket == NULL || strchr("TZX", bracket[2]) != NULL;
}

static void freeze_server(bool stop)
{
    bool done = false;
    settle();
    for (double began = now_ms(); !done && now_ms() - began < LIMIT_MS; ) {     /* it may be making new ones */
        look();
        done = true;
        for (int i = 0; i < family.count; i++) {
            kill(family.task[i].pid, stop ? SIGSTOP : SIGCONT);
            done = done && (!stop || each_thread(family.task[i].pid, is_stopped, NULL));
        }
    }
}

/* In /proc/net/tcp a line is: number, own address, other address, state (0A: it listens) ... */
static void expect_local(void)
{
    int found = 0;
    char line[512], address[40];
    unsigned port, state;
    for (int six = 0; six < 2; six++) {
        FILE *table = fopen(six ? "/proc/net/tcp6" : "/proc/net/tcp", "re");
        while (table != NULL && fgets(line, sizeof line, table) != NULL)
            if (sscanf(line, " %*[0-9]: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x", address, &port, &state) == 3 &&
                state == 0x0A && port == (unsigned)atoi(where)) {
                uint32_t loopback = htonl(INADDR_LOOPBACK);
                char here[16];
                snprintf(here, sizeof here, "%08X", loopback);
                found++;
                if (strcmp(address + (six ? 24 : 0), here) != 0)
                    not_well("wrong call", "address", "the server listens on %s, not only on 127.0.0.1",
                             strspn(address, "0") == strlen(address) ? "all addresses of the machine (0.0.0.0)" : "another address");
            }
        if (table != NULL)
            fclose(table);
    }
    if (found == 0)
        not_well("wrong call", "port", "nobody listens on port %s, which the server said", where);
}

static void stop_server(void)
{
    struct patience patience = { 0 };
    settle();
    if (server_has_ended())
        not_well("gone", "gone", "all had gone well");
    stopped = true;
    kill(server, SIGTERM);
    while (!server_has_ended()) {
        if (lost_patience(&patience, false) && !server_has_ended())
            not_well("hang", "stop", "SIGTERM came, and the server does not end");
        move(2);
    }
}

/* DATA of a step: see the head of this file. */
static struct bytes data_of(const char *text)
{
    struct bytes data = { 0 };
    char piece[4096];
    long times = 1;
    if (text[0] == '@') {
        FILE *file = fopen(text + 1, "re");
        if (file == NULL)
            fail("%s: %s", text + 1, strerror(errno));
        for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0; )
            append(&data, piece, got);
        fclose(file);
        return data;
    }
    if (text[0] == '*') {
        char *end;
        times = strtol(text + 1, &end, 10);
        text = end + (*end == ' ');
    }
    size_t size = 0;
    for (const char *from = text; *from != '\0' && size < sizeof piece; from++) {
        char *end = NULL;
        char hex[3] = { 0 };
        if (*from != '\\') {
            piece[size++] = *from;
            continue;
        }
        switch (*++from) {
        case 'n': piece[size++] = '\n'; break;
        case 'r': piece[size++] = '\r'; break;
        case 't': piece[size++] = '\t'; break;
        case '0': piece[size++] = '\0'; break;
        case '\\': piece[size++] = '\\'; break;
        case 'x':
            memcpy(hex, from + 1, from[1] != '\0' ? 2 : 0);
            piece[size++] = (char)strtol(hex, &end, 16);
            if (end != hex + 2)
                fail("a wrong escape in %s", text);
            from += 2;
            break;
        default: fail("a wrong escape in %s", text);
        }
    }
    while (times-- > 0)
        append(&data, piece, size);
    append(&data, "", 0);
    return data;
}

static void step(const char *line)
{
    static int marked_descriptors;
    static long marked_memory;
    char verb[16] = "", name[16] = "";
    int used = 0;
    sscanf(line, "%15s %15s%n", verb, name, &used);
    const char *rest = line + used + (used > 0 && line[used] == ' ');
#define IS(word) (strcmp(verb, word) == 0)
    if (verb[0] == '\0')
        return;
    else if (verb[0] == '#') snprintf(topic, sizeof topic, "%s", line + 1 + (line[1] == ' '));
    else if (IS("open")) open_connection(name);
    else if (IS("settle")) settle();
    else if (IS("freeze")) freeze_server(true);
    else if (IS("thaw")) freeze_server(false);
    else if (IS("children")) expect_no_zombies();
    else if (IS("local")) expect_local();
    else if (IS("stop")) stop_server();
    else if (IS("mark")) {
        settle();
        marked_descriptors = descriptors();
        marked_memory = resident();
    } else if (IS("level")) {
        settle();
        int more = descriptors() - marked_descriptors;
        if (more > atoi(name))
            not_well("left behind", "descriptors", "the server has %d descriptors more than before", more);
    } else if (IS("memory")) {
        settle();
        long more = (resident() - marked_memory) >> 20;
        if (more > atoi(name))
            not_well("over the limit", "memory", "the server uses %ld MB more than before", more);
    } else {
        struct connection *c = named(name);
        if (IS("half")) shutdown(c->fd, SHUT_WR);
        else if (IS("close")) close_connection(c, false);
        else if (IS("reset")) close_connection(c, true);
        else if (IS("deaf")) c->deaf = true;
        else if (IS("hear")) c->deaf = false;
        else if (IS("silent")) expect_silence(c);
        else if (IS("eof")) expect_end(c, false);
        else if (IS("over")) expect_end(c, true);
        else if (IS("ends")) { wait_for_end(c); c->in.size = 0; }
        else if (IS("pieces")) {
            char *end;
            long size = strtol(rest, &end, 10);
            if (size < 1 || *end != ' ')
                fail("pieces of how many bytes?");
            struct bytes data = data_of(end + 1);
            send_pieces(c, (size_t)size, &data);
            free(data.at);
        } else {
            struct bytes data = data_of(rest);
            if (IS("send") || IS("queue")) append(&c->out, data.at, data.size);
            else if (IS("expect")) expect(c, &data);
            else if (IS("file")) expect_file(c, &data);
            else if (IS("prefix")) expect_prefix(c, &data);
            else fail("%s: not understood", line);
            if (IS("send"))
                send_all(c);
            free(data.at);
        }
    }
}

int main(int argc, char **argv)
{
    static char line[70000];
    if (argc != 4)
        fail("usage: talker SCRIPT WHERE MARK");
    where = argv[2], mark = argv[3];
    signal(SIGPIPE, SIG_IGN);
    FILE *script = fopen(argv[1], "re");
    if (script == NULL)
        fail("%s: %s", argv[1], strerror(errno));
    look();
    while (fgets(line, sizeof line, script) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        line_number++;
        step(line);
    }
    fclose(script);
    if (!stopped)
        stop_server();
    printf("client: all is well %s\n", mark);
    return 0;
}
