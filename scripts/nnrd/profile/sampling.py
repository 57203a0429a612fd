"""Timing steps that follow each other, many times over.

A sample is one pass through all steps, each of which takes what the one before returned. Clocks are
read between the steps and at no other place, so what the sampling itself does is in no number.
"""

import gc
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import numpy as np

from nnrd.core.errors import UserError

TOTAL = "total"  # of all steps of a sample together
TASKS = Path("/proc/self/task")
CLOCKS, SPARE = 50e-6, 0.05  # seconds, and a share, by which two clocks may differ
BUSY = 0.5  # a thread that ran less than this share of the busiest one's time waited for it


@dataclass(frozen=True)
class Protocol:
    """How often something is run: ``repeats`` times ``samples``, each after ``warm_up`` runs.

    Raises UserError where there would be nothing to measure.
    """

    warm_up: int = 10
    samples: int = 100
    repeats: int = 5

    def __post_init__(self) -> None:
        least = {"warm_up": 0, "samples": 1, "repeats": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise UserError(f"{name}: {getattr(self, name)} is too few; at least {bound}")


@dataclass(frozen=True)
class Step:
    """A step of a sample: ``run`` takes what the step before returned, the first one ``given``."""

    name: str
    run: Callable[[Any], Any]


@dataclass(frozen=True)
class Samples:
    """What was measured.

    ``names``: of the steps, then `TOTAL`. ``wall``, ``cpu``: float64 (repeats, samples, names), in
    seconds; a total is the sum of the steps. CPU time is that of all threads of this process, with
    that of processes which a step started and waited for. ``busy``: of each name, how many threads
    worked at a time (`busy_threads`; of the total, the mean over its time). ``queued``: the share
    of the threads' time in which they could have run and others did, over all samples (`Threads`);
    None where the system does not tell.
    """

    names: tuple[str, ...]
    wall: np.ndarray
    cpu: np.ndarray
    busy: tuple[float, ...]
    queued: float | None


def sample(
    steps: Sequence[Step],
    given: Any,
    protocol: Protocol,
    progress: Callable[[], object] | None = None,
) -> Samples:
    """Run the steps as the protocol says and return the time of each.

    ``progress`` is called after each sample, outside of what is timed
    (`nnrd.core.progress.Count.more`). Raises UserError without a step, or with two of one name.
    """
    names = [step.name for step in steps]
    if not names or len(set(names) | {TOTAL}) != len(names) + 1:
        raise UserError(f"steps {', '.join(names) or '(none)'}: one or more, with different names")
    times = np.empty((protocol.repeats, protocol.samples, len(steps), 2))
    ran: list[dict[str, float]] = [defaultdict(float) for _ in steps]
    queue = Threads()
    for repeat in times:
        gc.collect()
        _warm_up(steps, given, protocol.warm_up, ran)
        with queue:
            for row in repeat:
                _one(steps, given, row)
                if progress:
                    progress()
    whole = np.concatenate([times, times.sum(axis=2, keepdims=True)], axis=2)
    return Samples((*names, TOTAL), whole[..., 0], whole[..., 1], _busy(times, ran), queue.share())


def _busy(times: np.ndarray, ran: Sequence[Mapping[str, float]]) -> tuple[float, ...]:
    """Return how many threads worked in each step, then over the time of all.

    Those that a step starts and ends are not seen in the warm-up: CPU time tells of them.
    """
    wall, cpu = times.mean(axis=(0, 1)).T
    least = np.ceil((cpu - CLOCKS) / wall - SPARE)
    counted = [float(busy_threads(threads.values())) for threads in ran]
    busy = np.maximum(counted, least)
    return (*(float(count) for count in busy), float((wall * busy).sum() / wall.sum()))


def _one(steps: Sequence[Step], value: Any, row: np.ndarray) -> None:
    """Run one sample; write wall and CPU seconds of each step into ``row``, float64 (steps, 2)."""
    for place, step in enumerate(steps):
        cpu, wall = cpu_seconds(), time.perf_counter()
        value = step.run(value)
        row[place] = time.perf_counter() - wall, cpu_seconds() - cpu


def _warm_up(
    steps: Sequence[Step], given: Any, times: int, ran: Sequence[dict[str, float]]
) -> None:
    """Run the steps without timing them; add to ``ran`` of each the seconds of each thread."""
    for _ in range(times):
        value = given
        for step, threads in zip(steps, ran, strict=True):
            before = thread_times()
            value = step.run(value)
            for name, (seconds, _) in thread_times().items():
                threads[name] += seconds - before.get(name, (0.0, 0.0))[0]


def cpu_seconds() -> float:
    """Return the CPU time of this process: all its threads, and its children that have ended."""
    children = getrusage(RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def thread_times(tasks: Path = TASKS) -> dict[str, tuple[float, float]]:
    """Return of each thread of this process the seconds it ran, and stood in a queue for a core.

    From ``/proc/self/task/TID/schedstat``: time on the CPU and time spent waiting on a run queue,
    in ns (Linux, Documentation/scheduler/sched-stats.rst). Empty where the system has no such file.
    """
    found = {}
    for file in tasks.glob("*/schedstat"):
        try:
            ran, waited = (int(text) / 1e9 for text in file.read_text().split()[:2])
        except (OSError, ValueError):  # the thread has ended by now
            continue
        found[file.parent.name] = (ran, waited)
    own = str(threading.get_native_id())
    if own in found:  # the file is only brought up to date when a thread stops, or once a tick
        found[own] = (time.thread_time(), found[own][1])
    return found


def busy_threads(ran: Iterable[float]) -> int:
    """Return how many threads worked: ran at least half as long as the one that ran longest.

    Helpers that a runtime keeps, and that only woke up, are so not counted; 1 where nothing is
    known. ``ran``: seconds of each thread.
    """
    times = list(ran)
    longest = max(times, default=0.0)
    return max(1, sum(longest > 0 and seconds >= BUSY * longest for seconds in times))


class Threads:
    """How long the threads of this process queued for a core; a context manager, many times."""

    def __init__(self, tasks: Path = TASKS) -> None:
        self.tasks, self.known = tasks, False
        self.ran = self.waited = 0.0

    def __enter__(self) -> "Threads":
        self.before = thread_times(self.tasks)
        return self

    def __exit__(self, *_: object) -> None:
        after = thread_times(self.tasks)
        self.known = bool(after)
        for name, (ran, waited) in after.items():
            first = self.before.get(name, (0.0, 0.0))
            self.ran += ran - first[0]
            self.waited += waited - first[1]

    def share(self) -> float | None:
        """Return waited / (waited + ran); None where the system does not tell or nothing ran."""
        whole = self.ran + self.waited
        return self.waited / whole if self.known and whole > 0 else None
