"""Independent pieces of work on several threads, where each gives the interpreter's lock back."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from threading import Condition, Thread, local
from typing import Any

SMALL = 4096  # values of a tensor that holds the interpreter's lock for much of its time
_thread = local()  # its pool: the workers that this thread is one of


def run(task: Callable[[int], Any], sizes: Sequence[int], workers: int) -> list[Any]:
    """Return [task(0), task(1), …], the largest pieces begun first, ``sizes`` their weights.

    The calling thread is one of the workers, and begins with the small pieces while the others
    are in the large ones: were they left to the end, all would wait for the interpreter's lock.
    An exception in any of them is raised here, and what was not begun by then is left undone.
    """
    pool = _Pool(task, sizes, min(workers, len(sizes)))
    # One step of a list's iterator is whole under the interpreter's lock. A pool's queue and
    # futures cost some 30 µs a piece, which is more than a small tensor takes.
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    large = iter([i for i in order if sizes[i] >= SMALL])
    small = iter([i for i in order if sizes[i] < SMALL])
    helpers = [
        Thread(target=pool.work, args=(chain(large, small),), daemon=True)
        for _ in range(pool.workers - 1)
    ]
    for helper in helpers:
        helper.start()
    pool.work(chain(small, large))
    for helper in helpers:
        helper.join()
    if pool.errors:
        raise pool.errors[0]
    return pool.results


def shared(part: Callable[[int, int], Any], size: int) -> list[Any]:
    """Return [part(0, n), …, part(n - 1, n)] of a piece of ``size``; for the tasks of `run`.

    n is 1 unless the piece is more than what each worker would do if all did the same: then the
    others, who would wait for it in the end, do parts of it between two pieces of their own.
    """
    pool: _Pool | None = getattr(_thread, "pool", None)
    if pool is None or pool.workers == 1 or size * pool.workers <= pool.size:
        return [part(0, 1)]
    return pool.share(part, pool.workers)


class _Pool:
    """Workers, what they have done, and what they have offered one another."""

    def __init__(self, task: Callable[[int], Any], sizes: Sequence[int], workers: int) -> None:
        self.task, self.size, self.workers = task, sum(sizes), max(workers, 1)
        self.results: list[Any] = [None] * len(sizes)
        self.errors: list[BaseException] = []
        self.offered: deque[_Offer] = deque()
        self.at_work = self.workers  # those who may still offer something
        self.changed = Condition()

    def work(self, pieces: Iterable[int]) -> None:
        """Do pieces until none is left or one has failed, and what others offer meanwhile."""
        _thread.pool = self
        try:
            self._take(pieces)
        except BaseException as error:
            self.errors.append(error)
        _thread.pool = None
        with self.changed:
            self.at_work -= 1
            self.changed.notify_all()
        while self._wait_for_offer():
            self._help()

    def share(self, part: Callable[[int, int], Any], parts: int) -> list[Any]:
        """Return all parts, some of them done by other workers; raises what one of them raises."""
        offer = _Offer(part, parts)
        with self.changed:
            self.offered.append(offer)
            self.changed.notify_all()
        self._do(offer)
        with self.changed:
            self.changed.wait_for(lambda: offer.missing == 0)
        if offer.errors:
            raise offer.errors[0]
        return offer.results

    def _take(self, pieces: Iterable[int]) -> None:
        for i in pieces:
            self._help()
            if self.errors:
                return
            self.results[i] = self.task(i)

    def _wait_for_offer(self) -> bool:
        with self.changed:
            self.changed.wait_for(lambda: self.offered or not self.at_work)
            return bool(self.offered)

    def _help(self) -> None:
        while self.offered:
            try:
                offer = self.offered[0]
            except IndexError:  # another worker has just ended it
                return
            self._do(offer)

    def _do(self, offer: "_Offer") -> None:
        """Do parts of an offer until none is left to begin, and take it off the list."""
        for i in offer.left:
            offer.do(i)
            with self.changed:
                offer.missing -= 1
                self.changed.notify_all()
        with self.changed:
            if offer in self.offered:
                self.offered.remove(offer)


class _Offer:
    """A piece of work in parts that any worker may do."""

    def __init__(self, part: Callable[[int, int], Any], parts: int) -> None:
        self.part, self.missing = part, parts
        self.left: Iterator[int] = iter(range(parts))
        self.results: list[Any] = [None] * parts
        self.errors: list[BaseException] = []

    def do(self, i: int) -> None:
        """Do one part; what it raises is kept for who has offered it."""
        try:
            self.results[i] = self.part(i, len(self.results))
        except BaseException as error:
            self.errors.append(error)
