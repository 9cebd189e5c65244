/* names.c - a thread's name: where the first one comes from, how to give one, how long it may be.
   Python: Thread(name="sorter"), current_thread().name, "Thread-1" for one without a name
   Calls:  pthread_setname_np(3), pthread_getname_np(3), pthread_self(3)
   Needs:  thread
   Try:    In main, give the name "boss" to pthread_self() first. Then the thread that nobody
           named says "boss" too: a new thread has the name of the thread that created it. */
#include "workbook.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 16 };             /* 15 letters and the '\0': the kernel keeps no more */

/* The same name, as everybody finds it from outside: top -H, ps -L, a debugger. */
static void read_from_kernel(char *name, size_t size)
{
    int fd = check(open("/proc/thread-self/comm", O_RDONLY));
    ssize_t count = check(read_full(fd, name, size - 1));
    check(close(fd));
    name[count] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

static void *tell_name(void *argument)
{
    const char *given = argument;
    char name[SIZE], in_kernel[SIZE + 1];
    if (given != NULL)
        check_pthread(pthread_setname_np(pthread_self(), given));
    check_pthread(pthread_getname_np(pthread_self(), name, sizeof name));
    read_from_kernel(in_kernel, sizeof in_kernel);
    say("thread: my name is \"%s\", in /proc it is \"%s\"", name, in_kernel);
    return NULL;
}

static void run(const char *name)
{
    pthread_t thread;
    check_pthread(pthread_create(&thread, NULL, tell_name, (void *)name));
    check_pthread(pthread_join(thread, NULL));
}

int main(void)
{
    char name[SIZE];

    say("nobody names it:");
    run(NULL);
    say("names that we give:");
    run("sorter");
    for (int i = 1; i <= 2; i++) {      /* what Python does for a thread without a name */
        snprintf(name, sizeof name, "Thread-%d", i);
        run(name);
    }

    int code = pthread_setname_np(pthread_self(), "sixteen letters!");
    say("main: a name of 16 letters: %s", errno_name(code));
    check_pthread(pthread_getname_np(pthread_self(), name, sizeof name));
    say("main: my name still is \"%s\", that of the program", name);
}

/* Output:
nobody names it:
thread: my name is "names", in /proc it is "names"
names that we give:
thread: my name is "sorter", in /proc it is "sorter"
thread: my name is "Thread-1", in /proc it is "Thread-1"
thread: my name is "Thread-2", in /proc it is "Thread-2"
main: a name of 16 letters: ERANGE
main: my name still is "names", that of the program
*/
