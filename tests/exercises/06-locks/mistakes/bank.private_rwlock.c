/* wrong call | PTHREAD_PROCESS_SHARED */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <sched.h>
#include <stdatomic.h>

enum { MAX_CLIENTS = 16, MAX_ACCOUNTS = 16, MAX_TRANSFERS = 256 };
#define USAGE "bank [processes] CLIENTS BALANCES TRANSFER...   (as in: bank 2 100,50,0 1-2:30 2-3:40)"

struct account {
    pthread_mutex_t lock; /* whoever reads or changes the balance holds it */
    long balance;
};

struct transfer {
    int from, to; /* numbers of accounts; the first account is 0 here, but 1 for the user */
    long amount;
};

struct client {
    struct bank *bank;
    int number; /* the first one is 0 */
    pid_t parent;
    int done, refused; /* only this client writes them, and main reads them after its end */
};

/* All that the clients work on. */
struct bank {
    int accounts, transfers, clients;
    struct account account[MAX_ACCOUNTS];
    struct transfer transfer[MAX_TRANSFERS];
    struct client client[MAX_CLIENTS]; /* here, so that main sees what a child counts */
    pthread_rwlock_t m;
};

/* Reads BALANCES and TRANSFER... into the bank. */
static void read_bank(struct bank *bank, const char *balances, char **transfers, int count)
{
    int used = 0;
    for (const char *at = balances;; at += used + 1) {
        struct account *account = &bank->account[bank->accounts];
        if (bank->accounts++ == MAX_ACCOUNTS || sscanf(at, "%9ld%n", &account->balance, &used) != 1 ||
            account->balance < 0 || (at[used] != ',' && at[used] != '\0'))
            usage(USAGE);
        if (at[used] == '\0')
            break;
    }
    for (int i = 0; i < count; i++) {
        struct transfer *transfer = &bank->transfer[bank->transfers];
        char more;
        if (bank->transfers++ == MAX_TRANSFERS ||
            sscanf(transfers[i], "%9d-%9d:%9ld%c", &transfer->from, &transfer->to, &transfer->amount, &more) != 3 ||
            transfer->from < 1 || transfer->to < 1 || transfer->from > bank->accounts ||
            transfer->to > bank->accounts || transfer->amount < 1)
            usage(USAGE);
        transfer->from--;
        transfer->to--;
    }
}

static void make_locks(struct bank *bank)
{
    check_pthread(pthread_rwlock_init(&bank->m, NULL));
}
static void lock_both(struct bank *bank, int from, int to)
{
    (void)from;
    (void)to;
    check_pthread(pthread_rwlock_wrlock(&bank->m));
}
static void unlock_both(struct bank *bank, int from, int to)
{
    (void)from;
    (void)to;
    check_pthread(pthread_rwlock_unlock(&bank->m));
}
/* Returns true when it was done, false when it was refused. */
static bool do_transfer(struct bank *bank, const struct transfer *transfer)
{
    struct account *from = &bank->account[transfer->from], *to = &bank->account[transfer->to];
    lock_both(bank, transfer->from, transfer->to);
    bool enough = from->balance >= transfer->amount; /* asked with the lock: else it may be untrue by now */
    if (enough) {
        from->balance -= transfer->amount; /* right for one account, too: off and on again */
        to->balance += transfer->amount;
    }
    unlock_both(bank, transfer->from, transfer->to); /* there is only this one way out */
    return enough;
}

static void work(struct client *client)
{
    struct bank *bank = client->bank;
    for (int i = client->number; i < bank->transfers; i += bank->clients) {
        if (do_transfer(bank, &bank->transfer[i]))
            client->done++;
        else
            client->refused++;
    }
}

static void *work_as_thread(void *argument)
{
    work(argument);
    return NULL;
}

static int work_as_process(void *argument)
{
    struct client *client = argument;
    check(end_with_parent(client->parent));
    work(client);
    return 0;
}

static void run_threads(struct bank *bank)
{
    pthread_t threads[MAX_CLIENTS];
    for (int i = 0; i < bank->clients; i++)
        check_pthread(pthread_create(&threads[i], NULL, work_as_thread, &bank->client[i]));
    for (int i = 0; i < bank->clients; i++)
        check_pthread(pthread_join(threads[i], NULL));
}

/* A child that is killed may hold a lock for ever: wait_children then ends the others. */
static void run_processes(struct bank *bank)
{
    pid_t pids[MAX_CLIENTS];
    for (int i = 0; i < bank->clients; i++)
        pids[i] = check(start_child(work_as_process, &bank->client[i]));
    if (check(wait_children(pids, bank->clients)) != 0)
        _exit(1);
}

int main(int argc, char **argv)
{
    bool processes = argc > 1 && strcmp(argv[1], "processes") == 0;
    char **arguments = argv + 1 + processes;
    int count = argc - 1 - processes;
    long clients;
    if (count < 2 || parse_number(arguments[0], 1, MAX_CLIENTS, &clients) == -1)
        usage(USAGE);

    struct bank *bank = check_ptr(share(sizeof *bank)); /* threads see it, and children see it too */
    bank->clients = (int)clients;
    read_bank(bank, arguments[1], arguments + 2, count - 2);
    make_locks(bank);
    for (int i = 0; i < bank->clients; i++)
        bank->client[i] = (struct client){bank, i, getpid(), 0, 0};

    if (processes)
        run_processes(bank);
    else
        run_threads(bank);

    int done = 0, refused = 0;
    long total = 0;
    for (int i = 0; i < bank->clients; i++) {
        done += bank->client[i].done;
        refused += bank->client[i].refused;
    }
    for (int i = 0; i < bank->accounts; i++) {
        say("account %d: %ld", i + 1, bank->account[i].balance);
        total += bank->account[i].balance;
    }
    say("done %d, refused %d", done, refused);
    say("total %ld", total);
    check(munmap(bank, sizeof *bank));
    return 0;
}
