"""CPython's Manager().dict(), for manager.c: prints seconds a get, of one client and of many (all of them together)."""
import multiprocessing
import sys
import time

trips, clients = int(sys.argv[1]), int(sys.argv[2])


def ask(ages, count, ready, go):
    value = ages["Ann"]                     # the first one connects
    ready.release()
    go.acquire()
    for _ in range(count):
        value = ages["Ann"]
    assert value == b"12345678"


def one(ages):
    ages["Ann"]
    start = time.monotonic()
    for _ in range(trips):
        ages["Ann"]
    return (time.monotonic() - start) / trips


def many(context, ages):
    ready, go = context.Semaphore(0), context.Semaphore(0)
    count = trips // clients
    children = [context.Process(target=ask, args=(ages, count, ready, go)) for _ in range(clients)]
    for child in children:
        child.start()
    for _ in children:
        ready.acquire()
    start = time.monotonic()
    for _ in children:
        go.release()
    for child in children:
        child.join()
    return (time.monotonic() - start) / (count * clients)


if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    with fork.Manager() as manager:
        shared = manager.dict({"Ann": b"12345678"})
        print(one(shared), many(fork, shared))
