/* cage.c - where the program runs, so that it can neither see nor harm what is not its own.
   As root the program becomes a spare user, one that owns nothing else: a limit on processes
   binds it, and kill(-1) as that user ends all of it. Where the kernel lets us, it gets private,
   empty /tmp, /dev/shm and System V objects, and the book's own folder looks empty to it. */
#include "runner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#if __has_include(<linux/seccomp.h>)
#include <linux/filter.h>
#include <linux/seccomp.h>
#endif
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How many tasks (processes and threads) does user UID have on this machine? */
static long tasks_of(uid_t uid)
{
    long count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL; ) {
        char path[300];
        struct stat info;
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%s/task", entry->d_name);
        if (stat(path, &info) == 0 && info.st_uid == uid)
            count += (long)info.st_nlink - 2;
    }
    if (proc != NULL)
        closedir(proc);
    return count;
}

/* Can a process of ours become user UID? Not every container knows every number. */
static bool can_become(uid_t uid)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(setgroups(0, NULL) == -1 || setgid(uid) == -1 || setuid(uid) == -1);
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd == -1)
        return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* In a chroot, "/" is no mount, so it cannot be made private, and our mounts would be seen outside. In the
   new namespace we step out of the chroot for a moment, make everything private from there, and go back. */
static bool own_mounts_below(void)
{
    struct stat here, above;
    char aside[] = "/tmp/workbook-aside.XXXXXX";
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root == -1 || cwd == -1 || mkdtemp(aside) == NULL)
        return false;
    /* with the root elsewhere, ".." leads up past the old one */
    bool done = chroot(aside) == 0 && fchdir(root) == 0;
    do
        done = done && stat(".", &here) == 0 && chdir("..") == 0 && stat(".", &above) == 0;
    while (done && (here.st_ino != above.st_ino || here.st_dev != above.st_dev));
    done = done && chroot(".") == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (fchdir(root) == -1 || chroot(".") == -1 || fchdir(cwd) == -1)
        fail("cannot go back into the chroot: %s", strerror(errno));
    rmdir(aside);
    close(root);
    close(cwd);
    return done;
}

/* A mount namespace of our own: what is mounted in it, nobody else sees. */
static bool own_mounts(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (uid == 0) {
        if (unshare(CLONE_NEWNS | CLONE_NEWIPC) == -1)
            return false;
    } else {
        char map[64];
        pid_t trial = fork();   /* unshare once as a trial: half done, it could not be taken back */
        if (trial == 0)
            _exit(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) == -1 ||
                  !write_text("/proc/self/setgroups", "deny") ||
                  mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
                  mount("none", "/tmp", "tmpfs", 0, NULL) == -1);
        int status = 1;
        if (trial == -1 || waitpid(trial, &status, 0) != trial || status != 0)
            return false;
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) == -1)
            return false;
        snprintf(map, sizeof map, "%d %d 1", (int)uid, (int)uid);
        if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", map))
            return false;
        snprintf(map, sizeof map, "%d %d 1", (int)gid, (int)gid);
        if (!write_text("/proc/self/gid_map", map))
            return false;
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || own_mounts_below();
}

static void make_folders(const char *path)
{
    char part[4096];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0755);
        *slash = '/';
    }
    mkdir(part, 0755);
}

/* Gives the working directory and what is in it to the program's user. */
static void give_away(const struct run *run)
{
    DIR *dir = opendir(run->dir);
    if (dir == NULL)
        fail("%s: %s", run->dir, strerror(errno));
    for (struct dirent *entry; (entry = readdir(dir)) != NULL; )
        if (strcmp(entry->d_name, "..") != 0 &&
            fchownat(dirfd(dir), entry->d_name, run->user, run->user, AT_SYMLINK_NOFOLLOW) == -1)
            fail("cannot give %s to user %u: %s", run->dir, run->user, strerror(errno));
    closedir(dir);
}

static void mount_private(const struct run *run)
{
    int dir = open(run->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat before, now;
    char link[64];
    if (dir == -1 || fstat(dir, &before) == -1)
        fail("%s: %s", run->dir, strerror(errno));
    const char *size = "size=256m,mode=1777";
    if (mount("none", "/tmp", "tmpfs", 0, size) == -1 || mount("none", "/dev/shm", "tmpfs", 0, size) == -1)
        fail("cannot make /tmp and /dev/shm private: %s", strerror(errno));
    for (int i = 0; i < run->hidden; i++)
        if (access(run->hide[i], F_OK) == 0 && mount("none", run->hide[i], "tmpfs", MS_RDONLY, "size=4k") == -1)
            fail("cannot hide %s: %s", run->hide[i], strerror(errno));
    if (stat(run->dir, &now) == -1 || now.st_ino != before.st_ino || now.st_dev != before.st_dev) {
        make_folders(run->dir); /* our own folder is hidden now as well: bring it back */
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        if (mount(link, run->dir, NULL, MS_BIND, NULL) == -1)
            fail("cannot bring back %s: %s", run->dir, strerror(errno));
    }
    close(dir);
}

void cage_prepare(struct run *run)
{
    run->user = getuid();
    if (run->user == 0) {
        /* a number that nobody has; two runs at the same time get two */
        run->user = 1900000000u + (uid_t)getpid();
        if (!can_become(run->user))
            run->user = 20000u + (uid_t)getpid() % 40000u;
        run->spare_user = can_become(run->user);
        if (!run->spare_user)
            fail("as root a program is run as a spare user, but this machine does not let us become one");
        give_away(run);
    }
    run->private_files = own_mounts();
    if (run->private_files)
        mount_private(run);
}

/* A macro, since glibc and musl give the resource's number different types. */
#define LIMIT(resource, value) do { \
    struct rlimit limits; \
    if (getrlimit(resource, &limits) == -1) \
        fail("getrlimit: %s", strerror(errno)); \
    if (limits.rlim_max > (rlim_t)(value)) \
        limits.rlim_max = (rlim_t)(value); \
    limits.rlim_cur = limits.rlim_max; \
    if (setrlimit(resource, &limits) == -1) \
        fail("setrlimit: %s", strerror(errno)); \
} while (0)

/* As an ordinary user the program is the same user as everything else of that user, and one kill(-1, ...)
   would end it all. So that one call is refused: a filter in the kernel (seccomp(2)) looks at each call. */
static void refuse_kill_all(void)
{
#if __has_include(<linux/seccomp.h>)
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),    /* its lower half */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffffu, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof rules / sizeof rules[0], rules };
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
#endif
}

void cage_enter(const struct run *run)
{
    char home[4200];
    char *environment[40];
    int count = 0;
    long processes = run->processes + (run->spare_user ? 0 : tasks_of(run->user));

    setsid();
    if (dup2(run->in, 0) == -1 || dup2(run->out, 1) == -1 || dup2(run->err, 2) == -1)
        fail("dup2: %s", strerror(errno));
    syscall(SYS_close_range, 3u, ~0u, 0u);      /* all others are ours: not for the program */
    if (run->spare_user && (setgroups(0, NULL) == -1 || setgid(run->user) == -1 || setuid(run->user) == -1))
        fail("cannot become user %u: %s", run->user, strerror(errno));
    if (chdir(run->dir) == -1)
        fail("%s: %s", run->dir, strerror(errno));
    LIMIT(RLIMIT_CORE, 0);
    LIMIT(RLIMIT_FSIZE, run->output_mb * 1024 * 1024);
    LIMIT(RLIMIT_NPROC, processes);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!run->spare_user)
        refuse_kill_all();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    umask(022);

    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);

    snprintf(home, sizeof home, "HOME=%s", run->dir);
    environment[count++] = "PATH=/usr/local/bin:/usr/bin:/bin";
    environment[count++] = "LC_ALL=C";
    environment[count++] = "TERM=dumb";
    environment[count++] = home;
    for (int i = 0; i < run->envs; i++) {
        environment[count++] = (char *)(size_t)run->env[i];
        if (strncmp(run->env[i], "WORKBOOK_SEED=", 14) == 0)
            personality(ADDR_NO_RANDOMIZE);     /* a seed repeats, with the addresses too; where that is allowed */
    }
    environment[count] = NULL;
    execvpe(run->command[0], run->command, environment);
    dprintf(2, "%s: %s\n", run->command[0], strerror(errno));
    _exit(127);
}

/* ---- ending it ---- */

/* As the spare user: one call that reaches every process of that user at once, so that
   not even a program that forks as fast as it can gets away. */
static void kill_user(const struct run *run)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) == -1 || setgid(run->user) == -1 || setuid(run->user) == -1)
            _exit(1);
        kill(-1, SIGKILL);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
        ;
}

void cage_end_all(const struct run *run)
{
    static struct family family;
    struct timespec pause = { 0, 2000000 };
    for (int round = 0; round < 2000; round++) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (errno == ECHILD)
            return;             /* no child, so no descendant: as a subreaper we get them all */
        if (run->spare_user)
            kill_user(run);
        look_at_family(&family);
        for (int i = 0; i < family.count; i++)
            if (family.task[i].state != 'Z')
                kill(family.task[i].pid, SIGKILL);
        nanosleep(&pause, NULL);
    }
}

/* ---- what it left in files ---- */

static int report_folder(const struct run *run, const char *folder, bool all)
{
    int left = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL; ) {
        char path[4400];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        size_t length = strlen(path);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || lstat(path, &info) == -1)
            continue;
        if (strncmp(run->dir, path, length) == 0 && (run->dir[length] == '/' || run->dir[length] == '\0'))
            continue;           /* on the way to our own folder */
        if (!all && !(run->spare_user && info.st_uid == run->user))
            continue;           /* of somebody else */
        dprintf(run->report, "left: the %s %s\n", strcmp(folder, "/dev/shm") == 0 ?
                (strncmp(entry->d_name, "sem.", 4) == 0 ? "named semaphore" : "shared memory object") :
                S_ISSOCK(info.st_mode) ? "socket" : S_ISFIFO(info.st_mode) ? "FIFO" :
                S_ISDIR(info.st_mode) ? "folder" : "file", path);
        left++;
    }
    if (dir != NULL)
        closedir(dir);
    return left;
}

/* The names of Unix sockets in the working directory: nothing can be done with them when the server is gone. */
static int report_sockets(const struct run *run)
{
    int left = 0;
    DIR *dir = opendir(run->dir);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL; )
        if (entry->d_type == DT_SOCK) {
            dprintf(run->report, "left: the socket %s\n", entry->d_name);
            left++;
        }
    if (dir != NULL)
        closedir(dir);
    return left;
}

/* POSIX message queues look like files where they are mounted. */
static int report_queues(const struct run *run)
{
    int left = 0;
    if (!run->private_files || mount("none", "/tmp", "mqueue", 0, NULL) == -1)
        return 0;
    DIR *dir = opendir("/tmp");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL; )
        if (entry->d_name[0] != '.') {
            dprintf(run->report, "left: the message queue /%s\n", entry->d_name);
            left++;
        }
    if (dir != NULL)
        closedir(dir);
    umount2("/tmp", MNT_DETACH);
    return left;
}

static int report_system_v(const struct run *run, const char *kind, const char *what)
{
    char path[64], line[512];
    int left = 0, id;
    snprintf(path, sizeof path, "/proc/sysvipc/%s", kind);
    FILE *table = fopen(path, "re");
    bool heading = true;
    while (run->private_files && table != NULL && fgets(line, sizeof line, table) != NULL) {
        if (!heading)
            left++, dprintf(run->report, "left: the System V %s %d\n", what, sscanf(line, "%*d %d", &id) == 1 ? id : -1);
        heading = false;
    }
    if (table != NULL)
        fclose(table);
    return left;
}

int cage_report_files(const struct run *run, bool ended_well)
{
    return report_folder(run, "/tmp", run->private_files) +
           report_folder(run, "/dev/shm", run->private_files) +
           report_folder(run, "/var/tmp", false) +
           report_queues(run) +
           (ended_well ? report_sockets(run) : 0) +    /* a program that crashed could not remove it */
           report_system_v(run, "shm", "shared memory segment") +
           report_system_v(run, "sem", "semaphore set") +
           report_system_v(run, "msg", "message queue");
}
