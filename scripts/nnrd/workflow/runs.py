"""Who runs the workflow in a folder: locked and written down, so that a killed run is known.

The kernel frees the lock with the process, whatever ended that; the note says whose jobs to end.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file

FILE = Path(".snakemake/nnrd/run.json")
LOCK = Path(".snakemake/nnrd/run.lock")
MARK = "NNRD_RUN"  # the environment variable by which the jobs of a run are known
LOCAL = "local"
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Run:
    """A process of Snakemake's: its machine, the start of that, its number, when it began (ticks).

    What executes its jobs is `LOCAL` or a cluster's executor.
    """

    host: str
    boot: str
    process: int
    began: int
    executor: str = LOCAL

    @property
    def mark(self) -> str:
        """What its jobs have in their environment."""
        return f"{self.host}:{self.process}:{self.began}"

    @property
    def is_here(self) -> bool:
        """Whether it ran on this machine, and its jobs too."""
        return self.host == platform.node() and self.executor == LOCAL

    @property
    def is_alive(self) -> bool:
        """Whether its process is still there, and no other of the same number."""
        return self.boot == _boot() and _began(self.process) == self.began

    def jobs(self) -> Iterator[int]:
        """Yield the processes on this machine that it started, and what those started."""
        for entry in Path("/proc").iterdir():
            own = entry.name in (str(self.process), str(os.getpid()))
            if entry.name.isdigit() and not own and self.mark in _marks(entry):
                yield int(entry.name)


def this(executor: str = LOCAL) -> Run:
    """Return the run whose process this is; what it starts is known as its."""
    run = Run(platform.node(), _boot(), os.getpid(), _began(os.getpid()) or 0, executor)
    os.environ[MARK] = run.mark
    return run


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; UserError where another process runs the workflow there.

    Where the file system cannot lock, the note alone tells.
    """
    (folder / LOCK).parent.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as handle:
        held = _is_held(handle.fileno())
        other = last(folder)
        if held or (other and other.is_here and other.is_alive and other.process != os.getpid()):
            process = f"process {other.process} of {other.host}" if other else "another process"
            raise UserError(f"{process} runs this workflow already in this folder: wait, or end it")
        yield


def _is_held(lock: int) -> bool:
    """Return whether another process holds a lock, else take it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks here
        return False
    return False


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


def _boot() -> str:
    """Return what tells this start of the machine from others."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""


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
