/* copy_on_write.c - the child gets a copy of all memory, made page by page at the first write.
   Python: a Process that changes a global; its parent never sees the change
   Calls:  fork(2), getrusage(2), madvise(2), sysconf(3)
   Needs:  fork, exit_status
   Try:    Let the child write only every second page (i += 2, in the first writing loop). The
           kernel counts half as many page faults, and the program says that something is wrong. */
#include "workbook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 256 };

static int global = 1;

/* How often the kernel had to step in so far, because this process used memory that was not
   ready for that use. Such a step is a "page fault". */
static long page_faults(void)
{
    struct rusage usage;
    check(getrusage(RUSAGE_SELF, &usage));
    return usage.ru_minflt;
}

/* volatile: the compiler must do each of these reads and writes, although nobody uses the values. */
static void child_counts_copies(volatile char *memory, long page_size)
{
    long start = page_faults();
    for (int i = 0; i < PAGES; i++)
        (void)memory[i * page_size];
    long reading = page_faults() - start;

    start = page_faults();
    for (int i = 0; i < PAGES; i++)
        memory[i * page_size] = 2;              /* here the kernel stops us and copies the page */
    long writing = page_faults() - start;

    start = page_faults();
    for (int i = 0; i < PAGES; i++)
        memory[i * page_size] = 3;              /* the page is our own by now */
    long again = page_faults() - start;

    say("Measured: page faults: %ld for reading, %ld for writing, %ld for writing again",
        reading, writing, again);
    /* A few faults may come from elsewhere, so "none" means: far fewer than pages. */
    if (reading > PAGES / 4 || writing < PAGES || again > PAGES / 4)
        die("these figures do not fit a copy at the first write of each page");
    say("child: each of %d pages was copied at its first write, and only then", PAGES);
}

int main(void)
{
    int stack = 1;
    int *heap = check_ptr(malloc(sizeof *heap));
    *heap = 1;
    const void *addresses[] = { &global, &stack, heap };

    long page_size = check(sysconf(_SC_PAGESIZE));
    size_t size = PAGES * (size_t)page_size;
    char *memory = check_ptr(aligned_alloc((size_t)page_size, size));
    /* No huge pages, or one fault could copy 512 pages. EINVAL: this kernel has none anyway. */
    if (madvise(memory, size, MADV_NOHUGEPAGE) == -1 && errno != EINVAL)
        die("madvise: %s", errno_name(errno));
    memset(memory, 1, size);    /* now every page really exists, in the parent */
    say("parent: global %d, stack %d, heap %d", global, stack, *heap);

    pid_t pid = check(fork());
    if (pid == 0) {
        if (addresses[0] != &global || addresses[1] != &stack || addresses[2] != heap)
            die("the child's variables have moved");
        say("child: the same addresses as in the parent");
        global = stack = *heap = 2;
        say("child: global %d, stack %d, heap %d", global, stack, *heap);
        child_counts_copies(memory, page_size);
        _exit(0);
    }

    int status;
    check(waitpid(pid, &status, 0));
    if (WIFSIGNALED(status))
        die("the child was killed by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        die("the child ended with exit code %d", WEXITSTATUS(status));
    say("parent: global %d, stack %d, heap %d", global, stack, *heap);
    free(memory);
    free(heap);
}

/* Output:
parent: global 1, stack 1, heap 1
child: the same addresses as in the parent
child: global 2, stack 2, heap 2
Measured: page faults: 0 for reading, 256 for writing, 0 for writing again
child: each of 256 pages was copied at its first write, and only then
parent: global 1, stack 1, heap 1
*/
