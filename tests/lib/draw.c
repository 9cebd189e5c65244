/* draw.c - what a scheduled run left in its region: the verdict, and the drawing of its schedule.
   usage: draw verdict REGION PROGRAM     "verdict: race" and "why: ..." lines, or nothing
          draw picture REGION PROGRAM NAME.c SOURCE     one column a task, one row a step that matters; then the letters
          draw hint    REGION PROGRAM     what was done that may explain a wrong output, or nothing
          draw last    REGION PROGRAM     the last step of each task that still runs
          draw made    REGION PROGRAM     stdin, with the places where the processes and files named in it were made
          draw count   REGION             how many steps and switches there were
          draw events  REGION             what the witness wrote down
   PROGRAM is asked (addr2line) for the source lines of the places. */
#include "schedule.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct region *run;
static const char *program;

/* "family_tree.c:31" for a place in the program; asked for once each. */
static const char *line_of(unsigned long at)
{
    static struct { unsigned long at; char text[64]; } known[256];
    static int count;
    char command[4300], answer[4096] = "";
    for (int i = 0; i < count; i++)
        if (known[i].at == at)
            return known[i].text;
    if (count == 256)
        return "?";
    known[count].at = at;
    snprintf(command, sizeof command, "addr2line -s -e '%s' 0x%lx 2>/dev/null", program, at);
    FILE *asked = at != 0 && strchr(program, '\'') == NULL ? popen(command, "r") : NULL;
    if (asked != NULL) {
        if (fgets(answer, sizeof answer, asked) == NULL)
            answer[0] = '\0';
        pclose(asked);
    }
    answer[strcspn(answer, " \n")] = '\0';
    snprintf(known[count].text, sizeof known[count].text, "%.60s", answer[0] == '\0' || answer[0] == '?' ? "?" : answer);
    return known[count++].text;
}

/* The line in the program itself: what stands in common/ is told by the line that called it. */
static const char *own_line(const unsigned long places[3])
{
    const char *const common[] = { "io.c", "errors.c", "children.c", "system.c", "locks.c", "threads.c" };     /* that one is ours */
    for (int i = 0; i < 3; i++) {
        const char *line = line_of(places[i]);
        bool own = line[0] != '?';
        for (int c = 0; c < 6; c++)
            own = own && strncmp(line, common[c], strlen(common[c])) != 0;
        if (own)
            return line;
    }
    return line_of(places[0]);
}

static const char *line_of_step(const struct step *step)
{
    return own_line((unsigned long[]){ step->at, step->outer[0], step->outer[1] });
}

static void name_of(uint64_t object, bool call, char *name, size_t size);

/* Prints TEXT, with its places as source lines and its keys as letters: see add_place in schedule.c. */
static void print_text(const char *text, const char *prefix)
{
    bool line_start = true;
    for (const char *c = text; *c != '\0'; c++) {
        char name[24];
        unsigned long places[3] = { 0, 0, 0 };
        if (line_start)
            fputs(prefix, stdout);
        line_start = *c == '\n';
        const char *end = *c == '@' || *c == '#' ? strchr(c + 1, *c) : NULL;
        if (end == NULL || end - c > 60) {
            putchar(*c);
            continue;
        }
        if (*c == '@') {
            sscanf(c + 1, "%lx,%lx,%lx", &places[0], &places[1], &places[2]);
            fputs(own_line(places), stdout);
        } else {
            name_of(strtoull(c + 1, NULL, 16), true, name, sizeof name);
            fputs(name, stdout);
        }
        c = end;
    }
    if (!line_start)
        putchar('\n');
}

/* ---- the drawing ---- */

enum { WIDTH = 76, COLUMNS = 6, ROWS = 60, LEGEND = 8 };

/* Does a step matter? Memory that two tasks use, and every call that two tasks meet at. */
static bool matters(const struct step *step)
{
    if (step->what == 'c')
        return step->object > OUTSIDE ||
               strstr("waits fork waitpid _exit pthread_create pthread_join kill read write pread pwrite lseek poll select", step->text) != NULL;
    for (int i = 0; i < run->steps; i++)
        if (run->step[i].what != 'c' && run->step[i].object == step->object && run->step[i].task != step->task)
            return true;
    return false;
}

/* Shared places get the letters a, b, c ... in the order they are first used; locks, conditions and semaphores the
   letters A, B, C ... */
static void name_of(uint64_t object, bool call, char *name, size_t size)
{
    static struct { uint64_t object; bool call; } known[OBJECTS];
    static int count = -1;
    int number = 0;
    if (count == -1)            /* all of them, once */
        for (int i = count = 0; i < run->steps && count < OBJECTS; i++) {
            const struct step *step = &run->step[i];
            bool seen = step->object <= OUTSIDE || !matters(step);
            for (int k = 0; k < count && !seen; k++)
                seen = known[k].object == step->object && known[k].call == (step->what == 'c');
            if (seen)
                continue;
            known[count].object = step->object;
            known[count++].call = step->what == 'c';
        }
    name[0] = '\0';
    if (call && object <= OUTSIDE)
        return;
    for (int k = 0; k < count && known[k].object != object; k++)
        number += known[k].call == call;
    if (number < 26)
        snprintf(name, size, "%c", (call ? 'A' : 'a') + number);
    else
        snprintf(name, size, "%c%d", call ? 'Z' : 'z', number);
}

/* What a step does, in words; in SHORT ones where many columns stand beside each other. */
static void describe(const struct step *step, bool brief, char *text, size_t size)
{
    static const struct { const char *word, *brief; } briefs[] = {
        { "pthread_mutex_timedlock", "lock" }, { "pthread_mutex_trylock", "try" }, { "pthread_mutex_lock", "lock" },
        { "pthread_mutex_unlock", "unlock" }, { "pthread_cond_wait", "wait" }, { "pthread_cond_timedwait", "wait" },
        { "pthread_cond_signal", "signal" }, { "pthread_cond_broadcast", "wake" }, { "lock again", "lock" },
        { "pthread_barrier_wait", "barrier" }, { "pthread_rwlock_rdlock", "rdlock" }, { "pthread_rwlock_wrlock", "wrlock" },
        { "pthread_rwlock_unlock", "unlock" }, { "sem_wait", "wait" }, { "sem_post", "post" },
    };
    char name[24], whom[24] = "";
    name_of(step->object, step->what == 'c', name, sizeof name);
    const char *word = step->text[0] != '\0' ? step->text : step->what == 'r' ? "reads" : "writes";  /* an atomic access has its own */
    bool wakes = strcmp(word, "pthread_cond_signal") == 0 || strcmp(word, "pthread_cond_broadcast") == 0;
    for (size_t i = 0; brief && i < sizeof briefs / sizeof *briefs; i++)
        if (strcmp(word, briefs[i].word) == 0) {
            word = briefs[i].brief;
            break;
        }
    if (strncmp(word, "pthread_", 8) == 0)
        word += 8;
    if (wakes && step->value >= 0)
        snprintf(whom, sizeof whom, brief ? ": P%ld" : " wakes P%ld", step->value + 1);
    else if (wakes && step->value == -1)
        snprintf(whom, sizeof whom, brief ? ": -" : " wakes nobody");
    if (step->what != 'c') {
        char number[24] = "(place)";
        if (step->value <= 1l << 40 && step->value >= -(1l << 40))
            snprintf(number, sizeof number, "%ld", step->value);
        if (brief)
            snprintf(text, size, "%s %s %s", name, step->what == 'r' ? "is" : "=", number);
        else
            snprintf(text, size, "%s %s = %s", word, name, number);
    } else if (strcmp(word, "waits") == 0)
        snprintf(text, size, name[0] != '\0' ? brief ? " waits %s" : "  waits for %s" : brief ? " waits" : "  waits", name);
    else if (strcmp(word, "read") == 0 || strcmp(word, "write") == 0)
        snprintf(text, size, "%s fd %ld", word, step->value);
    else
        snprintf(text, size, "%s%s%s%s", word, name[0] != '\0' ? " " : "", name, whom);
}

/* How wide the columns are, and all of it together. */
static int widths(bool brief, const int *drawn, int count, int width[COLUMNS])
{
    int lines = 4, all = 0, columns = run->tasks < COLUMNS ? run->tasks : COLUMNS;
    for (int t = 0; t < columns; t++)
        width[t] = 2;
    for (int i = 0; i < count; i++) {
        const struct step *step = &run->step[drawn[i]];
        char text[128];
        describe(step, brief, text, sizeof text);
        int length = (int)strlen(text), line = (int)strlen(line_of_step(step));
        if (length > width[step->task])
            width[step->task] = length;
        if (line > lines)
            lines = line;
    }
    for (int t = 0; t < columns; t++)
        all += width[t] + 3;
    return all + lines;
}

/* One line for each letter: where it is first used, and what stands there in the program. */
static void legend(const int *drawn, int count, bool call, const char *name_of_source, const char *source)
{
    char shown[LEGEND][24];
    int letters = 0;
    for (int i = 0; i < count && letters < LEGEND; i++) {
        const struct step *step = &run->step[drawn[i]];
        char name[24], text[512] = "";
        name_of(step->object, step->what == 'c', name, sizeof name);
        bool known = (step->what == 'c') != call || name[0] == '\0' || strcmp(step->text, "waits") == 0;
        for (int k = 0; k < letters && !known; k++)
            known = strcmp(shown[k], name) == 0;
        if (known)
            continue;
        snprintf(shown[letters++], sizeof shown[0], "%s", name);
        const char *line = line_of_step(step), *colon = strrchr(line, ':');
        bool same = source != NULL && colon != NULL && strlen(name_of_source) == (size_t)(colon - line) &&
                    strncmp(name_of_source, line, (size_t)(colon - line)) == 0;
        FILE *file = same ? fopen(source, "re") : NULL;
        for (long number = file != NULL ? atol(colon + 1) : 0; number > 0 && fgets(text, sizeof text, file) != NULL; number--)
            ;
        if (file != NULL)
            fclose(file);
        text[strcspn(text, "\n")] = '\0';
        printf("%s: %s  %.56s\n", name, line, text + strspn(text, " \t"));
    }
}

static void picture(const char *name_of_source, const char *source)
{
    int drawn[ROWS], count = 0, width[COLUMNS], columns = run->tasks < COLUMNS ? run->tasks : COLUMNS, other = -1;
    for (int i = 0; i < run->steps && count < ROWS; i++)
        if (matters(&run->step[i]) && run->step[i].task < COLUMNS)
            drawn[count++] = i;
    bool brief = widths(false, drawn, count, width) > WIDTH;
    if (brief)
        widths(true, drawn, count, width);
    for (int t = 0; t < columns; t++)
        printf("%sP%-*d ", t ? "| " : "", width[t] - 1, t + 1);
    printf("| line\n");
    bool race = strcmp(run->verdict, "race") == 0;
    for (int i = 0; race && i < run->steps && (i < run->found || other == -1); i++)
        if (run->step[i].at == run->places[0] && run->step[i].task != run->step[run->found].task)
            other = i;          /* the one that was noted first of the two accesses that race */
    for (int i = 0; i < count; i++) {
        const struct step *step = &run->step[drawn[i]];
        char text[128];
        describe(step, brief, text, sizeof text);
        for (int t = 0; t < columns; t++)
            printf("%s%-*s ", t ? "| " : "", width[t], t == step->task ? text : "");
        printf("| %s%s\n", line_of_step(step), race && (drawn[i] == run->found || drawn[i] == other) ? " <" : "");
    }
    if (run->tasks > COLUMNS)
        printf("(%d more tasks are not drawn)\n", run->tasks - COLUMNS);
    legend(drawn, count, false, name_of_source, source);
    legend(drawn, count, true, name_of_source, source);
}

/* ---- what may help ---- */

/* A task reads a place, another one writes it, then the first one writes what it has made of the old value. */
static bool lost_update(void)
{
    for (int i = 0; i < run->steps; i++) {
        const struct step *read = &run->step[i], *between = NULL;
        if (read->what != 'r')
            continue;
        for (int k = i + 1; k < run->steps; k++) {
            const struct step *step = &run->step[k];
            if (step->what == 'c' || step->object != read->object)
                continue;
            if (step->task != read->task && step->what == 'w')
                between = step;
            else if (step->task == read->task && (step->what == 'r' || between == NULL))
                break;
            else if (step->task == read->task) {
                char name[24];
                name_of(read->object, false, name, sizeof name);
                printf("P%d read %s at %s", read->task + 1, name, line_of_step(read));
                printf(" and wrote it at %s; between the two P%d wrote it at", line_of_step(step), between->task + 1);
                printf(" %s, and that is lost: read and write under one lock\n", line_of_step(between));
                return true;
            }
        }
    }
    return false;
}

/* A task looks at a place, another one changes it, and then the first one changes it, too: is what it saw still true? */
static bool acted_late(void)
{
    for (int i = 0; i < run->steps; i++) {
        const struct step *look = &run->step[i], *between = NULL;
        if (look->what != 'r')
            continue;
        for (int k = i + 1; k < run->steps; k++) {
            const struct step *step = &run->step[k];
            if (step->what == 'c' || step->object != look->object)
                continue;
            if (step->task != look->task && step->what == 'w')
                between = step;
            else if (step->task == look->task && (between == NULL || step->what == 'w')) {
                if (between == NULL)
                    break;
                char name[24];
                name_of(look->object, false, name, sizeof name);
                printf("P%d looked at %s at %s", look->task + 1, name, line_of_step(look));
                printf(" and changed it at %s; between the two P%d changed it at", line_of_step(step), between->task + 1);
                printf(" %s: is it still as it was seen? Look and change under one lock\n", line_of_step(between));
                return true;
            }
        }
    }
    return false;
}

/* The last step of each task that has not ended. */
static void last_steps(void)
{
    for (int t = 0; t < run->tasks; t++)
        for (int i = run->steps - 1; run->task[t].state != ENDED && i >= 0; i--)
            if (run->step[i].task == t) {
                char text[128];
                describe(&run->step[i], false, text, sizeof text);
                printf("the last that P%d did: %s, at %s\n", t + 1, text + strspn(text, " "), line_of_step(&run->step[i]));
                break;
            }
}

/* The children that the first process has forked and not waited for. */
static void tell_unwaited(void)
{
    int parent, child, first = 0;
    unsigned long at;
    for (const char *event = run->text; event != NULL && *event != '\0'; ) {
        char waited[64];
        if (first == 0)
            sscanf(event, "start %d", &first);
        if (sscanf(event, "fork %d %d %lx", &parent, &child, &at) == 3 && parent == first) {
            snprintf(waited, sizeof waited, "wait %d %d ", parent, child);
            if (strstr(event, waited) == NULL)
                printf("process %d, forked at %s\n", child, line_of(at));
        }
        event = strchr(event, '\n');
        event += event != NULL;
    }
}

/* Copies the lines of stdin; what the program has made (a process, a name) is told with the line where it was. */
static void tell_where_made(void)
{
    char line[1024];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *where = NULL;
        line[strcspn(line, "\n")] = '\0';
        for (const char *event = run->text; event != NULL && *event != '\0' && where == NULL; ) {
            char what[200];
            unsigned long at;
            if (sscanf(event, "made %199s %lx", what, &at) == 2 || sscanf(event, "fork %*d %199s %lx", what, &at) == 2) {
                const char *found = strstr(line, what);
                if (found != NULL && found > line && (found[-1] == ' ' || found[-1] == '/') && !isalnum((unsigned char)found[strlen(what)]))
                    where = line_of(at);
            }
            event = strchr(event, '\n');
            event += event != NULL;
        }
        printf("%s%s%s\n", line, where != NULL ? ", made at " : "", where != NULL ? where : "");
        if (strstr(line, "had not been waited for") != NULL)
            tell_unwaited();
    }
}

/* The program could write what it liked into the region. */
static void make_sound(struct region *region_)
{
    if (region_->steps < 0 || region_->steps > STEPS)
        region_->steps = 0;
    if (region_->tasks < 0 || region_->tasks > TASKS)
        region_->tasks = 0;
    for (int i = 0; i < region_->steps; i++) {
        struct step *step = &region_->step[i];
        if (step->task < 0 || step->task >= region_->tasks)
            step->task = 0;
        step->text[sizeof step->text - 1] = '\0';
    }
    region_->text[TEXT - 1] = region_->verdict[sizeof region_->verdict - 1] = region_->why[sizeof region_->why - 1] = '\0';
    region_->remark[sizeof region_->remark - 1] = region_->hint[sizeof region_->hint - 1] = '\0';
    const char *const words[] = { "", "race", "deadlock", "hang", "wrong call", "judge error" };
    bool known = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        known = known || strcmp(region_->verdict, words[i]) == 0;
    if (!known) {
        strcpy(region_->verdict, "wrong call");
        strcpy(region_->why, "the program wrote into the judge's own file, .events\n");
        region_->text[0] = '\0';
        region_->steps = region_->tasks = 0;
    }
    if (region_->found < 0 || region_->found >= STEPS)
        region_->found = 0;
}

int main(int argc, char **argv)
{
    struct stat info;
    if (argc < 3) {
        fprintf(stderr, "usage: draw verdict|picture|count|events|hint|last|made REGION PROGRAM [NAME.c SOURCE]\n");
        return 2;
    }
    const char *what = argv[1];
    int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &info) == -1) {
        perror(argv[2]);
        return 1;
    }
    if (info.st_size != (off_t)sizeof *run) {
        fprintf(stderr, "%s: it has been changed\n", argv[2]);
        return 1;
    }
    struct region *mapped = mmap(NULL, sizeof *run, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
        perror(argv[2]);
        return 1;
    }
    make_sound(mapped);
    run = mapped;
    program = argc > 3 ? argv[3] : "";
    if (strcmp(what, "count") == 0)
        printf("%d %d\n", run->steps, run->switches);
    else if (strcmp(what, "events") == 0)
        fputs(run->text, stdout);
    else if (strcmp(what, "picture") == 0)
        picture(argc > 5 ? argv[4] : NULL, argc > 5 ? argv[5] : NULL);
    else if (strcmp(what, "last") == 0)
        last_steps();
    else if (strcmp(what, "made") == 0)
        tell_where_made();
    else if (strcmp(what, "hint") == 0) {
        if (!lost_update() && !(run->hint[0] == '\0' && acted_late()))
            print_text(run->hint, "");
    } else if (run->verdict[0] != '\0') {
        printf("verdict: %.31s\n", run->verdict);
        print_text(run->why, "why: ");
    } else if (run->remark[0] != '\0') {
        printf("verdict: left behind\n");
        print_text(run->remark, "why: ");
    }
    return 0;
}
