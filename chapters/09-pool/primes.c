/* primes.c - a real job: how many primes are there below 600000? First one worker, then two.
   Python: sum(Pool(2).map(count_primes, ranges))
   Calls:  the part pool.h; clock_gettime(2)
   Needs:  map
   Try:    Write 2 for the 60 RANGES. The second range has more work than the first: one worker is done
           early and has nothing to do. How many times as fast is it now? */
#include "workbook.h"

#include "pool.h"

#include <time.h>

enum { BELOW = 600000, RANGES = 60 };

struct range {
    int from, below;
};

static int is_prime(int number)
{
    for (int divisor = 2; divisor * divisor <= number; divisor++)
        if (number % divisor == 0)
            return 0;
    return number >= 2;
}

static int count_primes(const void *message, size_t size, struct reply *reply)
{
    (void)size;
    const struct range *range = message;
    int count = 0;
    for (int number = range->from; number < range->below; number++)
        count += is_prime(number);
    return reply_bytes(reply, &count, sizeof count);
}

static double now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now));
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

/* Counts them with so many workers. Returns how many ms it took, without the start of the pool. */
static double count_with(int workers, int *count)
{
    struct range ranges[RANGES];
    for (int i = 0; i < RANGES; i++)
        ranges[i] = (struct range){ BELOW / RANGES * i, BELOW / RANGES * (i + 1) };
    struct pool *pool = check_ptr(pool_open(workers, NULL, NULL));

    double start = now_ms();
    struct async *map = check_ptr(pool_map(pool, count_primes, ranges, RANGES, sizeof ranges[0], 1));
    double took = now_ms() - start;
    const struct result *results = async_get(map, 0);
    if (results == NULL)
        die("map: %s", pool_error());
    *count = 0;
    for (int i = 0; i < RANGES; i++)
        *count += *(const int *)results[i].bytes;
    async_free(map);
    pool_close(pool);
    check(pool_join(pool));
    pool_free(pool);
    return took;
}

int main(void)
{
    int with_one, with_two;
    double one = count_with(1, &with_one), two = count_with(2, &with_two);
    say("1 worker: %d primes below %d", with_one, BELOW);
    say("2 workers: %d primes below %d", with_two, BELOW);
    say("Measured: 1 worker %.0f ms, 2 workers %.0f ms: %.2f times as fast", one, two, one / two);
}

/* Output:
1 worker: 49098 primes below 600000
2 workers: 49098 primes below 600000
Measured: 1 worker 62 ms, 2 workers 31 ms: 1.97 times as fast
*/
