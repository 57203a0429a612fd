"""What tells energy or power: a file of the kernel, or a call to a driver."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
BOARD, CPU, DRAM, GPU, RAIL, PART = "board", "cpu", "dram", "gpu", "rail", "part"
# Errors after which nothing will come any more; others are a missing sample.
GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EACCES, errno.EPERM}


@dataclass(frozen=True)
class Counter:
    """A counter of energy, or with ``power`` a reading of the power at the moment.

    ``name``: for people, such as ``rapl package-0``. ``scope``: what it is of: the whole ``board``,
    ``cpu``, ``dram``, ``gpu``, a supply ``rail``, or a ``part`` of what another counter has.
    ``read()`` returns counts, a whole number, or raises OSError or ValueError; ``per_unit`` of them
    are one joule (one watt). ``wraps``: counts after which an energy counter begins again at 0;
    None where it never does.
    """

    name: str
    scope: str
    read: Callable[[], int]
    per_unit: int
    wraps: int | None = None
    power: bool = False

    @property
    def source(self) -> str:
        """What tells it: ``rapl``, ``gpu``, or a chip of hwmon."""
        return self.name.split()[0]


Found = tuple[list[Counter], list[str]]  # what can be read, and why the rest cannot


def number(path: Path) -> int:
    """Return the whole number in a file; OSError or ValueError."""
    return int(path.read_text())


def text(path: Path) -> str:
    """Return the text of a file without white space around it; empty where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def why(error: Exception) -> str:
    """Return in a few words why something could not be read."""
    if isinstance(error, PermissionError):
        return "only root may read it"
    if isinstance(error, FileNotFoundError):
        return "not there"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "not a number"


def shown(path: Path, root: Path) -> str:
    """Return a path as it would be called under ``/``."""
    return f"/{path.relative_to(root)}"
