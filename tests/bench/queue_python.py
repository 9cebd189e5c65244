"""CPython's multiprocessing.Queue, measured as queue.c measures ours: best of 3, microseconds."""
import multiprocessing
import sys
import time

MESSAGES, TRIPS, REPEATS = 50000, 5000, 3


def take_all(there, back):
    for _ in range(MESSAGES):
        there.get()


def send_back(there, back):
    for _ in range(TRIPS):
        back.put(there.get())


def measure(context, target, count, trip):
    best = 1e9
    for _ in range(REPEATS):
        there, back = context.Queue(1024), context.Queue(1024)
        start = time.monotonic()
        child = context.Process(target=target, args=(there, back))
        child.start()
        for i in range(count):
            there.put(i)
            if trip:
                back.get()
        child.join()
        best = min(best, time.monotonic() - start)
    return best / count * 1e6


fork = multiprocessing.get_context("fork")
print("one way, CPython %s %27.3f us" % (sys.version.split()[0], measure(fork, take_all, MESSAGES, False)))
print("there and back, CPython %27.3f us" % measure(fork, send_back, TRIPS, True))
