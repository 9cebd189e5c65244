/* memory.c - the plain reads and writes of the program under judgement, and which of them race.
   The compiler puts a call before every access (-fsanitize=thread); these are our own functions for
   those calls, so that ThreadSanitizer itself is not needed and memory shared by processes is seen too.
   Two accesses race when they touch the same bytes, one of them writes, and neither task could know
   that the other one was done: no lock, wait, pipe or atomic stood between them (vector clocks). */
#include "schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HERE place(__builtin_return_address(0))

static __thread bool inside;    /* no steps within our own work */
static __thread int early;      /* accesses to places that only this task has used */

/* Where a cell is looked for first. Neighbours in memory, 16 of them, are neighbours here: so few pages are touched. */
enum { ROW = 16 };
static size_t first_place(uint64_t key)
{
    return (size_t)((key / 4 / ROW * 0x9E3779B97F4A7C15u) >> 40) % (CELLS / ROW) * ROW + key / 4 % ROW;
}

static struct cell *cell_of(uint64_t key)
{
    size_t at = first_place(key);
    for (int tries = 0; tries < 64; tries++, at = (at + ROW) % CELLS) {
        struct cell *cell = &region->cell[at];
        if (cell->key == 0)
            cell->key = key;
        if (cell->key == key)
            return cell;
    }
    struct cell *old = &region->cell[at];       /* full: forget one; a race may be missed, never invented */
    memset(old, 0, sizeof *old);
    old->key = key;
    return old;
}

/* Notes one access to (part of) a cell. True when another task has used the cell as well. */
static bool note_access(uint64_t key, unsigned mask, bool write, bool own, uintptr_t at)
{
    struct cell *cell = cell_of(key);
    struct task *task = &region->task[self];
    struct record *free_record = NULL;
    bool others = false;
    for (int i = 0; i < RECORDS; i++) {
        struct record *record = &cell->record[i];
        if (record->mask == 0) {
            free_record = free_record ? free_record : record;
            continue;
        }
        bool seen = record->task == self || record->clock <= task->clock[record->task];
        /* the stack of a thread that has ended is given out again: another place, though at the same address */
        if (own && record->own && record->task != self && region->task[record->task].state == ENDED) {
            record->mask = 0;
            continue;
        }
        if (record->task != self)
            others = true;
        if (!seen && (record->mask & mask) && (write || record->write)) {
            if (region->verdict[0] == '\0') {
                region->places[0] = record->at;
                region->places[1] = at;
            }
            verdict("race", "P%d %s at @%lx@, and P%d %s the same memory at @%lx@, with nothing between them that orders the two\n",
                    record->task + 1, record->write ? "writes" : "reads", (unsigned long)record->at,
                    self + 1, write ? "writes" : "reads", (unsigned long)at);
        }
        if (record->task == self && record->write == write && (record->mask | mask) == mask)
            free_record = record;
        else if (seen && write && (record->mask | mask) == mask)
            record->mask = 0;   /* this write comes after it and covers it: who sees us has seen it */
    }
    if (free_record == NULL)
        free_record = &cell->record[draw(RECORDS)];
    *free_record = (struct record){ (short)self, (unsigned char)mask, write, own, task->clock[self], at };
    return others;
}

/* Who was woken looks again at what it had looked at before it waited: a while around the wait, no if. */
static void look(bool write, uintptr_t at)
{
    struct task *task = &region->task[self];
    bool again = false;
    for (int i = 0; i < task->looks && i < 4; i++)
        again = again || task->looked[i] == at;
    if (task->woken != 0 && !again && task->looks > 0 && region->hint[0] == '\0')
        snprintf(region->hint, sizeof region->hint, "at @%lx@ P%d was woken, and goes on without looking again whether that is true for which "
                 "it waited: take while for if\n", (unsigned long)task->woken, self + 1);
    task->woken = 0;
    if (!write && !again)
        task->looked[task->looks++ % 4] = at;
}

void access_memory(const void *address, size_t size, bool write, uintptr_t at)
{
    if (!scheduled || self < 0 || inside || size == 0)
        return;
    if (atomic_load(&region->running) != self)
        return;                 /* a handler, outside our turn */
    bool shared = is_shared(address);
    if (!shared && !region->threads)
        return;
    look(write, at);
    bool own_stack = (uintptr_t)address - (uintptr_t)__builtin_frame_address(0) < 1 << 18;
    inside = true;
    if (region->task[self].written != NULL)
        note_value();
    bool others = false;
    uint64_t key = key_of(address);
    size_t limit = size < 4096 ? size : 4096;
    for (uint64_t byte = key; byte < key + limit; ) {
        uint64_t start = byte & ~3ull, end = start + 4 < key + limit ? start + 4 : key + limit;
        unsigned mask = 0;
        for (uint64_t i = byte; i < end; i++)
            mask |= 1u << (i - start);
        others = note_access(start, mask, write, own_stack, at) || others;
        byte = end;
    }
    inside = false;
    /* what others use is a step: before it, somebody else may go on. So is, now and then, what others may come to
       use: not the task's own stack. The rest is only written down, in case others come to it later: then the
       drawing wants to show this one too. */
    int before = region->steps;
    if (others || shared || (!own_stack && early < 300 && early++ % 3 == 0))
        step(write ? 'w' : 'r', key, 0, at, "");
    else if (region->steps < STEPS / 4)
        write_down(write ? 'w' : 'r', key, 0, at, "");
    if (region->steps == before)
        return;
    region->task[self].last = region->steps - 1;
    region->task[self].written_size = size;
    region->task[self].written = address;
    if (!write)
        note_value();           /* of a write the new value is there at the next step only */
}

void forget_memory(const void *address, size_t size)
{
    if (!scheduled || self < 0 || !region->threads || size > 1 << 20)
        return;
    uint64_t key = key_of(address);
    for (uint64_t byte = key & ~3ull; byte < key + size; byte += 4) {
        size_t at = first_place(byte);
        for (int tries = 0; tries < 64 && region->cell[at].key != 0; tries++, at = (at + ROW) % CELLS)
            if (region->cell[at].key == byte)
                memset(region->cell[at].record, 0, sizeof region->cell[at].record);
    }
}

/* ---- the compiler's calls ---- */

void __tsan_init(void);
void __tsan_init(void) { region_open(); }
void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void);
void __tsan_func_exit(void) { }

#define PLAIN(size) \
    void __tsan_read##size(void *address); \
    void __tsan_read##size(void *address) { access_memory(address, size, false, HERE); } \
    void __tsan_write##size(void *address); \
    void __tsan_write##size(void *address) { access_memory(address, size, true, HERE); } \
    void __tsan_unaligned_read##size(void *address); \
    void __tsan_unaligned_read##size(void *address) { access_memory(address, size, false, HERE); } \
    void __tsan_unaligned_write##size(void *address); \
    void __tsan_unaligned_write##size(void *address) { access_memory(address, size, true, HERE); } \
    void __tsan_volatile_read##size(void *address); \
    void __tsan_volatile_read##size(void *address) { access_memory(address, size, false, HERE); } \
    void __tsan_volatile_write##size(void *address); \
    void __tsan_volatile_write##size(void *address) { access_memory(address, size, true, HERE); }
PLAIN(1) PLAIN(2) PLAIN(4) PLAIN(8) PLAIN(16)

void __tsan_read_range(void *address, unsigned long size);
void __tsan_read_range(void *address, unsigned long size) { access_memory(address, size, false, HERE); }
void __tsan_write_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size) { access_memory(address, size, true, HERE); }

/* Atomics are carried out one at a time, and order what their memory order says. A relaxed one orders
   nothing, but does not race either. 0 relaxed, 1 consume, 2 acquire, 3 release, 4 both, 5 seq_cst. */
static bool before_atomic(const volatile void *address, int order, uintptr_t at, char what, const char *text)
{
    const void *plain = (const void *)(uintptr_t)address;
    if (!scheduled || self < 0)
        return false;
    step(what, key_of(plain), 0, at, text);
    struct object *object = object_of(key_of(plain), ATOMIC);
    if (order == 1 || order == 2 || order == 4 || order == 5)
        acquire(object->clock);
    if (order >= 3)
        release(object->clock);
    region->progress++;
    return region->steps < STEPS;
}

/* The types are unsigned ones, by size; most numbers of a program are signed. */
#define VALUE(type, v) (sizeof(type) == sizeof(int) ? (long)(int)(v) : (long)(v))

/* Carries out OPERATION, whose result is of that type, as a step; the drawing wants the value at A afterwards. */
#define AS_STEP(type, a, order, what, text, operation) \
    bool drawn = before_atomic(a, order, HERE, what, text); \
    type result = (operation); \
    if (drawn) region->step[region->steps - 1].value = VALUE(type, __atomic_load_n(a, __ATOMIC_SEQ_CST)); \
    return result

#define ATOMIC_OF(bits, type) \
    type __tsan_atomic##bits##_load(const volatile type *a, int order); \
    type __tsan_atomic##bits##_load(const volatile type *a, int order) \
    { AS_STEP(type, a, order == 5 ? 2 : order, 'r', "loads", __atomic_load_n(a, __ATOMIC_SEQ_CST)); } \
    void __tsan_atomic##bits##_store(volatile type *a, type v, int order); \
    void __tsan_atomic##bits##_store(volatile type *a, type v, int order) \
    { bool drawn = before_atomic(a, order == 5 ? 3 : order, HERE, 'w', "stores"); \
      __atomic_store_n(a, v, __ATOMIC_SEQ_CST); \
      if (drawn) region->step[region->steps - 1].value = VALUE(type, v); } \
    CHANGE(bits, type, exchange, __atomic_exchange_n, "swaps:") \
    CHANGE(bits, type, fetch_add, __atomic_fetch_add, "adds:") \
    CHANGE(bits, type, fetch_sub, __atomic_fetch_sub, "takes:") \
    CHANGE(bits, type, fetch_and, __atomic_fetch_and, "ands:") \
    CHANGE(bits, type, fetch_or, __atomic_fetch_or, "ors:") \
    CHANGE(bits, type, fetch_xor, __atomic_fetch_xor, "xors:") \
    CHANGE(bits, type, fetch_nand, __atomic_fetch_nand, "nands:") \
    COMPARE(bits, type, strong) COMPARE(bits, type, weak) \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type v, int order, int failed); \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type v, int order, int failed) \
    { (void)failed; \
      AS_STEP(type, a, order, 'w', "compares:", (__atomic_compare_exchange_n(a, &expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST), expected)); }
#define CHANGE(bits, type, name, real, text) \
    type __tsan_atomic##bits##_##name(volatile type *a, type v, int order); \
    type __tsan_atomic##bits##_##name(volatile type *a, type v, int order) \
    { AS_STEP(type, a, order, 'w', text, real(a, v, __ATOMIC_SEQ_CST)); }
#define COMPARE(bits, type, name) \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *a, type *expected, type v, int order, int failed); \
    int __tsan_atomic##bits##_compare_exchange_##name(volatile type *a, type *expected, type v, int order, int failed) \
    { (void)failed; \
      AS_STEP(int, a, order, 'w', "compares:", __atomic_compare_exchange_n(a, expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)); }
ATOMIC_OF(8, unsigned char) ATOMIC_OF(16, unsigned short) ATOMIC_OF(32, unsigned int) ATOMIC_OF(64, unsigned long)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    if (scheduled && self >= 0) {
        struct object *object = object_of(4, ATOMIC);
        if (order != 3) acquire(object->clock);
        if (order >= 3) release(object->clock);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order) { (void)order; }
