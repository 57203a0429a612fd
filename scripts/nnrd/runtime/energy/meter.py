"""Measuring energy: read all counters at the beginning, once a second, and at the end."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnrd.runtime.energy import gpus, hwmon, rapl
from nnrd.runtime.energy.counters import BOARD, CPU, DRAM, GONE, GPU, RAIL, ROOT, Counter, why

PERIOD = 1.0  # seconds between two readings
MEASURED, NOT_MEASURED = "measured", "not measured"


@dataclass(frozen=True)
class Reading:
    """What one counter says of a window.

    ``joules``, ``watts`` (mean of the readings, one a second): None where it could not be read to
    the end, with the ``reason``. ``counted``: whether it is in the sum. ``missed``: how many
    readings failed in between, which a counter of energy makes good by itself, and over which power
    is taken to go in a straight line.
    """

    name: str
    scope: str
    counted: bool
    joules: float | None
    watts: float | None
    missed: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Energy:
    """What a window took: the sum over the counters that count.

    ``status``: ``measured``, or ``not measured``: then ``joules`` and ``watts`` are None and
    ``reasons`` say why; never a part of the sum. ``reasons`` also name what else cannot be read on
    this machine.
    """

    status: str
    joules: float | None
    watts: float | None
    seconds: float
    reasons: tuple[str, ...]
    counters: tuple[Reading, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self) | {
            "reasons": list(self.reasons),
            "counters": [asdict(reading) for reading in self.counters],
        }


@dataclass
class Tally:
    """What a counter has counted since the window began."""

    counter: Counter
    counts: float = 0  # of energy; of power, counts · seconds
    last: int | None = None
    at: float = 0.0
    missed: int = 0
    failed: bool = False  # the last reading
    gone: str | None = None
    watts: list[float] = field(default_factory=list)

    def take(self, now: float, regular: bool = True) -> None:
        """Read the counter at ``now``, in seconds; a ``regular`` reading is one of one a second."""
        if self.gone:
            return
        try:
            value = self.counter.read()
        except (OSError, ValueError) as error:
            self._fail(error, now)
            return
        self.failed = False
        if self.last is not None:
            self._add(value, now - self.at, regular)
        self.last, self.at = value, now

    def _add(self, value: int, seconds: float, regular: bool) -> None:
        before = self.last or 0
        if self.counter.power:
            more, watts = (before + value) / 2 * seconds, value / self.counter.per_unit
        else:
            more = value - before
            if more < 0:
                if self.counter.wraps is None:
                    self.gone = "was set back"
                    return
                more += self.counter.wraps
            watts = more / self.counter.per_unit / seconds if seconds > 0 else 0.0
        self.counts += more
        if regular:
            self.watts.append(watts)

    def _fail(self, error: Exception, now: float) -> None:
        self.failed = True
        if isinstance(error, OSError) and error.errno in GONE:
            self.gone = f"vanished ({why(error)})"
        elif self.last is None:
            self.gone = f"cannot be read ({why(error)})"
        else:
            self.missed += 1

    def reading(self, seconds: float, counted: bool) -> Reading:
        """Return what was counted in a window of so many seconds, which has ended."""
        reason = self.gone or ("could not be read at the end" if self.failed else None)
        name, scope = self.counter.name, self.counter.scope
        if reason:
            return Reading(name, scope, counted, None, None, self.missed, reason)
        joules = self.counts / self.counter.per_unit
        whole = joules / seconds if seconds > 0 else 0.0
        watts = sum(self.watts) / len(self.watts) if self.watts else whole
        return Reading(name, scope, counted, joules, watts, self.missed)


class Meter:
    """What can be read on a machine.

    ``counters``; ``reasons`` why others cannot be read; ``period``: seconds between two readings,
    0: none but the first and the last; ``clock``: of the readings, in seconds.
    """

    def __init__(
        self,
        counters: Sequence[Counter],
        reasons: Iterable[str] = (),
        period: float = PERIOD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters, self.counted = tuple(counters), chosen(counters)
        self.period, self.clock = period, clock
        self.reasons = tuple(reasons)
        if counters and not self.counted:
            names = ", ".join(counter.name for counter in counters)
            self.reasons += (f"{names}: of no processor, GPU or board as a whole",)

    @classmethod
    def find(cls, root: Path = ROOT, period: float = PERIOD) -> "Meter":
        """Return what this machine has: RAPL, GPUs (only where root is /), hwmon."""
        found = [rapl.find(root), hwmon.find(root)]
        if root == ROOT:
            found.insert(1, gpus.find())
        counters = [counter for some, _ in found for counter in some]
        return cls(counters, [reason for _, some in found for reason in some], period)

    def window(self) -> "Window":
        """Return a window over which energy is measured, a context manager."""
        return Window(self)

    def idle(self, seconds: float) -> Energy:
        """Measure for so many seconds of sleep; at once where there is nothing to read."""
        with self.window() as window:
            if self.counted:
                time.sleep(seconds)
        return window.energy


class Window:
    """Reads a meter's counters while its block runs; ``energy`` is there when it has ended."""

    energy: Energy

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.tallies = [Tally(counter) for counter in meter.counters]
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Window":
        self.start = self.meter.clock()
        self.tick()
        if self.tallies and self.meter.period:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="energy")
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()
        self.tick(regular=False)
        self.energy = self._sum(self.meter.clock() - self.start)

    def tick(self, regular: bool = True) -> None:
        """Read all counters."""
        for tally in self.tallies:
            tally.take(self.meter.clock(), regular)

    def _watch(self) -> None:
        """Read once a period; a reading that takes long does not shift the next ones."""
        start, count = time.monotonic(), 1
        while not self._ended.wait(max(0.0, start + count * self.meter.period - time.monotonic())):
            self.tick()
            count += 1

    def _sum(self, seconds: float) -> Energy:
        names = self.meter.counted
        readings = tuple(t.reading(seconds, t.counter.name in names) for t in self.tallies)
        counted = [reading for reading in readings if reading.counted]
        lost = [f"{reading.name}: {reading.reason}" for reading in readings if reading.reason]
        reasons = (*lost, *self.meter.reasons)
        joules = [reading.joules for reading in counted if reading.joules is not None]
        watts = [reading.watts for reading in counted if reading.watts is not None]
        if not counted or len(joules) < len(counted):
            return Energy(NOT_MEASURED, None, None, seconds, reasons, readings)
        return Energy(MEASURED, sum(joules), sum(watts), seconds, reasons, readings)


def chosen(counters: Sequence[Counter]) -> frozenset[str]:
    """Return the names of the counters that are added up, so that nothing is in the sum twice.

    Processors with their memory, and GPUs, where a processor has a counter (RAPL's before those of
    hwmon); else the input of the whole board; else its supply rails; else GPUs alone. RAPL's
    platform counter is so only taken where it stands alone, and what is a part of another never.
    """
    source = next((counter.source for counter in counters if counter.scope == CPU), None)
    if source:
        return frozenset(
            counter.name
            for counter in counters
            if counter.scope in (DRAM, GPU) or (counter.scope, counter.source) == (CPU, source)
        )
    for scope in (BOARD, RAIL, GPU):
        found = [counter.name for counter in counters if counter.scope == scope]
        if found:
            return frozenset(found[:1] if scope == BOARD else found)
    return frozenset()
