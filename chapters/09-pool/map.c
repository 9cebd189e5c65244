/* map.c - one function for many items: the results in the items' order, or as they come.
   Python: pool.map(f, items, chunksize=3), pool.imap_unordered(f, items)
   Calls:  the part pool.h
   Needs:  01-fork/pipe, apply_async
   Try:    In wait_if_first, write 9 for 0. Which line changes, and why not the lines of map? */
#include "workbook.h"

#include "pool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ITEMS = 10 };

static int gate[2];                     /* made before the fork, so all workers have it */

struct answer {
    int square;
    pid_t worker;
};

static int square(const void *message, size_t size, struct reply *reply)
{
    (void)size;
    int number = *(const int *)message;
    struct answer answer = { number * number, getpid() };
    return reply_bytes(reply, &answer, sizeof answer);
}

/* The same, but item 0 waits until main lets it go on. */
static int wait_if_first(const void *message, size_t size, struct reply *reply)
{
    char byte;
    if (*(const int *)message == 0)
        check(read_full(gate[0], &byte, 1));
    return square(message, size, reply);
}

/* Says all results, with a bar where a chunk ends. The items of a chunk go to one worker. */
static void show_map(struct pool *pool, const int *items, size_t chunk)
{
    char text[200] = "";
    struct async *map = check_ptr(pool_map(pool, square, items, ITEMS, sizeof items[0], chunk));
    const struct result *results = async_get(map, 0);
    if (results == NULL)
        die("map: %s", pool_error());
    for (size_t i = 0; i < ITEMS; i++) {
        const struct answer *answer = results[i].bytes;
        const struct answer *before = i == 0 ? answer : results[i - 1].bytes;
        if (i % chunk != 0 && answer->worker != before->worker)
            die("item %zu was done by another worker than the rest of its chunk", i);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s %d",
                 i > 0 && chunk > 1 && i % chunk == 0 ? " |" : "", answer->square);
    }
    say("map, chunks of %zu:%s", chunk, text);
    async_free(map);
}

int main(void)
{
    int items[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;
    check(pipe(gate));
    struct pool *pool = check_ptr(pool_open(3, NULL, NULL));

    show_map(pool, items, 1);
    show_map(pool, items, 3);
    show_map(pool, items, ITEMS);

    struct async *map =
        check_ptr(pool_imap_unordered(pool, wait_if_first, items, ITEMS, sizeof items[0], 1));
    const struct result *result;
    int count = 0, sum = 0;
    size_t last = 0;
    while ((result = async_next(map, -1)) != NULL) {
        if (result->error != 0)
            die("imap_unordered, item %zu: %s", result->index, (const char *)result->bytes);
        sum += ((const struct answer *)result->bytes)->square;
        last = result->index;           /* they come in any order: only INDEX tells whose it is */
        if (++count == ITEMS - 1)
            check(write_full(gate[1], "!", 1));         /* all others are here: item 0 may go on */
    }
    say("imap_unordered: %d results, their sum is %d, the last one is of item %zu", count, sum, last);
    async_free(map);

    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
    check(close(gate[0]));
    check(close(gate[1]));
}

/* Output:
map, chunks of 1: 0 1 4 9 16 25 36 49 64 81
map, chunks of 3: 0 1 4 | 9 16 25 | 36 49 64 | 81
map, chunks of 10: 0 1 4 9 16 25 36 49 64 81
imap_unordered: 10 results, their sum is 285, the last one is of item 0
*/
