"""How far a run has come: counted from what Snakemake says of its jobs."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POINT = "score_point"  # the rule that ends a point
OWN = ("all", "total")  # what Snakemake counts beside the rules that work
TAIL = 4096  # bytes of a log that are looked at


@dataclass(frozen=True)
class Job:
    """A job that runs: its rule, what tells it from others of the rule, its log, its start (s)."""

    rule: str
    name: str
    log: Path | None
    start: float

    def last_line(self) -> str:
        """Return the last line of its log: how far it is, or what went wrong."""
        lines = _tail(self.log).splitlines() if self.log else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def spoke_at(self) -> float:
        """Return when its log was written to last, seconds since 1970; 0 where it has none yet."""
        return self.log.stat().st_mtime if self.log and self.log.exists() else 0.0


@dataclass
class Progress:
    """The jobs of a run, by rule: planned, running, done, failed.

    ``clock`` gives seconds; it is the wall clock but in tests.
    """

    planned: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # of done jobs
    running: dict[int, Job] = field(default_factory=dict)
    failed: dict[int, Job] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    begun: float = 0.0

    def plan(self, stats: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule."""
        self.planned = Counter({rule: n for rule, n in stats.items() if rule not in OWN})
        self.begun = self.clock()

    def start(self, number: int, rule: str, name: str, logs: Sequence[str]) -> None:
        """Take a job that starts; the same job may start again after a failure."""
        log = Path(logs[0]) if logs else None
        self.failed.pop(number, None)
        if rule not in OWN:
            self.running[number] = Job(rule, name, log, self.clock())

    def finish(self, number: int) -> None:
        """Take a job that is done."""
        job = self.running.pop(number, None)
        if job is not None:
            self.done[job.rule] += 1
            self.seconds[job.rule] += self.clock() - job.start

    def fail(self, number: int) -> Job | None:
        """Take a job that failed; return it the first time that it is said."""
        job = self.running.pop(number, None)
        if job is not None:
            self.failed[number] = job
        return job

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.clock() - self.begun

    def left(self) -> float | None:
        """Return about how many seconds are left; None while too little is known.

        A job to come takes what those of its rule took on average, or those of all rules; as
        many run side by side as did until now.
        """
        work, jobs = sum(self.seconds.values()), self.done.total()
        if jobs < 5 or not work:
            return None
        means = {rule: self.seconds[rule] / n for rule, n in self.done.items()}
        missing = {rule: n - self.done[rule] for rule, n in self.planned.items()}
        to_come = sum(n * means.get(rule, work / jobs) for rule, n in missing.items() if n > 0)
        ran = work + sum(self.clock() - job.start for job in self.running.values())
        return to_come * self.elapsed / ran

    def headline(self) -> str:
        """Return the line that says how far the run is."""
        words = [f"{self.done.total()} of {self.planned.total()} jobs"]
        if self.planned[POINT]:
            words.insert(0, f"{self.done[POINT]} of {self.planned[POINT]} points")
        if self.failed:
            words.append(f"{len(self.failed)} failed")
        words.append(duration(self.elapsed))
        left = self.left()
        return ", ".join(words) + (f"; about {duration(left)} left" if left is not None else "")


def duration(seconds: float) -> str:
    """Return a time as people say it: ``48 s``, ``7 min 5 s``, ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _tail(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            opened.seek(max(file.stat().st_size - TAIL, 0))
            return opened.read().decode(errors="replace")
    except OSError:  # not there yet
        return ""
