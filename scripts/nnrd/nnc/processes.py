"""Independent pieces of work on several processes that share memory.

The processes are forked, so they see the caller's arrays without a copy; what they write into
an array from `shared_arrays` the caller sees. Only small results go through a pipe. They start
no threads and leave without running the caller's exit handlers.
"""

import mmap
import multiprocessing
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

ALIGNMENT = 64  # bytes: a cache line


def run(task: Callable[[int], Any], sizes: Sequence[int], workers: int) -> list[Any]:
    """Return [task(0), task(1), …], the largest pieces begun first, ``sizes`` their weights.

    The calling process is one of the workers. An exception in any of them is raised here;
    RuntimeError where a process was killed.
    """
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    workers = min(workers, len(order))
    alone = workers <= 1
    results = {i: task(i) for i in order} if alone else _forked(task, order, workers)
    return [results[i] for i in range(len(order))]


def shared_arrays(shapes: Sequence[tuple[int, ...]], dtypes: Sequence[type]) -> list[np.ndarray]:
    """Return zeroed arrays in one piece of memory that forked processes share."""
    ends, end = [], 0
    for shape, dtype in zip(shapes, dtypes, strict=True):
        ends.append(end)
        end += -(-prod(shape) * np.dtype(dtype).itemsize // ALIGNMENT) * ALIGNMENT
    memory = mmap.mmap(-1, max(end, 1))
    return [
        np.frombuffer(memory, dtype, prod(shape), start).reshape(shape)
        for shape, dtype, start in zip(shapes, dtypes, ends, strict=True)
    ]


def _forked(task: Callable[[int], Any], order: Sequence[int], workers: int) -> dict[int, Any]:
    context = multiprocessing.get_context("fork")
    position = context.Value("q", 0)
    helpers = [_Helper(context, task, order, position) for _ in range(workers - 1)]
    try:
        results = _take(task, order, position)
        for helper in helpers:
            results |= helper.results()
    finally:
        for helper in helpers:
            helper.end()
    return results


def _take(task: Callable[[int], Any], order: Sequence[int], position: Any) -> dict[int, Any]:
    """Do the pieces that nobody has begun, until none is left."""
    results: dict[int, Any] = {}
    while True:
        with position.get_lock():
            mine = position.value
            position.value += 1
        if mine >= len(order):
            return results
        results[order[mine]] = task(order[mine])


class _Helper:
    """One forked process and the pipe that its results come through."""

    def __init__(self, context: Any, task: Callable, order: Sequence[int], position: Any) -> None:
        self._pipe, far = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(far, task, order, position), daemon=True
        )
        self._process.start()
        far.close()

    def results(self) -> dict[int, Any]:
        """Wait for the process; return its results or raise its exception."""
        try:
            outcome = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            raise RuntimeError(f"a worker process ended with exit code {code}") from None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self._pipe.close()


def _work(pipe: Any, task: Callable, order: Sequence[int], position: Any) -> None:
    try:
        outcome: Any = _take(task, order, position)
    except Exception as error:
        with position.get_lock():
            position.value = len(order)  # the others need not go on
        outcome = error
    pipe.send(outcome)
