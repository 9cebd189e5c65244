/* bank.c - an exercise: clients move money between accounts at the same time; the total never changes.
   Task:  bank CLIENTS BALANCES TRANSFER...             the clients are threads
          bank processes CLIENTS BALANCES TRANSFER...   the clients are processes
          1. CLIENTS clients work at the same time: start them all, then wait for them. Client 1 does the
             transfers 1, 1 + CLIENTS, 1 + 2 * CLIENTS ..., in this order, client 2 the transfers 2,
             2 + CLIENTS ... and so on.
          2. The transfer 1-2:30 moves 30 from account 1 to account 2. If account 1 holds less than 30
             at that moment, the transfer is refused: nothing is moved, and nobody waits for money. No
             balance ever goes below zero.
          3. A transfer from an account to itself (2-2:30) moves nothing. It is refused as any other
             when the account holds less; otherwise it counts as done.
          4. main waits for every client, prints the balances, how many transfers of all clients were
             done and refused, and the total of all balances. It ends with exit code 0.
   Calls: pthread_mutex_lock(3) and its family; pthread_create(3); start_child, wait_children, share; say
   Example: with  2 100,50,0 1-2:30 2-3:40 3-3:500  there are 2 clients, and 3 accounts that hold 100,
            50 and 0. Client 1 does 1-2:30, then 3-3:500, which is refused. Client 2 does 2-3:40. */
#include "workbook.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_CLIENTS = 16, MAX_ACCOUNTS = 16, MAX_TRANSFERS = 256 };
#define USAGE "bank [processes] CLIENTS BALANCES TRANSFER...   (as in: bank 2 100,50,0 1-2:30 2-3:40)"

struct account {
    long balance;               /* TODO 1: who protects it? */
};

struct transfer {
    int from, to;               /* numbers of accounts; the first account is 0 here, but 1 for the user */
    long amount;
};

/* All that the clients work on. */
struct bank {
    int accounts, transfers, clients;
    struct account account[MAX_ACCOUNTS];
    struct transfer transfer[MAX_TRANSFERS];
};

/* Given, nothing to do here. Reads BALANCES and TRANSFER... into the bank. */
static void read_bank(struct bank *bank, const char *balances, char **transfers, int count)
{
    int used = 0;
    for (const char *at = balances; ; at += used + 1) {
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
        if (bank->transfers++ == MAX_TRANSFERS || sscanf(transfers[i], "%9d-%9d:%9ld%c", &transfer->from,
                &transfer->to, &transfer->amount, &more) != 3 || transfer->from < 1 || transfer->to < 1 ||
            transfer->from > bank->accounts || transfer->to > bank->accounts || transfer->amount < 1)
            usage(USAGE);
        transfer->from--;
        transfer->to--;
    }
}

/* TODO 2: one transfer. Returns true when it was done, false when it was refused. */

/* TODO 3: one client, which does its transfers. */

int main(int argc, char **argv)
{
    bool processes = argc > 1 && strcmp(argv[1], "processes") == 0;
    char **arguments = argv + 1 + processes;
    int count = argc - 1 - processes;
    long clients;
    if (count < 2 || parse_number(arguments[0], 1, MAX_CLIENTS, &clients) == -1)
        usage(USAGE);

    struct bank *bank = check_ptr(share(sizeof *bank));     /* threads see it, and children see it too */
    bank->clients = (int)clients;
    read_bank(bank, arguments[1], arguments + 2, count - 2);

    /* TODO 4: make what protects the balances. Must it work between processes? */

    /* TODO 5: start all the clients, as threads or as processes; then wait for them. */
    int done = 0, refused = 0;

    long total = 0;
    for (int i = 0; i < bank->accounts; i++) {
        say("account %d: %ld", i + 1, bank->account[i].balance);
        total += bank->account[i].balance;
    }
    say("done %d, refused %d", done, refused);
    say("total %ld", total);
    check(munmap(bank, sizeof *bank));
    return 0;
}

/* Output of ./bank 2 100,50,0 1-2:30 2-3:40 3-3:500:
account 1: 70
account 2: 40
account 3: 40
done 2, refused 1
total 150
*/
