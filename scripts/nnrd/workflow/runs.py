"""Who runs the workflow in a folder: written down while it runs, so that a killed run is known."""

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nnrd.core.files import complete_file

FILE = Path(".snakemake/nnrd/run.json")
MARK = "NNRD_RUN"  # the environment variable by which the jobs of a run are known


@dataclass(frozen=True)
class Run:
    """A process of Snakemake's: its machine, its number, and when it began (clock ticks)."""

    host: str
    process: int
    began: int

    @property
    def mark(self) -> str:
        """What its jobs have in their environment."""
        return f"{self.host}:{self.process}:{self.began}"

    @property
    def is_here(self) -> bool:
        """Whether it ran on this machine."""
        return self.host == platform.node()

    @property
    def is_alive(self) -> bool:
        """Whether its process is still there, and no other of the same number."""
        return _began(self.process) == self.began

    def jobs(self) -> Iterator[int]:
        """Yield the processes on this machine that it started, and what those started."""
        for entry in Path("/proc").iterdir():
            own = entry.name in (str(self.process), str(os.getpid()))
            if entry.name.isdigit() and not own and self.mark in _marks(entry):
                yield int(entry.name)


def this() -> Run:
    """Return the run whose process this is; what it starts is known as its."""
    run = Run(platform.node(), os.getpid(), _began(os.getpid()) or 0)
    os.environ[MARK] = run.mark
    return run


def begin(run: Run) -> None:
    """Write down that a run is under way in this folder."""
    with complete_file(FILE) as temporary:
        temporary.write_text(json.dumps(asdict(run)))


def end(run: Run) -> None:
    """Take that back, once the run has come to its end, well or not."""
    if last(Path()) == run:
        FILE.unlink(missing_ok=True)


def last(folder: Path) -> Run | None:
    """Return the run of a folder that has not come to an end; None where there is none."""
    try:
        return Run(**json.loads((folder / FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _began(process: int) -> int | None:
    """Return when a process began, in clock ticks since the machine did (proc(5), field 22)."""
    try:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(words[19])


def _marks(entry: Path) -> list[str]:
    """Return the mark in a process's environment; none where it is not to be read."""
    try:
        words = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # another user's, or gone by now
        return []
    return [word.partition("=")[2] for word in words if word.startswith(f"{MARK}=")]
