/* log_collector.c - an exercise: many writers, one log, and a collector that numbers its lines.
   Task:  log_collector FILE LENGTH COUNT...  starts a writer for each COUNT, and makes the log FILE.
          1. Each writer is a child of main. All of them work at the same time: main starts them all, then
             waits for them. The collector is one more child; or main itself does its work, as you like.
          2. A writer with COUNT 3 makes its lines 1, 2 and 3, each with make_text(), and sends them to the
             collector through a pipe. Then it ends.
          3. The collector writes the lines into the log, one below the other. In front of each it puts the
             number of that line in the log, and a blank: "1 writer 2 line 1 bcdef".
          4. The lines of different writers come in any order. But each line stays whole, the lines of one
             writer keep their order, and none is lost, however many there are.
          5. When all writers have ended and all lines are in the log, the collector ends. main waits for every
             child, calls tell_log(), and ends with exit code 0.
   Given: make_text() makes lines without '\n', of at most LENGTH bytes. tell_log() reads FILE, looks at every
          line, and says what it found.
   Calls: pipe(2), fork(2), read(2), write(2), close(2), waitpid(2), _exit(2) */
#include "workbook.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WRITERS = 16, MAX_LENGTH = 1000 };
#define USAGE "log_collector FILE LENGTH COUNT...   (LENGTH: 40 to 1000; 1 to 16 numbers COUNT, each 0 to 9999)"

/* ---- Given, nothing to do here ---- */

/* Writes line NUMBER of writer WRITER to TEXT: at most LENGTH bytes, then '\0'. There is no '\n' in it. */
static void make_text(char *text, int length, int writer, int number)
{
    int size = length - (writer * 17 + number * 29) % (length / 2);
    for (int i = snprintf(text, MAX_LENGTH + 1, "writer %d line %d ", writer, number); i < size; i++)
        text[i] = (char)('a' + (i + writer + number) % 26);
    text[size] = '\0';
}

/* Looks at every line of the log; tells the first one that is wrong, or how many there are of each writer. */
static void tell_log(const char *path, int length, int writers)
{
    int lines = 0, last[MAX_WRITERS + 1] = { 0 };
    char *line = NULL;
    size_t room = 0;
    FILE *file = check_ptr(fopen(path, "r"));
    bool good = true;
    while (good && getline(&line, &room, file) != -1) {
        char text[MAX_LENGTH + 1], right[MAX_LENGTH + 32] = "";
        int number, writer, of_writer;
        lines++;
        if (sscanf(line, "%9d writer %9d line %9d ", &number, &writer, &of_writer) == 3 && writer >= 1 &&
            writer <= writers && of_writer >= 1) {
            make_text(text, length, writer, of_writer);
            snprintf(right, sizeof right, "%d %s", number, text);
        }
        good = false;
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, right) != 0)
            say("line %d of the log is not whole: %.100s", lines, line);
        else if (number != lines)
            say("line %d of the log has the number %d", lines, number);
        else if (of_writer != last[writer] + 1)
            say("line %d of the log: line %d of writer %d comes after its line %d", lines, of_writer, writer, last[writer]);
        else
            good = true, last[writer]++;
    }
    for (int i = 1; good && i <= writers; i++)
        say("writer %d: %d lines, whole and in order", i, last[i]);
    say("the log has %d lines%s", lines, good ? "" : ", or more");
    free(line);
    check(fclose(file));
}

/* ---- Your part ---- */

/* TODO 1: what a writer does. */

/* TODO 2: what the collector does. How many lines does one read() bring? When is the last one there? */

int main(int argc, char **argv)
{
    int writers = argc - 3;
    long length, count[MAX_WRITERS];
    if (writers < 1 || writers > MAX_WRITERS || parse_number(argv[2], 40, MAX_LENGTH, &length) == -1)
        usage(USAGE);
    for (int i = 0; i < writers; i++)
        if (parse_number(argv[3 + i], 0, 9999, &count[i]) == -1)
            usage(USAGE);
    int log_fd = check(open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    (void)make_text, (void)count;       /* take this line out when you use them */

    /* TODO 3: start the writers and the collector. Writer i (0 is the first) logs count[i] lines, and
               its number is i + 1. Who must close which end of the pipe? */

    /* TODO 4: wait for every child. */

    check(close(log_fd));
    tell_log(argv[1], (int)length, writers);
    return 0;
}

/* Output of ./log_collector build/log.txt 60 3 0 2:
writer 1: 3 lines, whole and in order
writer 2: 0 lines, whole and in order
writer 3: 2 lines, whole and in order
the log has 5 lines
*/
