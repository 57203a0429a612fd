"""Whether a process waits for name servers that do not answer, seen at its sockets.

A client says nothing meanwhile, and asks every server again for each search domain and at each
attempt: with three silent servers that takes it 7 to 13 seconds, however few attempts it is given.
"""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PORT = ":0035"  # 53, as the kernel writes it
LOOK = 0.2  # seconds between two looks
PAUSE = 0.3  # seconds between two questions that count as one


class Asking:
    """Watches for how long a process, or what it started, has asked name servers in one go.

    Where this system does not list sockets as Linux does, nothing is ever seen.
    """

    def __init__(
        self, process: int, proc: Path = Path("/proc"), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.process, self.proc, self.clock = process, proc, clock
        self.looked = self.begun = self.last = -math.inf  # times of the clock

    def seconds(self) -> float:
        """Return for how long it has been asking now; zero where it does not."""
        now = self.clock()
        if now - self.looked >= LOOK:
            self.looked = now
            self._look(now)
        return self.last - self.begun if now - self.last <= PAUSE else 0.0

    def _look(self, now: float) -> None:
        sockets = self._sockets()
        if not sockets or sockets.isdisjoint(self._held()):
            return
        if now - self.last > PAUSE:
            self.begun = now
        self.last = now

    def _sockets(self) -> set[str]:
        """Return the sockets of this machine on which a name server was asked."""
        found = set()
        for table in ("net/udp", "net/udp6"):
            lines = (line.split() for line in _lines(self.proc / table))
            found |= {f"socket:[{cells[9]}]" for cells in lines if cells[2].endswith(PORT)}
        return found

    def _held(self) -> Iterator[str]:
        """Yield what the process and those that it started have open."""
        for process in _family(self.process, self.proc):
            for number in _entries(self.proc / process / "fd"):
                try:
                    yield str(number.readlink())
                except OSError:  # closed by now
                    continue


def _family(process: int, proc: Path) -> set[str]:
    """Return a process and all that came from it, by their numbers."""
    parents = {}
    for entry in [entry for entry in _entries(proc) if entry.name.isdigit()]:
        try:
            # The name, in brackets, may hold anything (proc(5)); then come state and parent.
            words = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # ended by now
            continue
        parents[entry.name] = words[1]
    found, added = {str(process)}, {str(process)}
    while added := {child for child, parent in parents.items() if parent in added} - found:
        found |= added
    return found


def _lines(table: Path) -> list[str]:
    """Return the lines of one of the kernel's tables, without its head."""
    try:
        return table.read_text().splitlines()[1:]
    except OSError:
        return []


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # ended by now, or another user's
        return []
