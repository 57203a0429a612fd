"""RAPL: the energy counters of x86 processors, as Linux shows them under /sys/class/powercap.

``energy_uj`` counts microjoules and begins again after ``max_energy_range_uj`` (Linux,
Documentation/power/powercap/powercap.rst). A zone ``package-N`` is a processor with its cores
(``core``) and what else is on it (``uncore``); ``dram`` is apart from it; ``psys`` is the whole
platform and has both (Intel, Software Developer's Manual, volume 3B, "RAPL interfaces"). The same
zones under ``intel-rapl-mmio`` are the same counters by another way, and are not read. Since
Linux 5.10 only root may read ``energy_uj`` (CVE-2020-8694).

zeus 0.16.0 reads RAPL too, and was tried on a made tree. It is used for GPUs
(`nnrd.runtime.energy.gpus`) and not here: it takes every top-level zone for a processor, so that
``psys`` is counted a second time; for each zone it starts a process that looks for wrap-arounds,
which takes time from what is measured, and learns of one up to a second late, so that a window's
joules can be negative; and where a file is gone that process ends and nobody is told.
"""

from functools import partial
from pathlib import Path

from nnrd.runtime.energy.counters import (
    BOARD,
    CPU,
    DRAM,
    PART,
    ROOT,
    Counter,
    Found,
    number,
    shown,
    text,
    why,
)

FOLDER = Path("sys/class/powercap")
PER_JOULE = 1_000_000
PSYS = "psys"


def find(root: Path = ROOT) -> Found:
    """Return the zones that can be read, and the reasons why others cannot."""
    folder = root / FOLDER
    if not folder.is_dir():
        return [], [f"{shown(folder, root)}: not there"]
    zones = sorted(folder.glob("intel-rapl:*"))
    if not zones:
        return [], [f"{shown(folder, root)}: no zone intel-rapl:N in it"]
    counters: list[Counter] = []
    reasons: list[str] = []
    for zone in zones:
        files = [zone / "energy_uj", zone / "max_energy_range_uj"]
        refused = [f"{shown(file, root)}: {reason}" for file in files if (reason := _refused(file))]
        if refused:
            reasons += refused
        else:
            counters.append(_counter(zone, *files))
    return counters, reasons


def _refused(file: Path) -> str | None:
    """Return why a file has no number to read, None where it has."""
    try:
        number(file)
    except (OSError, ValueError) as error:
        return why(error)
    return None


def _counter(zone: Path, file: Path, most: Path) -> Counter:
    """Return the counter of a zone; parts of a processor are named with its number."""
    name = text(zone / "name") or zone.name
    parts = zone.name.split(":")
    scope = CPU if name.startswith("package") else {"dram": DRAM, PSYS: BOARD}.get(name, PART)
    whole = name if len(parts) == 2 else f"{parts[1]} {name}"
    return Counter(f"rapl {whole}", scope, partial(number, file), PER_JOULE, number(most))
