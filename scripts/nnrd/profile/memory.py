"""How much memory a run takes, and whether it will fit."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from nnrd.core.errors import UserError
from nnrd.core.progress import megabytes

ROOT = Path("/")
RESET = "5"  # what resets the peak: Linux, Documentation/filesystems/proc.rst, clear_refs
UNLIMITED = 1 << 60  # a control group without a limit says a number of about 2^63
SPARE = 0.95  # of what is free, at most
SEVERAL = 4  # inputs; two differ from one by little more than memory in use does by itself
OUT_OF_MEMORY = ("out of memory", "allocate memory", "bad_alloc", "bad allocation")


class DoesNotFitError(UserError):
    """What is asked for does not fit in memory."""


@dataclass
class Peak:
    """The most memory that a block held.

    ``bytes``: resident memory of the process at its highest in the block; ``before``: when it
    began; both None until the block ends, or where the system does not tell. ``how`` says how it
    was found; ``exact`` is false where it may have been reached before the block. ``gpu_bytes``:
    the most that PyTorch held on the GPU; None where it has none.
    """

    bytes: int | None = None
    before: int | None = None
    exact: bool = False
    how: str = ""
    gpu_bytes: int | None = None


@contextmanager
def peak(root: Path = ROOT) -> Iterator[Peak]:
    """Measure the memory of the block; what is yielded is filled when it ends.

    Linux keeps the highest resident size of a process (``VmHWM``), and sets it back to the present
    one where 5 is written to ``/proc/self/clear_refs``. Where that is not permitted the number is
    the highest of the process's life: ``exact`` is then false unless it rose in the block.
    """
    found, folder = Peak(), root / "proc/self"
    gc.collect()
    highest = _highest(folder)
    reset = _reset(folder)
    found.before = _field(folder, "VmRSS")
    gpu = _gpu_reset()
    try:
        yield found
    finally:
        found.bytes = _highest(folder)
        rose = found.bytes is not None and highest is not None and found.bytes > highest
        found.exact = reset or rose
        found.how = "VmHWM of the block" if reset else "highest of the process, not reset"
        found.gpu_bytes = gpu() if gpu else None


def _reset(folder: Path) -> bool:
    try:
        (folder / "clear_refs").write_text(RESET)
    except OSError:
        return False
    return True


def _highest(folder: Path) -> int | None:
    """Return VmHWM in bytes, else what getrusage says (kB, on macOS bytes)."""
    found = _field(folder, "VmHWM")
    if found is not None or folder != ROOT / "proc/self":
        return found
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _field(folder: Path, name: str) -> int | None:
    """Return a field of /proc/self/status, or of /proc/meminfo, in bytes."""
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return None
    return _kilobytes(lines, name)


def _kilobytes(lines: list[str], name: str) -> int | None:
    found = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    value = next(found, None)
    return int(value) * 1024 if value and value.isdigit() else None


def _gpu_reset() -> Callable[[], int] | None:
    """Set PyTorch's peak on the GPU back; return what reads it, None where it uses no GPU."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.max_memory_allocated


def available(root: Path = ROOT) -> int | None:
    """Return the bytes that this process can still take; None where the system does not tell.

    The least of what the machine has free (``MemAvailable``) and of what its control group
    (version 2 or 1) may still take.
    """
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        lines = []
    rooms = [_kilobytes(lines, "MemAvailable"), *(_left(*pair) for pair in _limits(root))]
    known = [room for room in rooms if room is not None]
    return min(known, default=None)


def _limits(root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files of limit and use of the control groups that this process is in."""
    groups = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in [*lines, "0::/", "0:memory:/"]:  # in a container the own group may be the top
        _, kinds, path = line.split(":", 2)
        inside = Path(path.strip("/"))
        for place in (inside, *inside.parents):  # each limits those within it
            if not kinds:
                yield groups / place / "memory.max", groups / place / "memory.current"
            elif "memory" in kinds.split(","):
                folder = groups / "memory" / place
                yield folder / "memory.limit_in_bytes", folder / "memory.usage_in_bytes"


def _left(limit: Path, used: Path) -> int | None:
    try:
        most, taken = int(limit.read_text()), int(used.read_text())
    except (OSError, ValueError):  # "max": no limit
        return None
    return None if most >= UNLIMITED else max(0, most - taken)


def growth(run: Callable[[int], object]) -> int:
    """Return the bytes that each further input of a batch takes; ``run`` takes how many.

    The peak with four less the peak with one, by three: what a runtime sets up at its first run,
    and memory that it keeps between runs, is in both.
    """
    run(1)
    with peak() as one:
        run(1)
    with peak() as several:
        run(SEVERAL)
    return max(0, (several.bytes or 0) - (one.bytes or 0)) // (SEVERAL - 1)


def check(one: int, batch: int, what: str, root: Path = ROOT) -> int:
    """Return the bytes that a batch will take, by an estimate; `DoesNotFitError` else.

    ``one``: bytes that an input takes (`growth`). What a model holds of its input and between its
    layers grows with the batch, its weights do not: the estimate is ``one`` · ``batch``. At most
    95 % of what is `available` may be taken.
    """
    needed, room = one * batch, available(root)
    if room is not None and needed > SPARE * room:
        raise DoesNotFitError(
            f"{what}: a batch of {batch} needs about {megabytes(needed)}, "
            f"{megabytes(room)} are free; take a smaller batch or a shorter input"
        )
    return needed


@contextmanager
def fits(what: str) -> Iterator[None]:
    """Turn running out of memory in the block, in Python or a runtime, into `DoesNotFitError`."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        if not isinstance(error, MemoryError) and not any(
            sign in text.lower() for sign in OUT_OF_MEMORY
        ):
            raise
        note = f" ({text[:120]})" if text else ""
        raise DoesNotFitError(
            f"{what}: does not fit in memory{note}; take a smaller batch or a shorter input"
        ) from error
