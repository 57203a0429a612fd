"""Independent pieces of work on several threads, where each gives the interpreter's lock back."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from threading import Thread
from typing import Any

SMALL = 4096  # values of a tensor that holds the interpreter's lock for much of its time


def run(task: Callable[[int], Any], sizes: Sequence[int], workers: int) -> list[Any]:
    """Return [task(0), task(1), …], the largest pieces begun first, ``sizes`` their weights.

    The calling thread is one of the workers, and begins with the small pieces while the others
    are in the large ones: were they left to the end, all would wait for the interpreter's lock.
    An exception in any of them is raised here, and what was not begun by then is left undone.
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    results: list[Any] = [None] * len(order)
    errors: list[BaseException] = []
    # One step of a list's iterator is whole under the interpreter's lock. A pool's queue and
    # futures cost some 30 µs a piece, which is more than a small tensor takes.
    large = iter([i for i in order if sizes[i] >= SMALL])
    small = iter([i for i in order if sizes[i] < SMALL])
    helpers = [
        Thread(target=_take, args=(task, chain(large, small), results, errors), daemon=True)
        for _ in range(min(workers, len(order)) - 1)
    ]
    for helper in helpers:
        helper.start()
    _take(task, chain(small, large), results, errors)
    for helper in helpers:
        helper.join()
    if errors:
        raise errors[0]
    return results


def _take(
    task: Callable[[int], Any], left: Iterator[int], results: list[Any], errors: list[BaseException]
) -> None:
    """Do pieces until none is left or one has failed."""
    for i in left:
        if errors:
            return
        try:
            results[i] = task(i)
        except BaseException as error:
            errors.append(error)
            return
