/* namespace_value_array.c - names with values, one number, and a row of numbers, all in the server.
   Python: ns = manager.Namespace(); ns.x = 10; manager.Value("i", 0); manager.Array("d", [...])
   Calls:  namespace_..., value_..., array_... of manager.h
   Needs:  08-queues/value_array, dict_list
   Try:    In use_them, add 1 to the number in place of the set: what must come around the get and
           the set as soon as two children do so? */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <unistd.h>

enum { COUNT = 4 };

struct arguments {
    struct namespace *settings;
    struct value *number;
    struct array *row;
    pid_t parent;
};

static int use_them(void *argument)
{
    const struct arguments *arguments = argument;
    int x, limit = 42;
    double last;
    check(end_with_parent(arguments->parent));
    check(namespace_get(arguments->settings, "x", &x, sizeof x));
    x *= 2;
    check(namespace_set(arguments->settings, "x", &x, sizeof x));
    check(namespace_set(arguments->settings, "limit", &limit, sizeof limit));   /* new names, too */
    check(value_set(arguments->number, &limit, sizeof limit));
    check(array_get(arguments->row, -1, &last, sizeof last));
    last = -last;
    check(array_set(arguments->row, -1, &last, sizeof last));
    return 0;
}

static int get_name(struct namespace *names, const char *name)
{
    int number;
    check(namespace_get(names, name, &number, sizeof number));
    return number;
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    const double initial[COUNT] = { 0.5, 1.5, 2.5, 3.5 };
    int x = 10, zero = 0, number = 0;
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct arguments arguments = {
        .settings = check_ptr(manager_namespace(manager)),
        .number = check_ptr(manager_value(manager, &zero, sizeof zero)),
        .row = check_ptr(manager_array(manager, initial, sizeof initial[0], COUNT)),
        .parent = getpid(),
    };
    check(namespace_set(arguments.settings, "x", &x, sizeof x));
    pid_t child = check(start_child(use_them, &arguments));
    int failed = check(wait_children(&child, 1));
    if (!failed) {
        double row[COUNT];
        say("Namespace: x %d, limit %d", get_name(arguments.settings, "x"), get_name(arguments.settings, "limit"));
        check(value_get(arguments.number, &number, sizeof number));
        say("Value: %d", number);
        check(array_copy(arguments.row, row, sizeof row));
        say("Array: %.1f %.1f %.1f %.1f", row[0], row[1], row[2], row[3]);
        if (namespace_get(arguments.settings, "y", &x, sizeof x) == -1)
            say("the name y: %s", errno_name(errno));
        if (array_get(arguments.row, COUNT, row, sizeof row) == -1)
            say("index %d: %s", COUNT, errno_name(errno));
        if (value_set(arguments.number, initial, sizeof initial[0]) == -1)
            say("a double into the Value of an int: %s", errno_name(errno));
    }
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
Namespace: x 20, limit 42
Value: 42
Array: 0.5 1.5 2.5 -3.5
the name y: ENOENT
index 4: ERANGE
a double into the Value of an int: EINVAL
*/
