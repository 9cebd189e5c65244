/* match.c - compares what a program wrote with the Output block in its own source.

     match list FILE.c                            one line a block: index, kind, command, signal, client
     match show FILE.c INDEX                      the block's lines as they stand
     match compare FILE.c INDEX OUT ERR END       does it match? (files OUT and ERR; END as "exit 0")
     match compare - ordered|unordered OUT ERR END    the same, with the block's lines on stdin

   Ends with 0: yes; 1: no, and it says why (list: a malformed header); 3: list found no block;
   2: it could not do its work (no such file, or for show and compare a malformed header).

   The idea: each line is taken apart into its names (P1, 4711, ...) and its shape, which is the
   line without them. Two outputs match when their shapes agree and one renaming, the same for
   stdout and stderr, turns all names of the one into the names of the other. In order that is one
   walk through the lines; without an order it is a puzzle, and the part "Any order" solves it. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX                       /* no such place, no such name */

struct slice { const char *at; size_t length; };        /* some bytes; any byte may be among them */

static _Noreturn void fail(const char *what, const char *which)
{
    fprintf(stderr, "match: %s%s\n", what, which);
    exit(2);
}

static void *resize(void *old, size_t count, size_t size)
{
    void *new = realloc(old, (count + 1) * size);       /* + 1: never NULL, never of size 0 */
    if (new == NULL)
        fail("out of memory", "");
    return new;
}

/* Room for one more element: an array of COUNT elements grows when COUNT is 0, 1, 2, 4, 8 ... */
static void *one_more(void *array, size_t count, size_t size)
{
    return (count & (count - 1)) == 0 || count == 0 ? resize(array, 2 * count, size) : array;
}

static struct slice read_all(FILE *file, const char *name)
{
    char *bytes = NULL;
    size_t length = 0, room = 1 << 16, got = 1;
    for (; file != NULL && got > 0; length += got) {
        if (bytes == NULL || length == room)
            bytes = resize(bytes, room = bytes == NULL ? room : 2 * room, 1);
        got = fread(bytes + length, 1, room - length, file);
    }
    if (file == NULL || ferror(file))
        fail("cannot read ", name);
    fclose(file);
    return (struct slice){ bytes, length };
}

static struct slice skip(struct slice s, size_t count)
{
    return (struct slice){ s.at + count, s.length - count };
}

static bool starts(struct slice s, const char *word)
{
    return s.length >= strlen(word) && memcmp(s.at, word, strlen(word)) == 0;
}

static bool is(struct slice s, const char *word)
{
    return s.length == strlen(word) && starts(s, word);
}

static size_t find(struct slice s, const char *word)
{
    const char *found = memmem(s.at, s.length, word, strlen(word));
    return found == NULL ? NONE : (size_t)(found - s.at);
}

static struct slice trim(struct slice s)                /* without the spaces around it */
{
    while (s.length > 0 && *s.at == ' ')
        s = skip(s, 1);
    while (s.length > 0 && s.at[s.length - 1] == ' ')
        s.length--;
    return s;
}

/* The line at the start of S, without its newline. */
static struct slice first_line(struct slice s)
{
    size_t end = find(s, "\n");
    return (struct slice){ s.at, end == NONE ? s.length : end };
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool word_byte(char c)
{
    return digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- The blocks of a source file ---- */

struct block { bool unordered; struct slice command, until, client, lines; };

static struct block *blocks;
static size_t block_count;
static const char *source_name;
static struct slice source;
static int malformed_status = 2;

static const char *const signal_names[] = {
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL",
    "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD",
    "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ",
    "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

static bool signal_name(struct slice s)
{
    for (size_t i = 0; i < sizeof signal_names / sizeof signal_names[0]; i++)
        if (is(s, signal_names[i]))
            return true;
    return false;
}

static _Noreturn void malformed(const char *at, const char *why)
{
    size_t line = 1;
    for (const char *c = source.at; c < at; c++)
        line += *c == '\n';
    fprintf(stderr, "%s:%zu: %s\n", source_name, line, why);
    exit(malformed_status);
}

/* Prose may begin a line with "Output" too ("Output goes to ..."): these are the words that only
   a header begins with. What begins like a header must be one; otherwise it is malformed. */
static bool begins_like_header(struct slice line)
{
    if (starts(line, "Unordered output"))
        return line.length == strlen("Unordered output") || !word_byte(line.at[16]);
    return starts(line, "Output:") || starts(line, "Output of ./") ||
           starts(line, "Output until SIG") || starts(line, "Output, with ./");
}

/* Cuts WORD and what comes after it off the end of REST. Returns what comes after it. */
static struct slice cut_off(struct slice *rest, const char *word)
{
    size_t at = find(*rest, word);
    if (at == NONE)
        return (struct slice){ NULL, 0 };
    struct slice part = trim(skip(*rest, at + strlen(word)));
    if (part.length == 0)
        malformed(rest->at, "a word is missing in this Output header");
    rest->length = at;
    return part;
}

/* Reads "Output of COMMAND until SIGNAL, with CLIENT: REASON" from its end to its start. */
static struct block read_header(struct slice line, bool explained)
{
    struct block block = { .unordered = starts(line, "Unordered") };
    struct slice rest = skip(line, strlen(block.unordered ? "Unordered output" : "Output"));
    for (size_t i = 0; i < line.length; i++)
        if ((unsigned char)line.at[i] < ' ')
            malformed(line.at, "a control character in an Output header");

    size_t colon = 0;                       /* the first one with a space or nothing after it */
    while (colon < rest.length && !starts(skip(rest, colon), ": ") &&
           !is(skip(rest, colon), ":"))
        colon++;
    if (colon == rest.length)
        malformed(line.at, "this Output header has no ':'");
    struct slice reason = trim(skip(rest, colon + 1));
    if (!block.unordered && reason.length > 0)
        malformed(line.at, "text after the ':' of an Output header (only Unordered has a reason)");
    if (block.unordered && reason.length == 0 && !explained)
        malformed(line.at, "Unordered output without the reason why the order is free");

    rest.length = colon;
    block.client = cut_off(&rest, ", with ");
    block.until = cut_off(&rest, " until ");
    block.command = cut_off(&rest, " of ");
    if (trim(rest).length > 0)
        malformed(line.at, "an unknown word in an Output header");
    if (block.command.length > 0 && !starts(block.command, "./"))
        malformed(line.at, "the command in an Output header begins with ./");
    if (block.until.length > 0 && !signal_name(block.until))
        malformed(line.at, "an unknown signal in an Output header");
    return block;
}

/* Adds the blocks of one comment, from its first byte to the star of its end. */
static void read_comment(struct slice comment)
{
    const char *end = comment.at + comment.length;
    bool explained = false, open = false;
    for (const char *at = comment.at; at != NULL; ) {
        struct slice line = first_line((struct slice){ at, (size_t)(end - at) }), words = line;
        bool is_last = line.at + line.length == end, may_be_header = true;
        if (at == comment.at) {
            may_be_header = at == source.at || at[-1] == '\n';
            words = trim(skip(line, 2));
        }
        if (open && (is_last || begins_like_header(words)))
            blocks[block_count - 1].lines.length = (size_t)(at - blocks[block_count - 1].lines.at);
        if (may_be_header && begins_like_header(words)) {
            struct block block = read_header(words, explained);
            if (is_last)
                malformed(at, "the end of a comment with an Output block needs a line of its own");
            block.lines.at = line.at + line.length + 1;
            blocks = one_more(blocks, block_count, sizeof *blocks);
            blocks[block_count++] = block;
            open = true;
        } else if (open && is_last) {
            struct slice after = skip(source, (size_t)(end + 2 - source.at));
            if (trim(line).length > 0 || trim(first_line(after)).length > 0)
                malformed(at, "the end of a comment with an Output block needs a line of its own");
        } else if (!open && trim(words).length > 0) {
            explained = true;               /* words before a header can be its reason */
        }
        at = is_last ? NULL : line.at + line.length + 1;
    }
}

/* Goes through C code: what looks like a comment in a string is none, and the other way round. */
static void read_blocks(const char *name)
{
    source_name = name;
    source = read_all(fopen(name, "r"), name);
    for (struct slice code = source; code.length > 0; ) {
        size_t length = 1;
        if (starts(code, "/*")) {
            size_t end = find(skip(code, 2), "*/");
            if (end == NONE)
                malformed(code.at, "this comment has no end");
            read_comment((struct slice){ code.at, end + 2 });
            length = end + 4;
        } else if (starts(code, "//")) {
            while (length < code.length && (code.at[length] != '\n' || code.at[length - 1] == '\\'))
                length++;
        } else if (*code.at == '"' || *code.at == '\'') {
            while (length < code.length && code.at[length] != *code.at && code.at[length] != '\n')
                length += code.at[length] == '\\' ? 2 : 1;
            length++;
        }
        code = skip(code, length < code.length ? length : code.length);
    }
}

/* ---- Lines, taken apart into names and a shape ---- */

enum { EXPECTED, ACTUAL };                  /* the two sides */
enum { OUT, ERR };                          /* the two streams of each */

/* "child (pid P2)": its cut is "child (pid )", with a name left out at byte 11. In a Measured:
   line each number is left out in this way, as a place without a name. */
struct place { const char *text; size_t length, at, name, same_as; char kind; bool expected; };
struct line {
    struct slice text, cut;
    size_t first, count;                    /* its places[] */
    size_t shape;                           /* equal for lines that differ in their names at most */
    int stream;
    bool whole;                             /* it ended with a newline */
};
struct list { struct line *lines; size_t count, more; };    /* more: counted only, not kept */

/* A name: a label of the expected side, or a number. A number in the expected text is fixed:
   it stands for itself. (In a pair, each is the other's partner.) */
struct name { const struct place *place; bool label, fixed; size_t partner; };

static struct list lists[2][2];
static struct place *places;
static size_t place_count, name_count, shape_count;
static struct name *names;
static char *cut_room;
static const char *expected_end = "exit 0";

static void add_place(struct line *line, struct slice name, char kind, bool expected)
{
    places = one_more(places, place_count, sizeof *places);
    places[place_count++] = (struct place){ name.at, name.length, line->cut.length, NONE, 0,
                                            kind, expected };
    line->count++;
}

/* The length of the name at the start of S, or 0 when there is none. 0, 1 and numbers with a
   leading zero are text like any other: no label ever stands for them. */
static size_t name_length(struct slice s, char letter, bool expected)
{
    size_t start = expected && s.length > 0 && *s.at == letter, length = start;
    while (length < s.length && digit(s.at[length]))
        length++;
    if (length == start || s.at[start] == '0' || (length == 1 && *s.at == '1'))
        return 0;
    return length;
}

static size_t number_length(struct slice s)
{
    size_t length = 0;
    while (length < s.length && digit(s.at[length]))
        length++;
    if (length > 0 && length + 1 < s.length && s.at[length] == '.' && digit(s.at[length + 1]))
        for (length++; length < s.length && digit(s.at[length]); )
            length++;
    return length;
}

static void add_line(int side, int stream, struct slice text, bool whole)
{
    struct list *list = &lists[side][stream];
    struct line line = { text, { cut_room, 0 }, place_count, 0, 0, stream, whole };
    bool measured = starts(text, "Measured:"), expected = side == EXPECTED;
    for (size_t i = 0; i < text.length; ) {
        struct slice rest = skip(text, i);
        size_t keep = 1, leave = 0;         /* bytes that go into the cut, bytes left out after them */
        char kind = 0;
        if (measured) {
            leave = number_length(rest);
            keep = leave == 0;
        } else if (*rest.at == 'p' && (i == 0 || !word_byte(rest.at[-1]))) {
            kind = starts(rest, "pid ") ? 'P' : starts(rest, "port ") ? 'N' : 0;
            keep = kind == 'P' ? 4 : kind == 'N' ? 5 : 1;
            leave = kind == 0 ? 0 : name_length(skip(rest, keep), kind, expected);
        }
        memcpy(cut_room, rest.at, keep);
        cut_room += keep;
        line.cut.length += keep;
        if (leave > 0)
            add_place(&line, (struct slice){ rest.at + keep, leave }, kind, expected);
        i += keep + leave;
    }
    list->lines = one_more(list->lines, list->count, sizeof *list->lines);
    list->lines[list->count++] = line;
}

/* The end that a block's last line tells, or NULL when it is a line like any other. */
static const char *end_of(struct slice line)
{
    bool number = starts(line, "exit ") && line.length > 5 && line.length < 9;
    for (size_t i = 5; number && i < line.length; i++)
        number = digit(line.at[i]) && (line.at[5] != '0' || line.length == 6);
    if (number ? strtol(line.at + 5, NULL, 10) > 255 : !(starts(line, "killed by ") &&
                                                         signal_name(skip(line, 10))))
        return NULL;
    char *end = strndup(line.at, line.length);
    return end != NULL ? end : expected_end;
}

static void read_expected(struct slice text)
{
    cut_room = resize(NULL, text.length, 1);
    while (text.length > 0) {
        struct slice line = first_line(text);
        bool is_last = line.length + 1 >= text.length;
        text = skip(text, is_last ? text.length : line.length + 1);
        const char *end = is_last ? end_of(line) : NULL;
        if (end != NULL)
            expected_end = end;
        else if (is(line, "!") || starts(line, "! "))
            add_line(EXPECTED, ERR, skip(line, line.length > 1 ? 2 : 1), true);
        else
            add_line(EXPECTED, OUT, line, true);
    }
}

/* Keeps as many lines as are expected and 1000 more: an endless print costs no endless memory. */
static void read_actual(int stream, const char *name)
{
    struct slice text = read_all(fopen(name, "r"), name);
    cut_room = resize(NULL, text.length, 1);
    while (text.length > 0) {
        struct slice line = first_line(text);
        bool whole = line.length < text.length;
        if (lists[ACTUAL][stream].count < lists[EXPECTED][stream].count + 1000)
            add_line(ACTUAL, stream, line, whole);
        else
            lists[ACTUAL][stream].more++;
        text = skip(text, line.length + whole);
    }
}

#define DIFFER(a, b) do { if ((a) != (b)) return (a) < (b) ? -1 : 1; } while (0)

/* Labels before numbers, and both in the order of their numbers: new processes mostly get rising
   pids, so P1, P2 ... in this order are mostly the pids in this order. */
static int compare_names(const void *left, const void *right)
{
    const struct place *a = *(struct place *const *)left, *b = *(struct place *const *)right;
    DIFFER(a->kind, b->kind);
    DIFFER(digit(*a->text), digit(*b->text));
    DIFFER(a->length, b->length);
    return memcmp(a->text, b->text, a->length);
}

static int compare_shapes(const void *left, const void *right)
{
    const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;
    DIFFER(a->stream, b->stream);
    int bytes = memcmp(a->cut.at, b->cut.at,
                       a->cut.length < b->cut.length ? a->cut.length : b->cut.length);
    DIFFER(bytes, 0);
    DIFFER(a->cut.length, b->cut.length);
    DIFFER(a->whole, b->whole);
    DIFFER(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        DIFFER(places[a->first + i].at, places[b->first + i].at);
        DIFFER(places[a->first + i].same_as, places[b->first + i].same_as);
    }
    return 0;
}

/* All lines of a side, in an array that the parts below sort as they need. */
static struct line **lines_of[2];
static size_t line_count[2];

/* Gives equal names and equal shapes equal numbers: sort, then count the changes. */
static void number_names_and_shapes(void)
{
    struct place **sorted = resize(NULL, place_count, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < place_count; i++)
        if (places[i].kind != 0)
            sorted[count++] = &places[i];
    qsort(sorted, count, sizeof *sorted, compare_names);
    names = resize(NULL, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_names(&sorted[i - 1], &sorted[i]) != 0)
            names[name_count++] = (struct name){ sorted[i], !digit(*sorted[i]->text), false, NONE };
        sorted[i]->name = name_count - 1;
        if (sorted[i]->expected && digit(*sorted[i]->text))
            names[name_count - 1].fixed = true;
    }
    free(sorted);

    struct line **all = NULL;
    size_t total = 0, *seen = resize(NULL, name_count, sizeof *seen);
    for (size_t i = 0; i < name_count; i++)
        seen[i] = NONE;
    for (int side = 0; side < 2; side++)
        for (int stream = 0; stream < 2; stream++)
            for (size_t i = 0; i < lists[side][stream].count; i++) {
                struct line *line = &lists[side][stream].lines[i];
                for (size_t p = line->first; p < line->first + line->count; p++) {
                    size_t *last = places[p].name == NONE ? NULL : &seen[places[p].name];
                    places[p].same_as = last != NULL && *last != NONE && *last >= line->first ?
                                        places[*last].same_as : p - line->first;
                    if (last != NULL)
                        *last = p;
                }
                all = one_more(all, total, sizeof *all);
                all[total++] = line;
                line_count[side]++;
            }
    free(seen);
    all = resize(all, total, sizeof *all);
    for (int side = 0; side < 2; side++) {
        lines_of[side] = resize(NULL, line_count[side], sizeof *all);
        memcpy(lines_of[side], all + side * line_count[0], line_count[side] * sizeof *all);
    }
    qsort(all, total, sizeof *all, compare_shapes);
    for (size_t i = 0; i < total; i++)
        all[i]->shape = shape_count += i > 0 && compare_shapes(&all[i - 1], &all[i]) != 0;
    shape_count++;
    free(all);
}

/* ---- In order ---- */

static void forget_partners(void)
{
    for (size_t i = 0; i < name_count; i++)
        names[i].partner = names[i].fixed ? i : NONE;
}

/* Could these two be one line, as far as the renaming is known? */
static bool fits(const struct line *expected, const struct line *actual)
{
    if (expected->shape != actual->shape)
        return false;
    for (size_t i = 0; i < expected->count; i++) {
        size_t e = places[expected->first + i].name, a = places[actual->first + i].name;
        if (e != NONE && names[e].partner != a &&
            (names[e].partner != NONE || names[a].partner != NONE))
            return false;
    }
    return true;
}

static void pair_names(const struct line *expected, const struct line *actual)
{
    for (size_t i = 0; i < expected->count; i++) {
        size_t e = places[expected->first + i].name, a = places[actual->first + i].name;
        if (e != NONE) {
            names[e].partner = a;
            names[a].partner = e;
        }
    }
}

/* The number of lines before the first that differs. */
static size_t lines_alike(int stream)
{
    const struct list *expected = &lists[EXPECTED][stream], *actual = &lists[ACTUAL][stream];
    size_t i = 0;
    for (; i < expected->count && i < actual->count; i++) {
        if (!fits(&expected->lines[i], &actual->lines[i]))
            break;
        pair_names(&expected->lines[i], &actual->lines[i]);
    }
    return i;
}

static bool match_in_order(void)
{
    forget_partners();
    bool same = true;
    for (int stream = 0; stream < 2; stream++)
        same = lines_alike(stream) == lists[EXPECTED][stream].count &&
               lists[ACTUAL][stream].count == lists[EXPECTED][stream].count && same;
    return same;
}

/* ---- Any order ----
   Which number is P1? One that stands in the same lines. So each name gets a colour, made from
   its lines' shapes and its places in them; then a new one, made also from the colours of the
   names beside it; and so on, until no more names can be told apart. (This is known as colour
   refinement, or the Weisfeiler-Leman method.) Equal outputs get equal colours, so different
   colours are a "no". Names that still share a colour are paired by trial; every "yes" is made
   sure of by comparing the lines themselves. */

static size_t steps, step_limit;            /* a puzzle made to be hard must not hang the judge */
static bool gave_up;
static size_t *members[2], member_count[2]; /* the names of a side that can be renamed */
static const uint64_t *sort_colour;

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6))) * 0xbf58476d1ce4e5b9u;
    a = (a ^ (a >> 29)) * 0x94d049bb133111ebu;
    return a ^ (a >> 32);
}

static int compare_colours(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    DIFFER(sort_colour[a], sort_colour[b]);
    DIFFER(a, b);
    return 0;
}

static void sort_members(int side, const uint64_t *colour)
{
    sort_colour = colour;
    qsort(members[side], member_count[side], sizeof *members[side], compare_colours);
}

static size_t count_colours(int side, const uint64_t *colour)
{
    size_t count = 0;
    sort_members(side, colour);
    for (size_t i = 0; i < member_count[side]; i++)
        count += i == 0 || colour[members[side][i]] != colour[members[side][i - 1]];
    return count;
}

static void first_colours(uint64_t *colour)
{
    for (size_t i = 0; i < name_count; i++)
        colour[i] = names[i].fixed ? mix(i, 1) : mix((uint64_t)names[i].place->kind, 2);
}

static void new_colours(int side, uint64_t *colour)
{
    uint64_t *next = resize(NULL, name_count, sizeof *next);
    memcpy(next, colour, name_count * sizeof *next);
    for (size_t i = 0; i < line_count[side]; i++) {
        const struct place *place = &places[lines_of[side][i]->first];
        size_t count = lines_of[side][i]->count;
        uint64_t sum = lines_of[side][i]->shape;
        for (size_t p = 0; p < count; p++)
            if (place[p].name != NONE)
                sum = mix(sum, colour[place[p].name]);
        for (size_t p = 0; p < count; p++)
            if (place[p].name != NONE && !names[place[p].name].fixed)
                next[place[p].name] += mix(sum, p);
        steps += 1 + count;
    }
    for (size_t i = 0; i < name_count; i++)
        colour[i] = names[i].fixed ? colour[i] : mix(next[i], 3);
    free(next);
}

static void refine(int side, uint64_t *colour)
{
    size_t before, now = count_colours(side, colour);
    do {
        before = now;
        for (int round = 0; round < 4; round++)         /* counting costs as much as a round */
            new_colours(side, colour);
        now = count_colours(side, colour);
    } while (now > before && steps <= step_limit);
}

/* Is there the same number of names of each colour on both sides? */
static bool colours_alike(const uint64_t *colour)
{
    sort_members(EXPECTED, colour);
    sort_members(ACTUAL, colour);
    for (size_t i = 0; i < member_count[EXPECTED] && i < member_count[ACTUAL]; i++)
        if (colour[members[EXPECTED][i]] != colour[members[ACTUAL][i]])
            return false;
    return member_count[EXPECTED] == member_count[ACTUAL];
}

/* Pairs the names without a partner that have the same colour. */
static void pair_by_colour(const uint64_t *colour)
{
    sort_members(EXPECTED, colour);
    sort_members(ACTUAL, colour);
    for (size_t i = 0, j = 0; i < member_count[EXPECTED] && j < member_count[ACTUAL]; ) {
        size_t e = members[EXPECTED][i], a = members[ACTUAL][j];
        if (names[e].partner != NONE || colour[e] < colour[a]) {
            i++;
        } else if (names[a].partner != NONE || colour[e] > colour[a]) {
            j++;
        } else {
            names[e].partner = a;
            names[a].partner = e;
        }
    }
}

/* A label counts as the number that is its partner, so 0 means: the same line. */
static int compare_lines(const void *left, const void *right)
{
    const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;
    DIFFER(a->shape, b->shape);
    for (size_t i = 0; i < a->count; i++) {
        size_t x = places[a->first + i].name, y = places[b->first + i].name;
        x = x != NONE && names[x].label && names[x].partner != NONE ? names[x].partner : x;
        y = y != NONE && names[y].label && names[y].partner != NONE ? names[y].partner : y;
        DIFFER(x, y);
    }
    return 0;
}

static void sort_lines(void)
{
    for (int side = 0; side < 2; side++)
        qsort(lines_of[side], line_count[side], sizeof *lines_of[side], compare_lines);
}

/* Pairs by colour, names of one colour just as they come, and looks whether all lines agree. */
static bool try_pairs(const uint64_t *colour)
{
    forget_partners();
    pair_by_colour(colour);
    sort_lines();
    steps += 4 * line_count[EXPECTED];
    for (size_t i = 0; i < line_count[EXPECTED]; i++)
        if (compare_lines(&lines_of[EXPECTED][i], &lines_of[ACTUAL][i]) != 0)
            return false;
    return true;
}

/* Where names still share a colour, one label is given each number of its colour in turn. Both
   get a colour of their own, which helps to tell the others apart. */
static bool search(uint64_t *colour)
{
    refine(EXPECTED, colour);
    refine(ACTUAL, colour);
    if (steps > step_limit || !colours_alike(colour))
        return false;
    if (try_pairs(colour))
        return true;
    sort_members(EXPECTED, colour);
    size_t label = NONE;
    for (size_t i = 1; i < member_count[EXPECTED] && label == NONE; i++)
        if (colour[members[EXPECTED][i]] == colour[members[EXPECTED][i - 1]])
            label = members[EXPECTED][i];
    if (label == NONE)
        return false;

    bool found = false;
    uint64_t *trial = resize(NULL, name_count, sizeof *trial);
    for (size_t number = 0; number < name_count && !found && steps <= step_limit; number++) {
        if (names[number].label || names[number].fixed || colour[number] != colour[label])
            continue;
        memcpy(trial, colour, name_count * sizeof *trial);
        trial[label] = trial[number] = mix(colour[label], 4);
        found = search(trial);
    }
    free(trial);
    return found;
}

/* The same shapes, each the same number of times? */
static bool shapes_alike(void)
{
    long *count = resize(NULL, shape_count, sizeof *count);
    memset(count, 0, shape_count * sizeof *count);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < line_count[side]; i++)
            count[lines_of[side][i]->shape] += side == EXPECTED ? 1 : -1;
    bool alike = true;
    for (size_t i = 0; i < shape_count; i++)
        alike = alike && count[i] == 0;
    free(count);
    return alike && lists[ACTUAL][OUT].more + lists[ACTUAL][ERR].more == 0;
}

static bool match_in_any_order(void)
{
    if (!shapes_alike())
        return false;
    uint64_t *colour = resize(NULL, name_count, sizeof *colour);
    first_colours(colour);
    step_limit = 10000000 + 20 * place_count;
    bool found = search(colour);
    gave_up = !found && steps > step_limit;
    free(colour);
    return found;
}

/* The renaming that explains most when none explains all. Names whose colours agree for more
   rounds are the surer ones. */
static void pair_as_well_as_possible(void)
{
    uint64_t *colour = resize(NULL, name_count, sizeof *colour);
    forget_partners();
    for (int rounds = 3; rounds >= 0; rounds--) {
        first_colours(colour);
        for (int round = 0; round < rounds; round++) {
            new_colours(EXPECTED, colour);
            new_colours(ACTUAL, colour);
        }
        pair_by_colour(colour);
    }
    free(colour);
    sort_lines();
}

/* ---- Saying what differs ---- */

enum { WINDOW = 64, ROWS = 25, BEFORE = 3, WIDTH = 72, CELL = WIDTH + 40 };

struct row { const struct line *expected, *actual; bool same; };
static struct row rows[2 * WINDOW];
static size_t row_count;

/* How well two lines stand beside each other: the same line best, a similar one a little. */
static unsigned closeness(const struct line *a, const struct line *b)
{
    if (fits(a, b))
        return 4;
    size_t shorter = a->cut.length < b->cut.length ? a->cut.length : b->cut.length;
    size_t longer = a->cut.length + b->cut.length - shorter, front = 0, back = 0;
    while (front < shorter && front < 200 && a->cut.at[front] == b->cut.at[front])
        front++;
    while (back < shorter - front && back < 200 &&
           a->cut.at[a->cut.length - 1 - back] == b->cut.at[b->cut.length - 1 - back])
        back++;
    return 2 * (front + back) >= (longer < 200 ? longer : 200);
}

/* Sets N expected lines beside M actual ones. best[i][j] is the closeness that the lines from
   E[i] and A[j] on can reach together (a longest common subsequence, with weights). */
static void align(const struct line **e, size_t n, const struct line **a, size_t m)
{
    static unsigned close[WINDOW][WINDOW], best[WINDOW + 1][WINDOW + 1];
    memset(best, 0, sizeof best);
    for (size_t i = n; i-- > 0; )
        for (size_t j = m; j-- > 0; ) {
            close[i][j] = closeness(e[i], a[j]);
            unsigned skipped = best[i + 1][j] > best[i][j + 1] ? best[i + 1][j] : best[i][j + 1];
            unsigned paired = close[i][j] > 0 ? best[i + 1][j + 1] + close[i][j] : 0;
            best[i][j] = paired > skipped ? paired : skipped;
        }
    row_count = 0;
    for (size_t i = 0, j = 0; i < n || j < m; ) {
        struct row row = { NULL, NULL, false };
        bool pair = i < n && j < m && close[i][j] > 0 &&
                    best[i][j] == best[i + 1][j + 1] + close[i][j];
        if (pair || j == m || (i < n && best[i + 1][j] == best[i][j]))
            row.expected = e[i++];
        if (row.expected == NULL || pair)
            row.actual = a[j++];
        row.same = pair && fits(row.expected, row.actual);
        if (row.same)
            pair_names(row.expected, row.actual);
        rows[row_count++] = row;
    }
}

/* Fills rows[] around line FIRST, the first that differs. */
static void rows_in_order(int stream, size_t first)
{
    const struct line *window[2][WINDOW];
    size_t count[2] = { 0, 0 }, start = first < BEFORE ? 0 : first - BEFORE;
    for (int side = 0; side < 2; side++)
        for (size_t i = start; i < lists[side][stream].count && count[side] < WINDOW; i++)
            window[side][count[side]++] = &lists[side][stream].lines[i];
    align(window[EXPECTED], count[EXPECTED], window[ACTUAL], count[ACTUAL]);
}

/* Fills rows[] with the lines that only one side has; returns how many of them were left out. */
static size_t rows_in_any_order(int stream)
{
    const struct line *window[2][WINDOW];
    size_t count[2] = { 0, 0 }, at[2] = { 0, 0 }, left_out = lists[ACTUAL][stream].more;
    while (at[EXPECTED] < line_count[EXPECTED] || at[ACTUAL] < line_count[ACTUAL]) {
        struct line **e = &lines_of[EXPECTED][at[EXPECTED]], **a = &lines_of[ACTUAL][at[ACTUAL]];
        int order = at[EXPECTED] == line_count[EXPECTED] ? 1 :
                    at[ACTUAL] == line_count[ACTUAL] ? -1 : compare_lines(e, a);
        int side = order < 0 ? EXPECTED : ACTUAL;
        const struct line *line = order < 0 ? *e : *a;
        at[EXPECTED] += order <= 0;
        at[ACTUAL] += order >= 0;
        if (order != 0 && line->stream == stream && count[side] < WINDOW)
            window[side][count[side]++] = line;
        else if (order != 0 && line->stream == stream)
            left_out++;
    }
    align(window[EXPECTED], count[EXPECTED], window[ACTUAL], count[ACTUAL]);
    return left_out;
}

/* Where the text of LINE begins to differ from OTHER's. */
static size_t differs_at(const struct line *line, const struct line *other)
{
    size_t at = 0, before = 0;
    while (at < line->cut.length && at < other->cut.length && line->cut.at[at] == other->cut.at[at])
        at++;
    for (size_t i = 0; i < line->count && places[line->first + i].at <= at; i++) {
        const struct place *here = &places[line->first + i], *there = &places[other->first + i];
        if (i >= other->count || here->at != there->at || (here->name != NONE &&
            there->name != NONE && names[here->name].partner != there->name))
            return here->at + before;
        before += here->length;
    }
    return at + before;
}

/* Writes LINE as one cell of the table: bytes that cannot be printed, and spaces at its end, as
   \x20; after a number the label that it stands for; of a long line the part around FROM. */
static void write_cell(char *cell, const struct line *line, size_t from)
{
    size_t used = 0, place = line->first, end = line->text.length;
    while (end > 0 && line->text.at[end - 1] == ' ')
        end--;
    from = from < WIDTH * 3 / 4 ? 0 : from - WIDTH / 4;
    if (from > 0)
        used = (size_t)sprintf(cell, "...");
    for (size_t i = from; i < line->text.length; i++) {
        const char *byte = line->text.at + i;
        if (used >= WIDTH) {
            sprintf(cell + used, "...");
            return;
        }
        if (*byte == '\\')
            used += (size_t)sprintf(cell + used, "\\\\");
        else if (*byte >= ' ' && *byte < 127 && i < end)
            used += (size_t)sprintf(cell + used, "%c", *byte);
        else
            used += (size_t)sprintf(cell + used, "\\x%02x", (unsigned)(unsigned char)*byte);

        while (place < line->first + line->count && places[place].text + places[place].length <= byte)
            place++;
        size_t name = place < line->first + line->count ? places[place].name : NONE;
        if (name != NONE && byte == places[place].text + places[place].length - 1 &&
            !names[name].label && !names[name].fixed && names[name].partner != NONE) {
            const struct place *label = names[names[name].partner].place;
            used += (size_t)sprintf(cell + used, "=%.*s", label->length < 9 ? (int)label->length : 9,
                                    label->text);
        }
    }
    cell[used] = '\0';
}

static void print_rows(void)
{
    static char cells[ROWS][2][CELL];
    int width = (int)strlen("(not expected)");
    size_t count = row_count < ROWS ? row_count : ROWS;
    for (size_t i = 0; i < count; i++) {
        const struct line *e = rows[i].expected, *a = rows[i].actual;
        bool compare = e != NULL && a != NULL && !rows[i].same;
        strcpy(cells[i][EXPECTED], "(not expected)");
        strcpy(cells[i][ACTUAL], "(missing)");
        if (e != NULL)
            write_cell(cells[i][EXPECTED], e, compare ? differs_at(e, a) : 0);
        if (a != NULL)
            write_cell(cells[i][ACTUAL], a, compare ? differs_at(a, e) : 0);
        if (width < (int)strlen(cells[i][EXPECTED]))
            width = (int)strlen(cells[i][EXPECTED]);
    }
    printf("  %-*s | %s\n", width, "expected", "actual");
    for (size_t i = 0; i < count; i++)
        printf("%c %-*s |%s%s\n", rows[i].same ? ' ' : '>', width, cells[i][EXPECTED],
               cells[i][ACTUAL][0] == '\0' ? "" : " ", cells[i][ACTUAL]);
}

static size_t times(int side, const struct line *line)
{
    const struct list *list = &lists[side][line->stream];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct line *other = &list->lines[i];
        count += compare_lines(&line, &other) == 0;
    }
    return count;
}

/* For two lines that differ in a name only: which renaming was known, and is broken here. */
static bool tell_name(const struct line *expected, const struct line *actual)
{
    for (size_t i = 0; expected->shape == actual->shape && i < expected->count; i++) {
        size_t e = places[expected->first + i].name, a = places[actual->first + i].name;
        if (e == NONE || names[e].fixed || names[e].partner == a)
            continue;
        bool number_known = names[e].partner == NONE;
        if (number_known && names[a].partner == NONE)
            continue;
        const struct place *label = names[number_known ? names[a].partner : e].place;
        const struct place *number = names[number_known ? a : names[e].partner].place;
        const struct place *here = names[number_known ? e : a].place;
        printf("note: in other lines %.*s is %.*s; here %.*s stands in its place\n",
               number_known ? (int)number->length : (int)label->length,
               number_known ? number->text : label->text,
               number_known ? (int)label->length : (int)number->length,
               number_known ? label->text : number->text, (int)here->length, here->text);
        return true;
    }
    return false;
}
