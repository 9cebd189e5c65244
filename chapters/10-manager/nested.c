/* nested.c - what get gives is a copy. Who changes the copy has not changed the object.
   Python: d["scores"].append(3), on a manager's dict; d["scores"] = manager.list()
   Calls:  dict_get, dict_set, proxy_address, manager_proxy of manager.h
   Needs:  dict_list
   Try:    Let two children add a score by get and set, as main does, at the same time, some 20 times: now and
           then one score is lost. When both append to the list behind the address, none is. */
#include "workbook.h"

#include "manager.h"

#include <string.h>
#include <unistd.h>

struct scores {
    int count, values[8];
};

struct arguments {
    struct manager *manager;
    struct dict *d;
    pid_t parent;
};

static int count_of(struct dict *d)
{
    struct scores scores;
    check(dict_get(d, "scores", &scores, sizeof scores));
    return scores.count;
}

static void add(struct scores *scores, int value)
{
    scores->values[scores->count++] = value;
}

/* Finds the address of a list in the dict, and appends to that list. */
static int append_there(void *argument)
{
    const struct arguments *arguments = argument;
    char address[PROXY_ADDRESS];
    int score = 3;
    check(end_with_parent(arguments->parent));
    check(dict_get(arguments->d, "list", address, sizeof address));
    struct list *list = check_ptr(manager_proxy(arguments->manager, address));
    check(list_append(list, &score, sizeof score));
    return 0;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct dict *d = check_ptr(manager_dict(manager));
    struct scores scores = { .count = 2, .values = { 1, 2 } };
    check(dict_set(d, "scores", &scores, sizeof scores));

    struct scores copy;
    check(dict_get(d, "scores", &copy, sizeof copy));
    add(&copy, 3);
    say("WRONG: a copy was changed: it has %d scores, the object has %d", copy.count, count_of(d));
    check(dict_set(d, "scores", &copy, sizeof copy));
    say("changed, and set again: the object has %d", count_of(d));

    /* The other way: the dict has not the scores, but the address of a list that is an object, too. */
    struct list *list = check_ptr(manager_list(manager));
    char address[PROXY_ADDRESS];
    for (int i = 0; i < 2; i++)
        check(list_append(list, &scores.values[i], sizeof scores.values[i]));
    proxy_address(list, address);
    check(dict_set(d, "list", address, strlen(address) + 1));
    struct arguments arguments = { manager, d, getpid() };
    pid_t child = check(start_child(append_there, &arguments));
    int failed = check(wait_children(&child, 1));
    if (!failed)
        say("a child has appended to the list behind the address: it has %zd", check(list_len(list)));
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
WRONG: a copy was changed: it has 3 scores, the object has 2
changed, and set again: the object has 3
a child has appended to the list behind the address: it has 3
*/
