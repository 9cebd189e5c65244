/* runner.h - what the three files of the runner share.
   runner.c  starts the program, watches it, reports how it ended and what it left
   cage.c    where the program runs: an own user, private /tmp and /dev/shm, limits; and how it is ended
   look.c    what /proc says: who descends from us, who waits for what */
#ifndef RUNNER_H
#define RUNNER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

enum { MOST_TASKS = 2048 };

/* One run, as the command line asked for it. */
struct run {
    char **command;             /* the program and its arguments */
    const char *dir;            /* its working directory; given to the spare user */
    const char *hide[8];        /* folders that shall look empty to the program */
    int hidden;
    const char *env[32];        /* NAME=value, added to a small fixed environment */
    int envs;
    int in, out, err, report;   /* open descriptors */
    long time_ms, processes, memory_mb, output_mb;
    uid_t user;                 /* whom the program runs as: a spare user, or ourselves */
    bool spare_user;            /* are we root, so that it can be another user? */
    bool private_files;         /* could /tmp and /dev/shm be made private? */
};

/* cage.c */
void cage_prepare(struct run *run);             /* in the supervisor: spare user, private mounts */
void cage_enter(const struct run *run);         /* in the child that becomes the program */
void cage_end_all(const struct run *run);       /* kills and reaps every descendant, whatever it does */
/* Reports what was left in /tmp, /dev/shm, ..., and, of a program that ended well, sockets in its folder; how many. */
int cage_report_files(const struct run *run, bool ended_well);

/* look.c */
struct process {
    pid_t pid, parent;
    char state;
    long resident;              /* bytes */
};
struct family {                 /* every living descendant of this process */
    int count;
    struct process task[MOST_TASKS];
};
void look_at_family(struct family *family);
/* True when no task of the family runs or can be woken by time: all wait for one another.
   *SWITCHES is a number that changes whenever any of them ran. */
bool all_blocked(const struct family *family, unsigned long long *switches);
/* Reports what each task of the family waits for, one line each. */
void report_waits(int report, const struct family *family, pid_t first);
const char *signal_name(int number);    /* "SIGTERM" */
int signal_number(const char *name);    /* or 0 */

void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
