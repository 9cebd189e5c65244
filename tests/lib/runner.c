/* runner.c - runs one program under judgement, and tells how it ended and what it left.
   usage: runner [OPTION VALUE]... -- PROGRAM ARGUMENT...
     --report FILE  --out FILE  --err FILE   where to write (all three are needed)
     --in FILE           standard input; /dev/null without it
     --feed BYTES        standard input is a pipe that gets BYTES of FILE at a time, the next ones
                         only when the pipe is empty: a read gets no more than that
     --dir DIR           working directory; as root it is given to the spare user
     --hide DIR          looks empty to the program
     --region FILE       a new empty file for the witness, which finds it as .events in the working directory
     --env NAME=VALUE    for the program, whose environment is small and fixed
     --time MS  --processes N  --memory MB  --output MB     limits
     --until SIGNAL      wait for the line "listening on ...", then run the client (if any), then
     --client COMMAND    send SIGNAL; PORT in COMMAND stands for the number in that line
     --strike WHOM:SIGNAL:US   after US microseconds send SIGNAL to main, group or a child
     --pty 1             standard output is a terminal
   The report has one thing a line:
     end: exit 3 | end: killed by SIGTERM         how the first process ended
     verdict: hang | left behind | over the limit | crash     only if there is one
     why: ... wait: ... left: ... orphans: N ... struck: PID   what goes with it
   Two processes do the work. The inner one starts the program and is the parent of all that its
   parent left (a subreaper). The outer one only waits, in case the program kills the inner one. */
#include "runner.h"
#include "schedule.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 500, STUCK_MS = 2000 };

static struct run run;
static const char *strike, *until, *client_command;
static long feed_bytes;
static const char *region_path;
static int region_fd = -1;
static bool use_pty;
static int report_fd = -1;

void fail(const char *format, ...)
{
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dprintf(2, "runner: %s\n", text);
    _exit(125);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the state of one run ---- */

static pid_t first;             /* the process that became the program */
static pid_t client;            /* 0: none is running */
static bool first_ended;
static int first_status, client_status;
static int orphans_before, orphans_after;   /* processes that came to us, before and after the first ended */
static bool nobody_left;        /* no child, so no descendant either: a subreaper gets them all */
static double started, ended;
static int terminal = -1;       /* our end of the pty */
static int feed_pipe = -1, feed_file = -1;

static pid_t start(char **command)
{
    struct run its = run;
    pid_t pid = fork();
    if (pid == -1)
        fail("fork: %s", strerror(errno));
    if (pid == 0) {
        its.command = command;
        cage_enter(&its);
    }
    return pid;
}

/* Reaps whatever has ended. Our children are listed in the order they came to us, and the first
   process came first: while it is not reported, none of those reported lost a parent by its end.
   A daemon is nobody's child: it is in a session that the program has made, and its parent has ended on purpose. */
static void reap(void)
{
    int status, answer;
    siginfo_t next = { .si_pid = 0 };
    while ((answer = waitid(P_ALL, 0, &next, WEXITED | WNOHANG | WNOWAIT)) == 0 && next.si_pid != 0) {
        pid_t pid = next.si_pid, session = getsid(pid);
        bool is_daemon = session != first && session != pid;
        waitpid(pid, &status, 0);
        next.si_pid = 0;
        if (pid == first && !first_ended) {
            first_ended = true;
            first_status = status;
            ended = now_ms();
        } else if (client != 0 && pid == client) {
            client = 0;
            client_status = status;
        } else if (is_daemon)
            continue;
        else if (first_ended)
            orphans_after++;
        else
            orphans_before++;
    }
    nobody_left = answer == -1 && errno == ECHILD;
}

/* ---- standard input in pieces, standard output as a terminal ---- */

static void open_feed(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1)
        fail("pipe: %s", strerror(errno));
    feed_file = run.in;
    run.in = ends[0];
    feed_pipe = ends[1];
}

static void feed(void)
{
    char piece[65536];
    int waiting = 0;
    if (feed_pipe == -1 || ioctl(feed_pipe, FIONREAD, &waiting) == -1 || waiting > 0)
        return;                 /* the program has not taken the last piece yet */
    size_t size = (size_t)feed_bytes < sizeof piece ? (size_t)feed_bytes : sizeof piece;
    ssize_t count = read(feed_file, piece, size);
    if (count <= 0 || write(feed_pipe, piece, (size_t)count) != count) {
        close(feed_pipe);       /* all given, or nobody reads any more */
        feed_pipe = -1;
    }
}

static void open_terminal(int *slave)
{
    struct termios raw;
    terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal == -1 || grantpt(terminal) == -1 || unlockpt(terminal) == -1)
        fail("no terminal: %s", strerror(errno));
    *slave = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave == -1 || tcgetattr(*slave, &raw) == -1)
        fail("no terminal: %s", strerror(errno));
    cfmakeraw(&raw);            /* no "\r\n" for "\n" */
    tcsetattr(*slave, TCSANOW, &raw);
    fcntl(terminal, F_SETFL, O_NONBLOCK);
}

static void copy_terminal(int out)
{
    char bytes[4096];
    for (ssize_t count; terminal != -1 && (count = read(terminal, bytes, sizeof bytes)) > 0; )
        if (write(out, bytes, (size_t)count) != count)
            return;
}

/* ---- servers: wait until it listens, run the client, send the signal ---- */

static bool listening(char *port, size_t size)
{
    char text[8192];
    ssize_t count = pread(run.out, text, sizeof text - 1, 0);
    text[count > 0 ? count : 0] = '\0';
    char *line = strncmp(text, "listening on", 12) == 0 ? text : strstr(text, "\nlistening on");
    if (line == NULL || strchr(line + 1, '\n') == NULL)
        return false;
    char *number = strstr(line, "port ");
    snprintf(port, size, "%ld", number != NULL ? atol(number + 5) : 0);
    return true;
}

static void start_client(const char *port)
{
    static char line[4096];
    static char *command[] = { "sh", "-c", line, NULL };
    size_t used = (size_t)snprintf(line, sizeof line, "exec ");
    for (const char *from = client_command; *from != '\0' && used + 16 < sizeof line; ) {
        if (strncmp(from, "PORT", 4) == 0) {
            used += (size_t)snprintf(line + used, sizeof line - used, "%s", port);
            from += 4;
        } else
            line[used++] = *from++;
    }
    line[used] = '\0';
    client = start(command);
}

static void serve(void)
{
    static enum { WAITING, TALKING, DONE } stage;
    char port[32];
    if (until == NULL || first_ended || stage == DONE)
        return;
    if (stage == WAITING && listening(port, sizeof port)) {
        stage = TALKING;
        if (client_command != NULL)
            start_client(port);
    }
    if (stage == TALKING && client == 0) {
        stage = DONE;
        kill(first, signal_number(until));
    }
}

/* ---- a blow on purpose: a signal at a chosen moment ---- */

static void strike_now(void)
{
    static struct family family;
    char whom[16], name[16];
    long us;
    if (strike == NULL || first_ended || sscanf(strike, "%15[a-z]:%15[A-Z0-9]:%ld", whom, name, &us) != 3 ||
        (now_ms() - started) * 1e3 < (double)us)
        return;
    strike = NULL;
    int number = signal_number(name);
    pid_t target = first;
    if (strcmp(whom, "child") == 0) {
        look_at_family(&family);
        int children = 0;
        for (int i = 0; i < family.count; i++)
            if (family.task[i].pid != first && family.task[i].state != 'Z')
                family.task[children++] = family.task[i];
        if (children == 0)
            return;             /* none yet, or none any more */
        target = family.task[us % children].pid;
    }
    kill(strcmp(whom, "group") == 0 ? -first : target, number);
    dprintf(report_fd, "struck: %d\n", (int)target);
}

/* ---- limits ---- */

/* Is there more in the working directory's own files than /tmp would hold? */
static bool disk_is_full(void)
{
    static double looked;
    off_t sum = 0;
    struct stat info;
    if (now_ms() - looked < 200)
        return false;
    looked = now_ms();
    DIR *dir = opendir(run.dir);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL; )
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
            sum += info.st_blocks * 512;
    if (dir != NULL)
        closedir(dir);
    if (sum > 256 * 1024 * 1024)
        dprintf(report_fd, "verdict: over the limit\nwhy: it wrote more than 256 MB into files\n");
    return sum > 256 * 1024 * 1024;
}

static bool over_limit(bool output_only)
{
    static struct family family;
    static double looked;
    struct stat out, err;
    long most = run.output_mb * 1024 * 1024;
    if (fstat(run.out, &out) == 0 && fstat(run.err, &err) == 0 && (out.st_size >= most || err.st_size >= most)) {
        dprintf(report_fd, "verdict: over the limit\nwhy: it printed more than %ld MB\n", run.output_mb);
        return true;
    }
    if (output_only || now_ms() - looked < 10)
        return false;
    if (disk_is_full())
        return true;
    looked = now_ms();
    look_at_family(&family);
    long resident = 0;
    for (int i = 0; i < family.count; i++)
        resident += family.task[i].resident;
    if (family.count >= run.processes * 9 / 10)
        dprintf(report_fd, "verdict: over the limit\nwhy: it had %d processes at once; %ld are allowed\n",
                family.count, run.processes);
    else if (resident > run.memory_mb * 1024 * 1024)
        dprintf(report_fd, "verdict: over the limit\nwhy: it used more than %ld MB of memory\n", run.memory_mb);
    else
        return false;
    return true;
}

/* A program that waits for nothing that could come will not end: no need to wait for the limit. */
static bool stuck(void)
{
    static struct family family;
    static double since;
    static unsigned long long before;
    unsigned long long switches;
    double now = now_ms();
    static double looked;
    if (now - looked < 100)
        return false;
    looked = now;
    look_at_family(&family);
    bool blocked = feed_pipe == -1 && all_blocked(&family, &switches);
    if (!blocked || switches != before || since == 0) {
        before = blocked ? switches : 0;
        since = blocked ? now : 0;
        return false;
    }
    return now - since >= STUCK_MS;
}

static void report_hang(const char *why)
{
    static struct family family;
    dprintf(report_fd, "verdict: hang\nwhy: %s\n", why);
    look_at_family(&family);
    report_waits(report_fd, &family, first);
}

/* ---- the run ---- */

/* The signals that the inner process waits for: a child has ended, or we are asked to end. */
static void waited_for(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGCHLD);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
}

/* Watches until the first process has ended (true), or had to be stopped (false). */
static bool watch(void)
{
    sigset_t signals;
    waited_for(&signals);
    for (;;) {
        double spent = now_ms() - started;
        bool hurry = strike != NULL || until != NULL || feed_pipe != -1;
        struct timespec tick = { 0, hurry ? 200000 : spent < 50 ? 5000000 : 20000000 };
        int number = sigtimedwait(&signals, NULL, &tick);
        if (number != -1 && number != SIGCHLD) {
            cage_end_all(&run);     /* Ctrl-C, or the outer process is gone */
            _exit(130);
        }
        reap();
        copy_terminal(run.out);
        if (first_ended && client == 0)
            return true;
        feed();
        serve();
        strike_now();
        spent = now_ms() - started;
        if (spent > 15 && over_limit(false))
            return false;
        if (spent > 500 && stuck()) {
            report_hang("every process waits, and nothing can wake any of them");
            return false;
        }
        if (spent > (double)run.time_ms) {
            char why[100];
            snprintf(why, sizeof why, "it had not ended after %ld ms", run.time_ms);
            report_hang(why);
            return false;
        }
    }
}

/* After the end: half a second for what still runs to end, then it counts as left behind. */
static void report_left(void)
{
    static struct family family;
    struct timespec tick = { 0, 2000000 };
    for (reap(); !nobody_left && now_ms() - ended < GRACE_MS; reap())
        nanosleep(&tick, NULL);
    if (!nobody_left)
        look_at_family(&family);
    if (family.count > 0) {
        for (int i = 0; i < family.count && i < 12; i++)
            dprintf(report_fd, "left: process %d still runs\n", (int)family.task[i].pid);
        report_waits(report_fd, &family, first);
    }
    if (orphans_before + orphans_after > 0)
        dprintf(report_fd, "orphans: %d %d\n", orphans_before, orphans_after);
    cage_end_all(&run);
    int files = cage_report_files(&run, first_status == 0);
    if (family.count > 0 || files > 0)
        dprintf(report_fd, "verdict: left behind\n");
}

static int open_for(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd == -1)
        fail("%s: %s", path, strerror(errno));
    return fd;
}

/* A new file each time: mostly holes, so that a large one costs nothing. It has two names: whatever the program does
   to the one that it sees, the other one stays. */
static void make_region(void)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/.events", run.dir);
    unlink(path);
    unlink(region_path);
    region_fd = open_for(region_path, O_RDWR | O_CREAT | O_EXCL);
    if (ftruncate(region_fd, sizeof(struct region)) == -1 || link(region_path, path) == -1)
        fail("%s: %s", path, strerror(errno));
}

/* Has the witness found something? Then "draw" is asked what it is. */
static void report_region(void)
{
    char byte;
    struct stat info;
    if (region_fd != -1 && fstat(region_fd, &info) == 0 && info.st_size != (off_t)sizeof(struct region)) {
        dprintf(report_fd, "verdict: wrong call\nwhy: the program changed the judge's own file, .events\n");
        if (ftruncate(region_fd, 0) == -1 || ftruncate(region_fd, sizeof(struct region)) == -1)
            fail("the region: %s", strerror(errno));
        return;
    }
    const off_t places[] = { offsetof(struct region, verdict), offsetof(struct region, remark) };
    for (size_t i = 0; region_fd != -1 && i < sizeof places / sizeof *places; i++)
        if (pread(region_fd, &byte, 1, places[i]) == 1 && byte != '\0') {
            dprintf(report_fd, "region: it has a verdict\n");
            return;
        }
}

static void supervise(void)
{
    sigset_t signals;
    int out = run.out;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    waited_for(&signals);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    cage_prepare(&run);
    prctl(PR_SET_DUMPABLE, 0);      /* same user or not: the program cannot reach our descriptors */
    report_fd = run.report;
    if (feed_bytes > 0)
        open_feed();
    int slave = -1;
    if (use_pty) {
        open_terminal(&slave);
        run.out = slave;
    }
    started = now_ms();
    first = start(run.command);
    run.out = out;
    if (slave != -1)
        close(slave);
    if (feed_bytes > 0)
        close(run.in);
    if (watch()) {
        if (WIFEXITED(first_status))
            dprintf(report_fd, "end: exit %d\n", WEXITSTATUS(first_status));
        else
            dprintf(report_fd, "end: killed by %s\n", signal_name(WTERMSIG(first_status)));
        if (client_status != 0)
            dprintf(report_fd, "why: the client ended with wait status %d\n", client_status);
        if (over_limit(true))
            cage_end_all(&run);
        else
            report_left();
    } else
        cage_end_all(&run);
    copy_terminal(run.out);
    report_region();
    dprintf(report_fd, "ms: %.0f\n", now_ms() - started);
    _exit(0);
}

/* ---- options ---- */

static void read_options(int argc, char **argv)
{
    int i = 1;
    run.in = run.out = run.err = run.report = -1;
    run.dir = ".";
    run.time_ms = 10000, run.processes = 300, run.memory_mb = 1024, run.output_mb = 16;
    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        const char *option = argv[i], *value = argv[i + 1];
        const int write_flags = O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
        if (strcmp(option, "--report") == 0) run.report = open_for(value, write_flags);
        else if (strcmp(option, "--out") == 0) run.out = open_for(value, write_flags);
        else if (strcmp(option, "--err") == 0) run.err = open_for(value, write_flags);
        else if (strcmp(option, "--in") == 0) run.in = open_for(value, O_RDONLY);
        else if (strcmp(option, "--feed") == 0) feed_bytes = atol(value);
        else if (strcmp(option, "--region") == 0) region_path = value;
        else if (strcmp(option, "--dir") == 0) run.dir = value;
        else if (strcmp(option, "--hide") == 0 && run.hidden < 8) run.hide[run.hidden++] = value;
        else if (strcmp(option, "--env") == 0 && run.envs < 32) run.env[run.envs++] = value;
        else if (strcmp(option, "--time") == 0) run.time_ms = atol(value);
        else if (strcmp(option, "--processes") == 0) run.processes = atol(value);
        else if (strcmp(option, "--memory") == 0) run.memory_mb = atol(value);
        else if (strcmp(option, "--output") == 0) run.output_mb = atol(value);
        else if (strcmp(option, "--until") == 0 && signal_number(value) != 0) until = value;
        else if (strcmp(option, "--client") == 0) client_command = value;
        else if (strcmp(option, "--strike") == 0) strike = value;
        else if (strcmp(option, "--pty") == 0) use_pty = true;
        else fail("option %s %s: not understood", option, value);
    }
    if (i + 1 >= argc || run.report == -1 || run.out == -1 || run.err == -1)
        fail("usage: runner --report FILE --out FILE --err FILE [OPTION VALUE]... -- PROGRAM ARGUMENT...");
    run.command = argv + i + 1;
    run.dir = realpath(run.dir, NULL);
    if (run.dir == NULL)
        fail("the working directory does not exist");
    if (region_path != NULL)
        make_region();
    if (run.in == -1)
        run.in = open_for("/dev/null", O_RDONLY);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t supervisor = fork();
    if (supervisor == -1)
        fail("fork: %s", strerror(errno));
    if (supervisor == 0)
        supervise();
    prctl(PR_SET_DUMPABLE, 0);
    int status;
    while (waitpid(supervisor, &status, 0) == -1 && errno == EINTR)
        ;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    /* Nobody but the program had a reason to do this. What it left has come to us. */
    cage_end_all(&run);
    dprintf(run.report, "end: killed by SIGKILL\nverdict: wrong call\nwhy: the program killed its own parent, the judge\n");
    return 0;
}
