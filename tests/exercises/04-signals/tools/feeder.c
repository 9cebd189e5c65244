/* feeder.c - standard input for an answer, whose next line comes only when the answer has printed something.
   usage: feeder FIFO OUT SCRIPT     SCRIPT has the lines:  >TEXT  write TEXT to FIFO (several
                                     such lines in one write);  <TEXT  wait until the
                                     file OUT has the line TEXT;  =MS  let so much time pass
   After LIMIT_MS without that line it closes the fifo and makes the file SCRIPT.given_up. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 5000 };

static void rest_us(long us)
{
    struct timespec time = { us / 1000000, us % 1000000 * 1000 };
    nanosleep(&time, NULL);
}

static int has_line(const char *path, const char *wanted)
{
    char line[4096];
    int found = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = strcmp(line, wanted) == 0;
    fclose(file);
    return found;
}

int main(int argc, char **argv)
{
    char line[4096], path[4096];
    if (argc != 4)
        return 2;
    FILE *script = fopen(argv[3], "r");
    int fifo = open(argv[1], O_WRONLY);
    if (script == NULL || fifo == -1)
        return 1;
    char together[4096] = "";
    while (fgets(line, sizeof line, script) != NULL) {
        if (line[0] == '>' && strlen(together) + strlen(line) < sizeof together) {
            strcat(together, line + 1);
            continue;
        }
        if (together[0] != '\0' && write(fifo, together, strlen(together)) == -1)
            return 1;
        together[0] = '\0';
        if (line[0] == '=')
            rest_us(atol(line + 1) * 1000);
        for (long waited = 0; line[0] == '<' && !has_line(argv[2], line + 1); waited++) {
            if (waited >= LIMIT_MS * 2) {
                snprintf(path, sizeof path, "%s.given_up", argv[3]);
                close(open(path, O_CREAT | O_WRONLY, 0600));
                return 1;
            }
            rest_us(500);
        }
    }
    return together[0] != '\0' && write(fifo, together, strlen(together)) == -1;
}
