/* coordination.c - the tools of chapter 07, in the server: three runners wait for each other in five ways.
   Python: manager.Event(), Barrier(3), Condition(), Semaphore(0), BoundedSemaphore(2)
   Calls:  event_..., barrier_..., condition_..., semaphore_..., bounded_semaphore_... of manager.h
   Needs:  07-coordination/condition, 07-coordination/barrier, locks
   Try:    In run, write work_ticks(10 * (RUNNERS - place)); before condition_acquire: now runner 2 is the first
           to wait. With if in place of while it then goes too early: 0 2 1. */
#include "workbook.h"

#include "manager.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { RUNNERS = 3 };

struct field {
    struct event *start;
    struct barrier *line;
    struct condition *changed;          /* its lock protects next and order */
    struct value *next;                 /* whose turn it is */
    struct list *order;
    struct semaphore *finished;
    struct bounded_semaphore *rooms;
    pid_t parent;
};

static int run(void *argument)
{
    const struct field *field = argument;
    int next;
    check(end_with_parent(field->parent));
    check(event_wait(field->start, MANAGER_FOREVER));
    int place = check(barrier_wait(field->line, MANAGER_FOREVER));     /* 0, 1 or 2: another one for each */

    check(condition_acquire(field->changed, MANAGER_FOREVER));
    check(value_get(field->next, &next, sizeof next));
    while (next != place) {
        check(condition_wait(field->changed, MANAGER_FOREVER));
        check(value_get(field->next, &next, sizeof next));
    }
    check(list_append(field->order, &place, sizeof place));
    next++;
    check(value_set(field->next, &next, sizeof next));
    check(condition_notify_all(field->changed));
    check(condition_release(field->changed));
    check(semaphore_release(field->finished, 1));
    return 0;
}

/* Takes a room, and ends with it. */
static int take_a_room(void *argument)
{
    const struct field *field = argument;
    check(end_with_parent(field->parent));
    check(bounded_semaphore_acquire(field->rooms, MANAGER_FOREVER));
    return 0;
}

static const char *result_of(int result)
{
    return result == -1 ? errno_name(errno) : result == 1 ? "yes, from one who has ended with it" : "yes";
}

static void look_at_the_runners(const struct field *field)
{
    char line[40] = "";
    int place, length = 0;
    for (int i = 0; i < RUNNERS; i++) {
        check(list_get(field->order, i, &place, sizeof place));
        length += snprintf(line + length, sizeof line - (size_t)length, " %d", place);
        check(semaphore_acquire(field->finished, 0));
    }
    say("Condition: they went in the order of their places:%s", line);
    say("Semaphore: %d times acquired; once more: %s", RUNNERS, result_of(semaphore_acquire(field->finished, 0)));
}

static void look_at_the_rest(const struct field *field)
{
    say("BoundedSemaphore: a room: %s", result_of(bounded_semaphore_acquire(field->rooms, 2000)));
    say("BoundedSemaphore: another one: %s", result_of(bounded_semaphore_acquire(field->rooms, 0)));
    say("BoundedSemaphore: a third one: %s", result_of(bounded_semaphore_acquire(field->rooms, 0)));
    check(bounded_semaphore_release(field->rooms));
    check(bounded_semaphore_release(field->rooms));
    say("BoundedSemaphore: released three times: %s", result_of(bounded_semaphore_release(field->rooms)));

    say("Barrier: alone, for 50 ms: %s", result_of(barrier_wait(field->line, 50)));
    say("Barrier: after that: %s", result_of(barrier_wait(field->line, MANAGER_FOREVER)));
    check(barrier_reset(field->line));
    say("Barrier: reset: is %s", check(barrier_is_broken(field->line)) == 1 ? "broken" : "whole");
}

int main(int argc, char **argv)
{
    no_arguments(argc, argv);
    int zero = 0;
    struct manager *manager = check_ptr(manager_start(NULL, NULL, 0));
    struct field field = {
        .start = check_ptr(manager_event(manager)),
        .line = check_ptr(manager_barrier(manager, RUNNERS)),
        .changed = check_ptr(manager_condition(manager, NULL)),
        .next = check_ptr(manager_value(manager, &zero, sizeof zero)),
        .order = check_ptr(manager_list(manager)),
        .finished = check_ptr(manager_semaphore(manager, 0)),
        .rooms = check_ptr(manager_bounded_semaphore(manager, 2)),
        .parent = getpid(),
    };
    pid_t pids[RUNNERS + 1];
    for (int i = 0; i < RUNNERS; i++)
        pids[i] = check(start_child(run, &field));
    pids[RUNNERS] = check(start_child(take_a_room, &field));
    say("Event: set: %s", check(event_is_set(field.start)) == 1 ? "yes" : "no");
    check(event_set(field.start));
    int failed = check(wait_children(pids, RUNNERS + 1));
    if (!failed) {
        look_at_the_runners(&field);
        look_at_the_rest(&field);
    }
    return check(manager_stop(manager)) != 0 || failed;
}

/* Output:
Event: set: no
Condition: they went in the order of their places: 0 1 2
Semaphore: 3 times acquired; once more: EAGAIN
BoundedSemaphore: a room: yes, from one who has ended with it
BoundedSemaphore: another one: yes
BoundedSemaphore: a third one: EAGAIN
BoundedSemaphore: released three times: EINVAL
Barrier: alone, for 50 ms: ETIMEDOUT
Barrier: after that: EPIPE
Barrier: reset: is whole
*/
