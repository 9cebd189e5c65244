/* dict_list.c - a child changes a dict and a list, and its parent sees it. Errors come back, too.
   Python: d = manager.dict(); l = manager.list(range(10)); Process(target=f, args=(d, l))
   Calls:  dict_... and list_... of manager.h
   Needs:  02-process/process, counter
   Try:    Use two plain arrays of C in place of d and l: the parent sees nothing of the child's work. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    struct dict *d;
    struct list *l;
    pid_t parent;
};

static void set_text(struct dict *d, const char *key, const char *text)
{
    check(dict_set(d, key, text, strlen(text) + 1));
}

/* A key is a text, a value is bytes: what they mean, the processes must agree on. */
static int f(void *argument)
{
    const struct arguments *arguments = argument;
    check(end_with_parent(arguments->parent));
    set_text(arguments->d, "1", "one");
    set_text(arguments->d, "2", "two");
    set_text(arguments->d, "0.25", "a quarter");
    check(list_reverse(arguments->l));
    return 0;
}

static void say_dict(struct dict *d)
{
    struct item *items;
    char line[200] = "";
    ssize_t count = check(dict_items(d, &items));       /* one request: all as it was at one moment */
    for (ssize_t i = 0; i < count; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%s: %s", i > 0 ? ", " : "", items[i].key,
                 (const char *)items[i].value);
    free(items);
    say("dict: {%s}", line);
}

static void say_list(struct list *l)
{
    struct item *items;
    char line[200] = "";
    ssize_t count = check(list_items(l, &items));
    for (ssize_t i = 0; i < count; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%d", i > 0 ? ", " : "",
                 *(const int *)items[i].value);
    free(items);
    say("list: [%s]", line);
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct dict *d = check_ptr(manager_dict(manager));
    struct list *l = check_ptr(manager_list(manager));
    for (int i = 0; i < 10; i++)
        check(list_append(l, &i, sizeof i));

    struct arguments arguments = { d, l, getpid() };
    pid_t child = check(start_child(f, &arguments));
    int failed = check(wait_children(&child, 1)), number;
    if (!failed) {
        say_dict(d);
        say_list(l);

        char text[8];                   /* too short for "a quarter" */
        if (dict_get(d, "3", text, sizeof text) == -1)
            say("get 3: %s, %s", errno_name(errno), manager_error());
        if (dict_get(d, "0.25", text, sizeof text) == -1)
            say("get 0.25: %s", manager_error());
        check(dict_del(d, "1"));
        set_text(d, "2", "zwei");
        say_dict(d);

        if (list_get(l, 10, &number, sizeof number) == -1)
            say("get index 10: %s, %s", errno_name(errno), manager_error());
        check(list_pop(l, -1, &number, sizeof number));
        say("popped from the end: %d", number);
        check(list_insert(l, 0, &number, sizeof number));
        say_list(l);
    }
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
dict: {1: one, 2: two, 0.25: a quarter}
list: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
get 3: ENOENT, dict: no such key
get 0.25: the value is longer than the room for it
dict: {2: zwei, 0.25: a quarter}
get index 10: ERANGE, list: there is no such index
popped from the end: 0
list: [0, 9, 8, 7, 6, 5, 4, 3, 2, 1]
*/
