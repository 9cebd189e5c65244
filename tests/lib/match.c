/* match.c - compares what a program wrote with the Output block in its own source.

     match list FILE.c                        a line a block: index, kind, command, signal, client
     match show FILE.c INDEX                  the block's lines as they stand
     match compare FILE.c INDEX OUT ERR END   do they match? (OUT, ERR: files; END: "exit 0" ...)
     match compare - ordered|unordered OUT ERR END   the same, with the block's lines on stdin

   Ends with 0: yes; 1: no, and it says why (list: a malformed header); 3: list found no block;
   2: it could not do its work (no such file or block; show, compare: a malformed header).

   The idea: a line is taken apart into its names (P1, 4711 ...) and its shape, the line without
   them. Outputs match when their shapes agree and one renaming, the same for stdout and stderr,
   turns the names of one into the names of the other. In order, that is a walk through the lines;
   without an order it is a puzzle, which the part "Any order" solves. */
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
    void *new = realloc(old, (count + 1) * size);       /* + 1: never of size 0, so never NULL */
    if (new == NULL)
        fail("out of memory", "");
    return new;
}

/* Makes room for one more element. The array grows when it has 0, 1, 2, 4, 8 ... elements. */
static void *one_more(void *array, size_t count, size_t size)
{
    return count == 0 || (count & (count - 1)) == 0 ? resize(array, 2 * count, size) : array;
}

static struct slice read_all(const char *name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
    char *bytes = resize(NULL, 0, 1);
    size_t length = 0, room = 0, got = 1;
    for (; file != NULL && got > 0; length += got) {
        if (length == room)
            bytes = resize(bytes, room = 2 * room + 65536, 1);
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

static bool same_bytes(struct slice a, struct slice b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
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

static struct slice first_line(struct slice s)          /* without its newline */
{
    const char *end = memchr(s.at, '\n', s.length);
    return (struct slice){ s.at, end == NULL ? s.length : (size_t)(end - s.at) };
}

static struct slice trim(struct slice s)                /* without the spaces around it */
{
    while (s.length > 0 && *s.at == ' ')
        s = skip(s, 1);
    while (s.length > 0 && s.at[s.length - 1] == ' ')
        s.length--;
    return s;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool in_word(char c)
{
    return digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- The blocks of a source file ---- */

struct block { bool unordered; struct slice command, until, client, lines; };

static struct block *blocks;
static size_t block_count;
static const char *source_name;
static struct slice source;
static int status_if_malformed = 2;

static bool signal_name(struct slice s)
{
    static const char *const known[] = {
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
        "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT",
        "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (is(s, known[i]))
            return true;
    return false;
}

static _Noreturn void malformed(const char *at, const char *why)
{
    size_t line = 1;
    for (const char *c = source.at; c < at; c++)
        line += *c == '\n';
    fprintf(stderr, "%s:%zu: %s\n", source_name, line, why);
    exit(status_if_malformed);
}

/* Prose may begin a line with "Output" too ("Output goes to ..."). These are beginnings that only
   a header has: what begins so must be one, or else it is malformed. */
static bool begins_header(struct slice line)
{
    if (starts(line, "Unordered output"))
        return line.length == 16 || !in_word(line.at[16]);
    return starts(line, "Output:") || starts(line, "Output of ./") ||
           starts(line, "Output until SIG") || starts(line, "Output, with ./");
}

/* Cuts WORD and all that follows it off the end of REST, and returns what follows. */
static struct slice cut_off(struct slice *rest, const char *word)
{
    size_t at = find(*rest, word);
    if (at == NONE)
        return (struct slice){ "-", 1 };
    struct slice part = trim(skip(*rest, at + strlen(word)));
    if (part.length == 0)
        malformed(rest->at, "a word is missing in this Output header");
    rest->length = at;
    return part;
}

/* Takes "Output of COMMAND until SIGNAL, with CLIENT: REASON" apart, from its end to its start. */
static struct block read_header(struct slice line, bool explained)
{
    struct block block = { .unordered = starts(line, "Unordered") };
    struct slice rest = skip(line, strlen(block.unordered ? "Unordered output" : "Output"));
    size_t colon = 0;                       /* the first one with a space or nothing after it */
    while (colon < rest.length && !starts(skip(rest, colon), ": ") && !is(skip(rest, colon), ":"))
        colon++;
    if (colon == rest.length)
        malformed(line.at, "this Output header has no ':'");
    struct slice reason = trim(skip(rest, colon + 1));
    if (!block.unordered && reason.length > 0)
        malformed(line.at, "words after the ':' of an Output header: only Unordered has a reason");
    if (block.unordered && reason.length == 0 && !explained)
        malformed(line.at, "Unordered output without the reason why its order is free");

    rest.length = colon;
    for (size_t i = 0; i < colon; i++)
        if ((unsigned char)rest.at[i] < ' ')
            malformed(line.at, "a control character in an Output header");
    block.client = cut_off(&rest, ", with ");
    block.until = cut_off(&rest, " until ");
    block.command = cut_off(&rest, " of ");
    if (trim(rest).length > 0)
        malformed(line.at, "an unknown word in an Output header");
    if (find(block.command, " until") != NONE || find(block.command, " with ./") != NONE ||
        find(block.command, ", with") != NONE)
        malformed(line.at, "an Output header goes on with ' until SIGNAL' or ', with CLIENT'");
    if (!is(block.command, "-") && !starts(block.command, "./"))
        malformed(line.at, "the command of an Output header begins with ./");
    if (!is(block.until, "-") && !signal_name(block.until))
        malformed(line.at, "an unknown signal in an Output header");
    return block;
}

/* Adds the blocks of one comment; COMMENT reaches up to the star and slash at its end. */
static void read_comment(struct slice comment)
{
    size_t end = (size_t)(comment.at - source.at) + comment.length + 2;
    struct slice after = first_line(skip(source, end));
    bool explained = false, open = false, last = false;
    for (size_t at = 0; !last; ) {
        struct slice line = first_line(skip(comment, at)), words = line;
        bool at_line_start = at > 0 || line.at == source.at || line.at[-1] == '\n';
        if (at == 0)
            words = trim(skip(line, 2));
        bool header = at_line_start && begins_header(words);
        last = at + line.length == comment.length;
        if (last && (header || (open && trim(line).length + trim(after).length > 0)))
            malformed(line.at, "the comment of an Output block ends with a line of its own");
        if (open && (header || last)) {
            struct slice *lines = &blocks[block_count - 1].lines;
            lines->length = (size_t)(line.at - lines->at);
        }
        at += line.length + 1;
        if (header) {
            blocks = one_more(blocks, block_count, sizeof *blocks);
            blocks[block_count] = read_header(words, explained);
            blocks[block_count++].lines.at = comment.at + at;
            open = true;
        } else if (!open && trim(words).length > 0) {
            explained = true;               /* words before a header can be its reason */
        }
    }
}

/* Walks through the code, because what looks like a comment inside a string is none. */
static void read_blocks(const char *name)
{
    source_name = name;
    source = read_all(name);
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

/* ---- Lines, taken apart ---- */

enum { EXPECTED, ACTUAL };                  /* the two sides */
enum { OUT, ERR };                          /* the two streams of each */

/* A numbering gives equal bytes equal numbers: 0, 1, 2 ... in the order in which they first come.
   It is a hash table. */
struct numbering { struct slice *bytes; size_t count, *slots, room; };

static size_t *slot_of(struct numbering *n, struct slice bytes)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < bytes.length; i++)
        hash = (hash ^ (unsigned char)bytes.at[i]) * 1099511628211u;
    size_t slot = (size_t)(hash ^ (hash >> 32)) % n->room;
    while (n->slots[slot] != NONE && !same_bytes(n->bytes[n->slots[slot]], bytes))
        slot = (slot + 1) % n->room;
    return &n->slots[slot];
}

static size_t number_of(struct numbering *n, struct slice bytes)
{
    if (2 * n->count >= n->room) {          /* half full: make it larger, put all in again */
        n->room = 4 * n->count + 64;
        n->slots = resize(n->slots, n->room, sizeof *n->slots);
        memset(n->slots, 0xff, n->room * sizeof *n->slots);     /* all NONE */
        for (size_t i = 0; i < n->count; i++)
            *slot_of(n, n->bytes[i]) = i;
    }
    size_t *slot = slot_of(n, bytes);
    if (*slot == NONE) {
        char *copy = resize(NULL, bytes.length, 1);
        memcpy(copy, bytes.at, bytes.length);
        copy[bytes.length] = '\0';
        n->bytes = one_more(n->bytes, n->count, sizeof *n->bytes);
        n->bytes[n->count] = (struct slice){ copy, bytes.length };
        *slot = n->count++;
    }
    return *slot;
}

/* A place in a line where a name stands: its first byte and length there, its number. */
struct place { size_t at, length, name; };

struct line {
    struct slice text, cut;                 /* "child (pid P2)" is cut to "child (pid )" */
    size_t shape;                           /* the cut, and where what was cut out of it */
    size_t first, count;                    /* its places[] */
    int stream;
    bool whole;                             /* it ended with a newline */
};

struct list { struct line *lines; size_t count, more; };        /* more: only counted, not kept */

static struct list lists[2][2];             /* [side][stream] */
static struct numbering shapes, names;      /* names are numbered with their word: "pid P1" */
static size_t expected_names;               /* names below this number stand in the block */
static struct place *places;
static size_t place_count;
static const char *expected_end = "exit 0";

/* The length of the name at the start of S, or 0. The numbers 0 and 1, and digits after a leading
   zero, are no names but text: no label ever stands for them. */
static size_t name_length(struct slice s, char label, int side)
{
    size_t start = side == EXPECTED && s.length > 0 && *s.at == label, length = start;
    while (length < s.length && digit(s.at[length]))
        length++;
    bool is_name = length > start && s.at[start] != '0' && (length > 1 || *s.at != '1');
    return is_name ? length : 0;
}

static size_t measured_length(struct slice s)           /* of the number at its start: 3 or 3.25 */
{
    size_t length = 0;
    while (length < s.length && (digit(s.at[length]) || (length > 0 && s.at[length] == '.' &&
           memchr(s.at, '.', length) == NULL && length + 1 < s.length && digit(s.at[length + 1]))))
        length++;
    return length;
}

/* What was cut out of the line at work. Two holes are alike when they are at the same byte of the
   cut and, if their names came before in the line, the same hole was the first with it. */
struct hole { size_t at, first; };
static struct hole *holes;
static size_t hole_count;

/* Adds a place to LINE: WORD is "pid P1", and its last LENGTH bytes are the name. Returns which
   hole of the line was the first with this name. */
static size_t add_place(struct line *line, struct slice word, size_t length)
{
    static size_t *last, last_count;        /* the last place of each name */
    size_t name = number_of(&names, word), first = hole_count;
    if (name == last_count) {
        last = one_more(last, last_count, sizeof *last);
        last[last_count++] = NONE;
    }
    if (last[name] != NONE && last[name] >= line->first)
        first = holes[last[name] - line->first].first;
    last[name] = place_count;
    size_t at = (size_t)(word.at - line->text.at) + word.length - length;
    places = one_more(places, place_count, sizeof *places);
    places[place_count++] = (struct place){ at, length, name };
    line->count++;
    return first;
}

/* Numbers the shape of LINE. KEY holds the cut; with the holes behind it, it is the whole shape. */
static char *number_shape(struct line *line, char *key, size_t length)
{
    size_t tail[2] = { hole_count, (size_t)line->stream * 2 + line->whole };
    size_t holes_size = hole_count * sizeof *holes, size = length + holes_size + sizeof tail;
    key = resize(key, size, 1);
    if (hole_count > 0)
        memcpy(key + length, holes, holes_size);
    memcpy(key + length + holes_size, tail, sizeof tail);
    line->shape = number_of(&shapes, (struct slice){ key, size });
    line->cut = (struct slice){ shapes.bytes[line->shape].at, length };
    return key;
}

static void add_line(int side, int stream, struct slice text, bool whole)
{
    static char *key;
    struct line line = { text, { NULL, 0 }, 0, place_count, 0, stream, whole };
    bool measured = starts(text, "Measured:");
    size_t length = 0;
    hole_count = 0;
    key = resize(key, text.length, 1);
    for (size_t i = 0; i < text.length; ) {
        struct slice rest = skip(text, i);
        size_t keep = 1, cut = 0;           /* bytes for the key, bytes cut out after them */
        if (measured) {
            cut = measured_length(rest);
            keep = cut == 0;
        } else if (*rest.at == 'p' && (i == 0 || !in_word(text.at[i - 1]))) {
            keep = starts(rest, "pid ") ? 4 : starts(rest, "port ") ? 5 : 1;
            cut = keep == 1 ? 0 : name_length(skip(rest, keep), keep == 4 ? 'P' : 'N', side);
        }
        memcpy(key + length, rest.at, keep);
        length += keep;
        if (cut > 0) {
            struct hole hole = { length, hole_count };
            if (!measured)
                hole.first = add_place(&line, (struct slice){ rest.at, keep + cut }, cut);
            holes = one_more(holes, hole_count, sizeof *holes);
            holes[hole_count++] = hole;
        }
        i += keep + cut;
    }
    key = number_shape(&line, key, length);
    struct list *list = &lists[side][stream];
    list->lines = one_more(list->lines, list->count, sizeof *list->lines);
    list->lines[list->count++] = line;
}

/* Does this line, the last of a block, tell how the program ends? */
static bool tells_end(struct slice line)
{
    if (starts(line, "killed by "))
        return signal_name(skip(line, 10));
    for (int status = 0; status < 256; status++) {
        char text[24];
        sprintf(text, "exit %d", status);
        if (is(line, text))
            return true;
    }
    return false;
}

static void read_expected(struct slice text)
{
    while (text.length > 0) {
        struct slice line = first_line(text);
        bool last = line.length + 1 >= text.length;
        text = skip(text, last ? text.length : line.length + 1);
        if (last && tells_end(line))
            expected_end = strndup(line.at, line.length);
        else if (is(line, "!") || starts(line, "! "))
            add_line(EXPECTED, ERR, skip(line, line.length > 1 ? 2 : 1), true);
        else
            add_line(EXPECTED, OUT, line, true);
    }
    if (expected_end == NULL)
        fail("out of memory", "");
    expected_names = names.count;
}

/* Keeps as many lines as the block has, and 1000 more. */
static void read_actual(int stream, const char *name)
{
    static struct slice output[2];          /* the lines point into it */
    struct list *list = &lists[ACTUAL][stream];
    output[stream] = read_all(name);
    for (struct slice text = output[stream]; text.length > 0; ) {
        struct slice line = first_line(text);
        bool whole = line.length < text.length;
        if (list->count < lists[EXPECTED][stream].count + 1000)
            add_line(ACTUAL, stream, line, whole);
        else
            list->more++;
        text = skip(text, line.length + whole);
    }
}

/* ---- In order ---- */

/* The renaming, as far as it is known: labels and numbers that are each other's partner. A number
   in the block (fixed) is its own partner. */
static size_t *partner;

static bool is_label(size_t name)
{
    return name < expected_names && !digit(strchr(names.bytes[name].at, ' ')[1]);
}

static bool is_fixed(size_t name)
{
    return name < expected_names && !is_label(name);
}

static void forget_partners(void)
{
    partner = resize(partner, names.count, sizeof *partner);
    for (size_t i = 0; i < names.count; i++)
        partner[i] = is_fixed(i) ? i : NONE;
}

/* Can these two lines be one line, as far as the renaming is known? */
static bool fits(const struct line *expected, const struct line *actual)
{
    bool fit = expected->shape == actual->shape;
    for (size_t i = 0; fit && i < expected->count; i++) {
        size_t e = places[expected->first + i].name, a = places[actual->first + i].name;
        fit = partner[e] == a || (partner[e] == NONE && partner[a] == NONE);
    }
    return fit;
}

static void pair_names(const struct line *expected, const struct line *actual)
{
    for (size_t i = 0; i < expected->count; i++) {
        size_t e = places[expected->first + i].name, a = places[actual->first + i].name;
        partner[e] = a;
        partner[a] = e;
    }
}

/* Walks through the lines of a stream to the first that differs, and returns its place. */
static size_t lines_alike(int stream)
{
    const struct list *e = &lists[EXPECTED][stream], *a = &lists[ACTUAL][stream];
    size_t i = 0;
    for (; i < e->count && i < a->count && fits(&e->lines[i], &a->lines[i]); i++)
        pair_names(&e->lines[i], &a->lines[i]);
    return i;
}

static bool match_in_order(void)
{
    bool same = true;
    forget_partners();
    for (int stream = OUT; stream <= ERR; stream++)
        same = lines_alike(stream) == lists[EXPECTED][stream].count && same &&
               lists[ACTUAL][stream].count == lists[EXPECTED][stream].count;
    return same;
}

/* ---- Any order ----
   Which number is P1? One that stands in such lines as P1 does. So each name gets a colour, made
   from the shapes of its lines and its places in them. Then it gets a new colour, made also from
   the colours of the names beside it, and so on until this tells no more names apart. (This is
   colour refinement, also called the Weisfeiler-Leman method.) Where the two sides have different
   colours, no renaming exists. Names that still share a colour are paired by trial. Colours alone
   never say "yes": that is done by comparing the lines, renamed. */

static struct line **sorted[2];             /* all lines of a side, in the order of compare_lines */
static size_t sorted_count[2];
static size_t *movable[2], movable_count[2];            /* labels; numbers that are not fixed */
static size_t steps, step_limit;            /* a puzzle made to be hard must not hang the judge */
static bool gave_up;
static const uint64_t *sort_colour;

static void collect(void)
{
    for (int side = EXPECTED; side <= ACTUAL; side++) {
        size_t count = 0;
        sorted[side] = resize(sorted[side], lists[side][OUT].count + lists[side][ERR].count,
                              sizeof *sorted[side]);
        for (int stream = OUT; stream <= ERR; stream++)
            for (size_t i = 0; i < lists[side][stream].count; i++)
                sorted[side][count++] = &lists[side][stream].lines[i];
        sorted_count[side] = count;

        movable[side] = resize(movable[side], names.count, sizeof *movable[side]);
        movable_count[side] = 0;
        for (size_t i = 0; i < names.count; i++)
            if (!is_fixed(i) && is_label(i) == (side == EXPECTED))
                movable[side][movable_count[side]++] = i;
    }
}

static int order(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_colours(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return sort_colour[a] != sort_colour[b] ? order(sort_colour[a], sort_colour[b]) : order(a, b);
}

/* Labels count as the numbers that are their partners: 0 means that the lines are the same. */
static int compare_lines(const void *left, const void *right)
{
    const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;
    int result = order(a->shape, b->shape);
    for (size_t i = 0; result == 0 && i < a->count; i++) {
        size_t x = places[a->first + i].name, y = places[b->first + i].name;
        result = order(is_label(x) && partner[x] != NONE ? partner[x] : x,
                       is_label(y) && partner[y] != NONE ? partner[y] : y);
    }
    return result;
}

static void sort_lines(void)
{
    for (int side = EXPECTED; side <= ACTUAL; side++)
        qsort(sorted[side], sorted_count[side], sizeof *sorted[side], compare_lines);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    a = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6))) * 0xbf58476d1ce4e5b9u;
    a = (a ^ (a >> 29)) * 0x94d049bb133111ebu;
    return a ^ (a >> 32);
}

static void first_colours(uint64_t *colour)             /* a pid is no port, a fixed one no other */
{
    for (size_t i = 0; i < names.count; i++)
        colour[i] = mix(is_fixed(i) ? i : NONE, (uint64_t)names.bytes[i].at[1]);
}

static void new_colours(uint64_t *colour)
{
    uint64_t *next = resize(NULL, names.count, sizeof *next);
    memset(next, 0, names.count * sizeof *next);
    for (int side = EXPECTED; side <= ACTUAL; side++)
        for (size_t i = 0; i < sorted_count[side]; i++) {
            const struct line *line = sorted[side][i];
            uint64_t all = line->shape;
            for (size_t p = 0; p < line->count; p++)
                all = mix(all, colour[places[line->first + p].name]);
            for (size_t p = 0; p < line->count; p++)
                next[places[line->first + p].name] += mix(all, p);  /* + : in any order */
            steps += 1 + line->count;
        }
    for (int side = EXPECTED; side <= ACTUAL; side++)
        for (size_t i = 0; i < movable_count[side]; i++)
            colour[movable[side][i]] = mix(colour[movable[side][i]], next[movable[side][i]]);
    free(next);
}

static size_t count_colours(int side, const uint64_t *colour)       /* sorts the names by colour */
{
    size_t count = 0;
    sort_colour = colour;
    qsort(movable[side], movable_count[side], sizeof *movable[side], compare_colours);
    for (size_t i = 0; i < movable_count[side]; i++)
        count += i == 0 || colour[movable[side][i]] != colour[movable[side][i - 1]];
    return count;
}

static void refine(uint64_t *colour)
{
    size_t before, now = count_colours(EXPECTED, colour);
    do {
        before = now;
        for (int round = 0; round < 4; round++)         /* counting costs more than a round */
            new_colours(colour);
        now = count_colours(EXPECTED, colour);
    } while (now > before && steps <= step_limit);
}

/* Pairs names without a partner that have the same colour. Returns how many pairs were made. */
static size_t pair_by_colour(const uint64_t *colour)
{
    size_t pairs = 0, i = 0, j = 0;
    count_colours(EXPECTED, colour);
    count_colours(ACTUAL, colour);
    while (i < movable_count[EXPECTED] && j < movable_count[ACTUAL]) {
        size_t e = movable[EXPECTED][i], a = movable[ACTUAL][j];
        bool pair = partner[e] == NONE && partner[a] == NONE && colour[e] == colour[a];
        if (pair) {
            partner[e] = a;
            partner[a] = e;
            pairs++;
        }
        i += pair || partner[e] != NONE || colour[e] < colour[a];
        j += pair || (partner[e] == NONE && (partner[a] != NONE || colour[e] > colour[a]));
    }
    return pairs;
}

/* Marks the labels that share their colour with no other one. */
static void mark_alone(const uint64_t *colour, bool *alone)
{
    size_t count = movable_count[EXPECTED], *label = movable[EXPECTED];
    count_colours(EXPECTED, colour);
    memset(alone, 1, names.count * sizeof *alone);
    for (size_t i = 1; i < count; i++)
        if (colour[label[i]] == colour[label[i - 1]])
            alone[label[i]] = alone[label[i - 1]] = false;
}

/* A trial gave LABEL a partner, and COLOUR became TRIAL. Did this settle the partners of all the
   labels that hang together with it, through lines, from one open label to the next? Then the
   rest does not depend on it: had it a solution, it would have one with this trial too. */
static bool settled(size_t label, const uint64_t *colour, const uint64_t *trial)
{
    forget_partners();
    if (pair_by_colour(trial) != movable_count[EXPECTED])
        return false;
    bool *alone = resize(NULL, names.count, sizeof *alone);
    bool *reached = resize(NULL, names.count, sizeof *reached), more = true, all = true;
    memset(reached, 0, names.count * sizeof *reached);
    reached[label] = true;
    for (mark_alone(colour, alone); more && steps <= step_limit; steps += sorted_count[EXPECTED]) {
        more = false;
        for (size_t i = 0; i < sorted_count[EXPECTED]; i++) {
            const struct line *line = sorted[EXPECTED][i];
            bool touched = false;
            for (size_t p = line->first; p < line->first + line->count; p++)
                touched = touched || reached[places[p].name];
            for (size_t p = line->first; touched && p < line->first + line->count; p++)
                if (!reached[places[p].name] && !alone[places[p].name])
                    reached[places[p].name] = more = true;
        }
    }
    mark_alone(trial, alone);
    for (size_t i = 0; i < expected_names; i++)
        all = all && (!reached[i] || alone[i]);
    free(alone);
    free(reached);
    return all && !more;
}

/* One of the labels that share a colour, and with the fewest others; NONE when there is none. */
static size_t label_to_try(const uint64_t *colour)
{
    size_t count = movable_count[EXPECTED], *label = movable[EXPECTED], best = NONE, fewest = NONE;
    count_colours(EXPECTED, colour);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && colour[label[end]] == colour[label[i]]; )
            end++;
        if (end - i > 1 && end - i < fewest) {
            fewest = end - i;
            best = label[i];
        }
    }
    return best;
}

/* Tries the pairs that the colours give. When that fails, takes a label that shares its colour
   with others, and in turn each number of this colour as its partner: the two get a colour of
   their own, which helps to tell the other names apart. */
static bool search(uint64_t *colour)
{
    refine(colour);
    forget_partners();
    if (steps > step_limit || pair_by_colour(colour) != movable_count[EXPECTED])
        return false;
    sort_lines();
    steps += 4 * sorted_count[EXPECTED];
    bool found = true, tried_all = false;
    for (size_t i = 0; i < sorted_count[EXPECTED] && found; i++)
        found = compare_lines(&sorted[EXPECTED][i], &sorted[ACTUAL][i]) == 0;

    size_t label = found ? NONE : label_to_try(colour);
    uint64_t *trial = resize(NULL, names.count, sizeof *trial);
    for (size_t number = expected_names; number < names.count && !found && !tried_all; number++)
        if (label != NONE && colour[number] == colour[label] && steps <= step_limit) {
            memcpy(trial, colour, names.count * sizeof *trial);
            trial[label] = trial[number] = mix(colour[label], 1);
            found = search(trial);
            tried_all = !found && settled(label, colour, trial);
        }
    if (tried_all)                          /* it may have settled the caller's label too */
        memcpy(colour, trial, names.count * sizeof *trial);
    free(trial);
    return found;
}

static bool match_in_any_order(void)
{
    collect();
    forget_partners();
    if (sorted_count[EXPECTED] != sorted_count[ACTUAL] ||
        movable_count[EXPECTED] != movable_count[ACTUAL] ||
        lists[ACTUAL][OUT].more + lists[ACTUAL][ERR].more > 0)
        return false;
    sort_lines();
    for (size_t i = 0; i < sorted_count[EXPECTED]; i++)
        if (sorted[EXPECTED][i]->shape != sorted[ACTUAL][i]->shape)
            return false;
    uint64_t *colour = resize(NULL, names.count, sizeof *colour);
    first_colours(colour);
    steps = 0;
    step_limit = 20000000 + 20 * place_count;
    bool found = search(colour);
    gave_up = !found && steps > step_limit;
    free(colour);
    return found;
}

/* ---- Saying what differs ---- */

/* In any order, no renaming explains all: this one explains much. Names whose colours still agree
   after more rounds are the surer ones, and come first. */
static void pair_as_well_as_possible(void)
{
    uint64_t *colour = resize(NULL, names.count, sizeof *colour);
    forget_partners();
    for (int rounds = 3; rounds >= 0; rounds--) {
        first_colours(colour);
        for (int round = 0; round < rounds; round++)
            new_colours(colour);
        pair_by_colour(colour);
    }
    free(colour);
    sort_lines();
}

enum { WINDOW = 64, ROWS = 25, BEFORE = 3, WIDTH = 72, CELL = WIDTH + 20, SEEN = 200 };

struct row { const struct line *expected, *actual; bool same; };
static struct row rows[2 * WINDOW];
static size_t row_count;

/* How well two lines stand beside each other: the same line 4, one that is half the same 1. */
static unsigned closeness(const struct line *e, const struct line *a)
{
    struct slice shorter = e->cut.length < a->cut.length ? e->cut : a->cut;
    struct slice longer = e->cut.length < a->cut.length ? a->cut : e->cut;
    size_t front = 0, back = 0, end = longer.length - shorter.length;
    while (front < shorter.length && front < SEEN && shorter.at[front] == longer.at[front])
        front++;
    while (back < shorter.length - front && back < SEEN &&
           shorter.at[shorter.length - 1 - back] == longer.at[end + shorter.length - 1 - back])
        back++;
    return fits(e, a) ? 4 : 2 * (front + back) >= (longer.length < SEEN ? longer.length : SEEN);
}

/* Fills rows[]: N expected lines beside M actual ones. best[i][j] is the sum of closeness that
   the lines from i and j on can reach together: a longest common subsequence, with weights. */
static void align(const struct line **expected, size_t n, const struct line **actual, size_t m)
{
    static unsigned close[WINDOW][WINDOW], best[WINDOW + 1][WINDOW + 1];
    memset(best, 0, sizeof best);
    for (size_t i = n; i-- > 0; )
        for (size_t j = m; j-- > 0; ) {
            close[i][j] = closeness(expected[i], actual[j]);
            best[i][j] = best[i + 1][j] > best[i][j + 1] ? best[i + 1][j] : best[i][j + 1];
            if (close[i][j] > 0 && best[i + 1][j + 1] + close[i][j] > best[i][j])
                best[i][j] = best[i + 1][j + 1] + close[i][j];
        }
    row_count = 0;
    for (size_t i = 0, j = 0; i < n || j < m; ) {
        struct row row = { NULL, NULL, false };
        bool pair = i < n && j < m && close[i][j] > 0 &&
                    best[i][j] == best[i + 1][j + 1] + close[i][j];
        if (pair || j == m || (i < n && best[i][j] == best[i + 1][j]))
            row.expected = expected[i++];
        if (pair || row.expected == NULL)
            row.actual = actual[j++];
        row.same = pair && fits(row.expected, row.actual);
        if (row.same)
            pair_names(row.expected, row.actual);
        rows[row_count++] = row;
    }
}

/* In order: the rows from a little before line FIRST on, the first that differs. */
static void find_rows_in_order(int stream, size_t first)
{
    const struct line *window[2][WINDOW];
    size_t count[2] = { 0, 0 };
    for (int side = EXPECTED; side <= ACTUAL; side++)
        for (size_t i = first < BEFORE ? 0 : first - BEFORE;
             i < lists[side][stream].count && count[side] < WINDOW; i++)
            window[side][count[side]++] = &lists[side][stream].lines[i];
    align(window[EXPECTED], count[EXPECTED], window[ACTUAL], count[ACTUAL]);
}

/* In any order: the rows are the lines that only one side has. */
static void find_rows_in_any_order(int stream)
{
    const struct line *window[2][WINDOW];
    size_t count[2] = { 0, 0 };
    for (size_t i = 0, j = 0; i < sorted_count[EXPECTED] || j < sorted_count[ACTUAL]; ) {
        int which = i == sorted_count[EXPECTED] ? 1 : j == sorted_count[ACTUAL] ? -1 :
                    compare_lines(&sorted[EXPECTED][i], &sorted[ACTUAL][j]);
        int side = which < 0 ? EXPECTED : ACTUAL;
        const struct line *line = which < 0 ? sorted[EXPECTED][i] : sorted[ACTUAL][j];
        if (which != 0 && line->stream == stream && count[side] < WINDOW)
            window[side][count[side]++] = line;
        i += which <= 0;
        j += which >= 0;
    }
    align(window[EXPECTED], count[EXPECTED], window[ACTUAL], count[ACTUAL]);
}

/* Where the text of LINE begins to differ from OTHER's: only long lines need to know. */
static size_t differs_at(const struct line *line, const struct line *other)
{
    size_t at = 0, cut = 0;
    while (at < line->cut.length && at < other->cut.length && line->cut.at[at] == other->cut.at[at])
        at++;
    for (size_t i = 0; i < line->count && places[line->first + i].at <= at + cut; i++) {
        const struct place *here = &places[line->first + i];
        if (i >= other->count || partner[here->name] != places[other->first + i].name)
            return here->at;
        cut += here->length;
    }
    return at + cut;
}

/* Writes LINE as a cell of the table: bytes that cannot be printed, and spaces at its end, as
   \x20; behind a number the label that it stands for; of a long line the part around FROM. */
static void write_cell(char *cell, const struct line *line, size_t from)
{
    size_t place = line->first, end = line->text.length;
    while (end > 0 && line->text.at[end - 1] == ' ')
        end--;
    from = from < WIDTH * 3 / 4 ? 0 : from - WIDTH / 4;
    char *to = cell + sprintf(cell, "%s", from > 0 ? "..." : "");
    for (size_t i = from; i < line->text.length; i++) {
        char c = line->text.at[i];
        if (to - cell >= WIDTH) {
            sprintf(to, "...");
            return;
        }
        if (c < ' ' || c > '~' || i >= end)
            to += sprintf(to, "\\x%02x", (unsigned)(unsigned char)c);
        else
            to += sprintf(to, c == '\\' ? "%c\\" : "%c", c);

        while (place < line->first + line->count && places[place].at + places[place].length <= i)
            place++;
        bool name_ends = place < line->first + line->count &&
                         places[place].at + places[place].length == i + 1;
        size_t label = name_ends ? partner[places[place].name] : NONE;
        if (label != NONE && is_label(label))
            to += sprintf(to, "=%.9s", strchr(names.bytes[label].at, ' ') + 1);
    }
}

static void print_rows(void)
{
    static char cells[ROWS][2][CELL];
    int width = (int)strlen("(not expected)");
    size_t shown = row_count < ROWS ? row_count : ROWS;
    for (size_t i = 0; i < shown; i++) {
        const struct line *e = rows[i].expected, *a = rows[i].actual;
        bool differ = e != NULL && a != NULL && !rows[i].same;
        strcpy(cells[i][EXPECTED], "(not expected)");
        strcpy(cells[i][ACTUAL], "(missing)");
        if (e != NULL)
            write_cell(cells[i][EXPECTED], e, differ ? differs_at(e, a) : 0);
        if (a != NULL)
            write_cell(cells[i][ACTUAL], a, differ ? differs_at(a, e) : 0);
        if (width < (int)strlen(cells[i][EXPECTED]))
            width = (int)strlen(cells[i][EXPECTED]);
    }
    printf("  %-*s | actual\n", width, "expected");
    for (size_t i = 0; i < shown; i++)
        printf("%c %-*s | %s\n", rows[i].same ? ' ' : '>', width,
               cells[i][EXPECTED], cells[i][ACTUAL]);
}

static size_t times(int side, const struct line *line)
{
    const struct list *list = &lists[side][line->stream];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += compare_lines(&line, &(const struct line *){ &list->lines[i] }) == 0;
    return count;
}

static void print_notes(int stream)
{
    const struct list *list = &lists[ACTUAL][stream];
    const struct line *told = NULL;
    for (size_t i = 0; i < row_count && i < ROWS; i++) {
        const struct line *line = rows[i].actual;
        if (line == NULL || rows[i].same || (told != NULL && compare_lines(&line, &told) == 0) ||
            times(EXPECTED, line) != 1 || times(ACTUAL, line) < 2)
            continue;
        char cell[CELL];
        write_cell(cell, line, 0);
        printf("note: this line came %s: %s\n",
               times(ACTUAL, line) == 2 ? "twice" : "more than twice", cell);
        told = line;
    }
    if (list->more == 0 && list->count > 0 && !list->lines[list->count - 1].whole)
        printf("note: the last line has no newline at its end\n");
}

static void explain(bool unordered)
{
    static const char *const stream_names[] = { "stdout", "stderr" };
    forget_partners();
    if (unordered)
        pair_as_well_as_possible();
    for (int stream = OUT; stream <= ERR; stream++) {
        const struct list *e = &lists[EXPECTED][stream], *a = &lists[ACTUAL][stream];
        size_t first = unordered ? 0 : lines_alike(stream);
        if (unordered)
            find_rows_in_any_order(stream);
        else if (first < e->count || first < a->count)
            find_rows_in_order(stream, first);
        if (unordered ? row_count == 0 : first == e->count && first == a->count)
            continue;
        if (unordered)
            printf("%s, in any order: these lines differ\n", stream_names[stream]);
        else
            printf("%s: line %zu is the first that differs\n", stream_names[stream], first + 1);
        print_rows();
        if (row_count > ROWS || e->count + a->count + a->more > 2 * WINDOW)
            printf("  (%zu lines expected, %zu came: not all are shown)\n",
                   e->count, a->count + a->more);
        print_notes(stream);
    }
    if (!unordered && match_in_any_order())
        printf("note: these are the same lines in another order\n");
    if (unordered && gave_up)
        printf("note: there are too many renamings, not all were tried\n");
}

/* ---- The commands ---- */

static int list_blocks(void)
{
    for (size_t i = 0; i < block_count; i++) {
        const struct block *b = &blocks[i];
        printf("%zu\t%s\t%.*s\t%.*s\t%.*s\n", i + 1, b->unordered ? "unordered" : "ordered",
               (int)b->command.length, b->command.at, (int)b->until.length, b->until.at,
               (int)b->client.length, b->client.at);
    }
    return block_count > 0 ? 0 : 3;
}

static int compare(struct slice expected, bool unordered, char **arguments)
{
    const char *end = arguments[2];
    read_expected(expected);
    read_actual(OUT, arguments[0]);
    read_actual(ERR, arguments[1]);
    bool same_output = unordered ? match_in_any_order() : match_in_order();
    bool same_end = strcmp(end, expected_end) == 0;
    if (!same_output) {
        printf("wrong output\n");
        explain(unordered);
    }
    if (!same_end)
        printf("%s\nexpected: %s\nactual:   %s\n",
               same_output ? "wrong exit status" : "and wrong exit status", expected_end, end);
    return same_output && same_end ? 0 : 1;
}

static struct block *block_of(const char *index)
{
    for (size_t i = 0; i < block_count; i++) {
        char text[32];
        sprintf(text, "%zu", i + 1);
        if (strcmp(index, text) == 0)
            return &blocks[i];
    }
    fail("there is no Output block ", index);
}

int main(int argc, char **argv)
{
    int status = 0;
    if (argc == 3 && strcmp(argv[1], "list") == 0) {
        status_if_malformed = 1;
        read_blocks(argv[2]);
        status = list_blocks();
    } else if (argc == 4 && strcmp(argv[1], "show") == 0) {
        read_blocks(argv[2]);
        struct slice lines = block_of(argv[3])->lines;
        fwrite(lines.at, 1, lines.length, stdout);
    } else if (argc == 7 && strcmp(argv[1], "compare") == 0 && strcmp(argv[2], "-") == 0 &&
               (strcmp(argv[3], "ordered") == 0 || strcmp(argv[3], "unordered") == 0)) {
        source = read_all("-");
        status = compare(source, argv[3][0] == 'u', argv + 4);
    } else if (argc == 7 && strcmp(argv[1], "compare") == 0 && strcmp(argv[2], "-") != 0) {
        read_blocks(argv[2]);
        struct block *block = block_of(argv[3]);
        status = compare(block->lines, block->unordered, argv + 4);
    } else {
        fprintf(stderr, "usage: match list FILE.c | show FILE.c INDEX\n"
                        "       match compare FILE.c INDEX OUT ERR END\n"
                        "       match compare - ordered|unordered OUT ERR END\n");
        return 2;
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("cannot write", "");
    return status;
}
