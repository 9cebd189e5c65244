/* named_shared_memory.c - memory with a name, for processes that have nothing else in common.
   Python: SharedMemory(name="board", create=True, size=64), close(), unlink()
   Calls:  shm_open(3), shm_unlink(3), ftruncate(2), flock(2), see shm_overview(7)
   Needs:  01-fork/share, 02-process/spawn, 02-process/terminate, value_array
   Try:    Put pause(); above the line with shm_unlink(name), and end the program by Ctrl-C there. Then
           do it again without the keeper's shm_unlink: ls /dev/shm shows the board until the next start. */
#include "workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct board {                      /* no addresses: the memory lies elsewhere in each process */
    int number;
    char text[60];
};

static struct board *map_board(int fd)
{
    return check_ptr(mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
}

/* Makes the board, empty, and owns it until FD is closed or this process ends, however it ends.
   What a killed owner has left is taken over: a name outlives its processes, a file lock does not. */
static struct board *own_board(const char *name, int *fd)
{
    struct stat status;
    *fd = check(shm_open(name, O_RDWR | O_CREAT, 0600));    /* 0600: for this user only */
    if (flock(*fd, LOCK_EX | LOCK_NB) == -1)
        die("%s has an owner that is alive", name);
    check(fstat(*fd, &status));
    say("owner: %s", status.st_size == 0 ? "a new board" : "a board is there, and its owner is gone");
    check(ftruncate(*fd, 0));       /* nobody knows how far the dead one had come: throw it away */
    check(ftruncate(*fd, sizeof(struct board)));            /* zeros */
    return map_board(*fd);
}

/* Knows the name and nothing else: it is started by exec, so no memory of main is left in it. */
static void visit(const char *name)
{
    int fd = check(shm_open(name, O_RDWR, 0));
    struct board *board = map_board(fd);
    check(close(fd));               /* the mapping stays */
    say("visitor: reads %d, writes 43", board->number);
    board->number = 43;
    strcpy(board->text, "the visitor was here");
    check(munmap(board, sizeof *board));
}

struct family {
    const char *name;
    int life[2];                    /* a pipe without any bytes: its end says that main has ended */
    pid_t parent;
};

/* The keeper: outlives main, and removes the name when main could not. */
static int keep(void *argument)
{
    const struct family *family = argument;
    char byte;
    check(close(family->life[1]));
    check(read_full(family->life[0], &byte, 1));    /* until nobody is left who could make the name */
    return shm_unlink(family->name) == -1 && errno != ENOENT;
}

static int own_and_be_killed(void *argument)
{
    const struct family *family = argument;
    int fd;
    check(end_with_parent(family->parent));
    own_board(family->name, &fd)->number = 7;
    return raise(SIGKILL);          /* a crash: no line of ours runs any more */
}

static int start_visitor(void *argument)
{
    const struct family *family = argument;
    check(end_with_parent(family->parent));         /* stays so after exec */
    return check(execl("/proc/self/exe", "named_shared_memory", "visit", family->name, (char *)NULL));
}

/* Runs FUNCTION in a child and waits for its end: by SIGNAL or, if SIGNAL is 0, by exit 0. */
static void run(int (*function)(void *), struct family *family, int signal, const char *who)
{
    pid_t pid = check(start_child(function, family));
    int status = check(wait_child(pid));
    if (WIFSIGNALED(status) && WTERMSIG(status) != signal)
        die("%s was killed by signal %d", who, WTERMSIG(status));
    if (!WIFSIGNALED(status) && (signal != 0 || WEXITSTATUS(status) != 0))
        die("%s ended with exit status %d", who, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "visit") == 0) {
        visit(argv[2]);
        return 0;
    }
    no_arguments(argc, argv);

    char name[64];
    snprintf(name, sizeof name, "/workbook-board-%d", (int)getuid());
    int turn = check(open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    check(flock(turn, LOCK_EX));    /* if this program is run twice at the same time: one after the other */
    struct family family = { .name = name, .parent = getpid() };
    check(pipe2(family.life, O_CLOEXEC));
    pid_t keeper = check(start_child(keep, &family));
    check(setpgid(keeper, keeper)); /* a group of its own: Ctrl-C does not reach it */
    check(close(family.life[0]));

    run(own_and_be_killed, &family, SIGKILL, "the first owner");
    say("the first owner was killed");
    int fd;
    struct board *board = own_board(name, &fd);
    board->number = 42;
    run(start_visitor, &family, 0, "the visitor");
    say("owner: reads %d, \"%s\"", board->number, board->text);

    check(munmap(board, sizeof *board));
    check(shm_unlink(name));        /* the name is gone; the memory goes when nobody maps it any more */
    say("owner: the name is %s", shm_open(name, O_RDWR, 0) == -1 ? "gone" : "still there");
    check(close(fd));
    check(close(family.life[1]));
    if (check(wait_children(&keeper, 1)) != 0)
        return 1;
    check(close(turn));
}

/* Output:
owner: a new board
the first owner was killed
owner: a board is there, and its owner is gone
visitor: reads 42, writes 43
owner: reads 43, "the visitor was here"
owner: the name is gone
*/
