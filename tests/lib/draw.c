/* draw.c - what a scheduled run left in its region: the verdict, and the drawing of its schedule.
   usage: draw verdict REGION PROGRAM     "verdict: race" and "why: ..." lines, or nothing
          draw picture REGION PROGRAM     one column a task, one row a step that matters
          draw count   REGION             how many steps and switches there were
   PROGRAM is asked (addr2line) for the source lines of the places. */
#include "schedule.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
static const char *own_line(const struct step *step)
{
    const char *const common[] = { "io.c", "errors.c", "children.c", "system.c", "locks.c" };
    const uintptr_t places[] = { step->at, step->outer[0], step->outer[1] };
    for (int i = 0; i < 3; i++) {
        const char *line = line_of(places[i]);
        bool own = line[0] != '?';
        for (int c = 0; c < 5; c++)
            own = own && strncmp(line, common[c], strlen(common[c])) != 0;
        if (own)
            return line;
    }
    return line_of(step->at);
}

/* Prints TEXT; a place in it, written @1a2b@, as its source line. */
static void print_places(const char *text, const char *prefix)
{
    bool line_start = true;
    for (const char *c = text; *c != '\0'; c++) {
        if (line_start)
            fputs(prefix, stdout);
        line_start = *c == '\n';
        const char *end = *c == '@' ? strchr(c + 1, '@') : NULL;
        if (end != NULL && end - c < 20) {
            fputs(line_of(strtoul(c + 1, NULL, 16)), stdout);
            c = end;
        } else
            putchar(*c);
    }
    if (!line_start)
        putchar('\n');
}

/* ---- the drawing ---- */

enum { WIDTH = 80 };

/* Does a step matter? Memory that two tasks use, and every call that two tasks meet at. */
static bool matters(const struct step *step)
{
    if (step->what == 'c')
        return step->object > OUTSIDE || strstr("waits fork waitpid _exit pthread_create pthread_join kill read write pread pwrite lseek", step->text) != NULL;
    for (int i = 0; i < run->steps; i++)
        if (run->step[i].what != 'c' && run->step[i].object == step->object && run->step[i].task != step->task)
            return true;
    return false;
}

/* Shared places get the letters a, b, c ... in the order they are first used; locks, conditions and semaphores the
   letters A, B, C ... */
static void name_of(const struct step *step, char *name, size_t size)
{
    bool call = step->what == 'c';
    int number = 0;
    name[0] = '\0';
    if (call && step->object <= OUTSIDE)
        return;
    for (int i = 0; i < run->steps; i++) {
        const struct step *other = &run->step[i];
        if ((other->what == 'c') != call || other->object <= OUTSIDE || !matters(other))
            continue;
        if (other->object == step->object)
            break;
        bool first = true;
        for (int k = 0; k < i && first; k++)
            first = (run->step[k].what == 'c') != call || run->step[k].object != other->object;
        number += first;
    }
    snprintf(name, size, number < 26 ? "%c" : "%c%d", (call ? 'A' : 'a') + (number < 26 ? number : 25), number);
}

static void describe(const struct step *step, char *text, size_t size)
{
    char name[24];
    name_of(step, name, sizeof name);
    const char *word = step->text[0] != '\0' ? step->text : step->what == 'r' ? "reads" : "writes";  /* an atomic access has its own */
    if (step->what != 'c' && (step->value > 1l << 40 || step->value < -(1l << 40)))
        snprintf(text, size, "%s %s = (place)", word, name);
    else if (step->what != 'c')
        snprintf(text, size, "%s %s = %ld", word, name, step->value);
    else if (strcmp(word, "waits") == 0)
        snprintf(text, size, name[0] != '\0' ? "  waits for %s" : "  waits", name);
    else if (strcmp(word, "read") == 0 || strcmp(word, "write") == 0)
        snprintf(text, size, "%s fd %ld", word, step->value);
    else
        snprintf(text, size, "%s%s%s", strncmp(word, "pthread_", 8) == 0 ? word + 8 : word, name[0] != '\0' ? " " : "", name);
}

static void picture(void)
{
    int tasks = run->tasks, shown = 0;
    int column = tasks > 0 ? (WIDTH - 22) / (tasks < 6 ? tasks : 6) : WIDTH;
    if (column > 24)
        column = 24;
    for (int i = 0; i < tasks && i < 6; i++)
        printf("%sP%-*d", i ? "| " : "", column - 3, i + 1);
    printf("| line\n");
    for (int i = 0; i < run->steps && shown < 60; i++) {
        const struct step *step = &run->step[i];
        char text[64];
        if (!matters(step) || step->task >= 6)
            continue;
        describe(step, text, sizeof text);
        for (int t = 0; t < tasks && t < 6; t++)
            printf("%s%-*.*s", t ? "| " : "", column - 2, column - 2, t == step->task ? text : "");
        printf("| %s\n", own_line(step));
        shown++;
    }
    if (tasks > 6)
        printf("(%d more tasks are not drawn)\n", tasks - 6);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: draw verdict|picture|count REGION PROGRAM\n");
        return 2;
    }
    int fd = open(argv[2], O_RDONLY);
    if (fd == -1 || (run = mmap(NULL, sizeof *run, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
        perror(argv[2]);
        return 1;
    }
    program = argc > 3 ? argv[3] : "";
    if (strcmp(argv[1], "count") == 0)
        printf("%d %d\n", run->steps, run->switches);
    else if (strcmp(argv[1], "picture") == 0)
        picture();
    else if (run->verdict[0] != '\0') {
        printf("verdict: %.31s\n", run->verdict);
        print_places(run->why, "why: ");
    } else if (run->remark[0] != '\0') {
        printf("verdict: left behind\n");
        print_places(run->remark, "why: ");
    }
    return 0;
}
