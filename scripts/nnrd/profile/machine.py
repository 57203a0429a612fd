"""What a measurement ran on: the processor, how fast it was set, and who else used it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path("/")
PROCESSORS = Path("sys/devices/system/cpu")
MODEL = ("model name", "Model", "Hardware")  # x86; boards with Arm cores, new and old kernels
BUSY = 0.05  # share of the time lost, above which a machine was not free to measure on


def describe(threads: int | None = None, root: Path = ROOT) -> dict[str, Any]:
    """Return what is known of the machine; None where it does not tell.

    ``cpu``: the processor's name; ``cores``: logical ones that are switched on; ``cores_used``:
    those that this process may run on, at most ``threads``; ``governor``: how their frequency is
    set, each once, joined by ``+``; ``frequency_mhz``: their mean frequency at the moment;
    ``load``: processes that ran or wanted to over the last minute. ``root`` is where /proc and /sys
    are.
    """
    used = _listed(_line(root / "proc/self/status", "Cpus_allowed_list"))
    cores = used or range(len(_lines(root / "proc/cpuinfo", "processor")))
    return {
        "cpu": _processor(root),
        "cores": len(_listed(_text(root / PROCESSORS / "online"))) or len(cores) or None,
        "cores_used": (min(len(cores), threads) if threads else len(cores)) or None,
        "governor": _governor(root, cores),
        "frequency_mhz": _frequency(root, cores),
        "load": _load(root),
    }


def busy(lost: float, queued: float | None = None) -> str | None:
    """Return a warning where more than 5 % of the time was lost, else None.

    ``lost``: share of the time (`nnrd.profile.statistics.lost`); ``queued``: share in which threads
    could have run and others did (`nnrd.profile.sampling.Samples`). It tells a busy machine from
    steps that sleep or wait for a device, and None from where the system does not say.
    """
    if not lost > BUSY:
        return None
    text = f"{lost:.0%} of the time was lost"
    if queued is None:
        return f"the machine may have been busy: {text}"
    if queued > BUSY:
        return f"the machine was busy: {text}, {queued:.0%} because others had the core"
    return (
        f"{text}, {queued:.0%} because others had the core: the steps slept, waited for a device, "
        "or the host of a virtual machine was busy"
    )


def _processor(root: Path) -> str | None:
    names = (_line(root / "proc/cpuinfo", key) for key in MODEL)
    board = _text(root / "proc/device-tree/model")
    return next(filter(None, names), None) or (board.strip("\0 ") if board else None)


def _governor(root: Path, cores: Iterable[int]) -> str | None:
    files = (root / PROCESSORS / f"cpu{core}/cpufreq/scaling_governor" for core in cores)
    return "+".join(dict.fromkeys(filter(None, map(_text, files)))) or None


def _frequency(root: Path, cores: Iterable[int]) -> float | None:
    """Return the mean in MHz: of what the cores are set to (kHz), else of /proc/cpuinfo."""
    files = (root / PROCESSORS / f"cpu{core}/cpufreq/scaling_cur_freq" for core in cores)
    found = [number / 1000 for number in map(_number, map(_text, files)) if number]
    if not found:
        lines = map(_number, _lines(root / "proc/cpuinfo", "cpu MHz"))
        found = [number for number in lines if number]
    return round(sum(found) / len(found), 1) if found else None


def _load(root: Path) -> float | None:
    text = _text(root / "proc/loadavg")
    return _number(text.split()[0]) if text else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip() or None
    except OSError:
        return None


def _lines(path: Path, key: str) -> list[str]:
    """Return the values of lines ``key : value`` of a file."""
    pairs = (line.partition(":") for line in (_text(path) or "").splitlines())
    return [value.strip() for name, _, value in pairs if name.strip() == key]


def _line(path: Path, key: str) -> str | None:
    return next(iter(_lines(path, key)), None)


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _listed(text: str | None) -> list[int]:
    """Return the numbers of a list as the kernel writes it: ``0-2,5``."""
    ends = (part.partition("-") for part in (text or "").split(",") if part)
    return [core for first, _, last in ends for core in range(int(first), int(last or first) + 1)]
