"""The same with CPython's multiprocessing.Pool: empty tasks, chunks of 1, 2 workers; apply there and back."""
import multiprocessing
import time


def same(item):
    return item


def main():
    tasks, trips = 20000, 2000
    best_map = best_apply = 1e9
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for _ in range(3):
            start = time.perf_counter()
            pool.map(same, range(tasks), chunksize=1)
            best_map = min(best_map, (time.perf_counter() - start) / tasks)
            start = time.perf_counter()
            for i in range(trips):
                pool.apply(same, (i,))
            best_apply = min(best_apply, (time.perf_counter() - start) / trips)
    print(f"CPython  map, 2 workers, chunks of 1: {best_map * 1e6:7.2f} us a task;  apply: {best_apply * 1e6:7.2f} us")


if __name__ == "__main__":
    main()
