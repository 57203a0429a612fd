"""Independent pieces of work on several threads, where each gives the interpreter's lock back."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any


def run(task: Callable[[int], Any], sizes: Sequence[int], workers: int) -> list[Any]:
    """Return [task(0), task(1), …], the largest pieces begun first, ``sizes`` their weights.

    An exception in any of them is raised here, and what was not begun by then is left undone.
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    if min(workers, len(order)) <= 1:
        results = {i: task(i) for i in order}
        return [results[i] for i in range(len(order))]
    with ThreadPoolExecutor(min(workers, len(order))) as pool:
        futures = {i: pool.submit(task, i) for i in order}
        done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            pool.shutdown(cancel_futures=True)
        for future in done:
            future.result()
    return [futures[i].result() for i in range(len(order))]
