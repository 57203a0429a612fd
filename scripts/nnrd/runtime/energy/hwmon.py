"""Power and energy as the kernel's hardware monitoring shows them: boards, INA rails, Jetsons.

Files under /sys/class/hwmon/hwmonN (Linux, Documentation/hwmon/sysfs-interface.rst):
``energyM_input`` in µJ, ``powerM_input`` or ``powerM_average`` in µW, ``inM_input`` in mV,
``currM_input`` in mA. An INA3221, the chip of Jetson modules, tells voltage and current of its
channels 1 to 3 (Documentation/hwmon/ina3221.rst); older Jetson kernels tell mW under
/sys/bus/i2c/drivers/ina3221x.

zeus knows Jetsons too, but only rails with ``cpu``, ``gpu`` or ``_in`` in their names, the last of
each, on a machine that it takes for one; all other boards it does not read.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nnrd.runtime.energy.counters import (
    BOARD,
    CPU,
    GPU,
    PART,
    RAIL,
    ROOT,
    Counter,
    Found,
    number,
    shown,
    text,
    why,
)

FOLDER, OLD = Path("sys/class/hwmon"), Path("sys/bus/i2c/drivers/ina3221x")
MICRO, MILLI = 1_000_000, 1000
INA3221_CHANNELS = {"1", "2", "3"}  # in4…in7 are shunt voltages, curr4 is a sum
UNUSED = "NC"  # not connected
# Rails that feed all others, by the names NVIDIA gives them ("VDD_IN", "POM_5V_IN").
INPUT = re.compile(r"(VDD|POM_5V|SYS|V)_?IN", re.IGNORECASE)
# Of a GPU on a card ACPI's and RAPL's counters know nothing; amdgpu tells of integrated ones as
# well, which are in RAPL's package, and does not say which it is.
CHIPS = {"power_meter": BOARD, "nouveau": GPU, "xe": GPU, "i915": GPU}


def find(root: Path = ROOT) -> Found:
    """Return the channels that can be read, and the reasons why others cannot."""
    folder, old = root / FOLDER, root / OLD
    if not folder.is_dir() and not old.is_dir():
        return [], [f"{shown(folder, root)}: not there"]
    found, reasons = [], []
    for counter, file in [*_all(folder), *_old(old)]:
        try:
            counter.read()
        except (OSError, ValueError) as error:
            reasons.append(f"{shown(file, root)}: {why(error)}")
        else:
            found.append(counter)
    if not found and not reasons:
        reasons.append(f"{shown(folder, root)}: no chip tells energy or power")
    return found, reasons


def _all(folder: Path) -> Iterator[tuple[Counter, Path]]:
    """Yield the channels of all chips; of each channel energy, else power, else V · A."""
    for chip in sorted(folder.glob("hwmon*")):
        kind = text(chip / "name")
        seen: set[str] = set()
        for make in (_energy, _power, _product):
            for channel, counter, file in make(chip, kind):
                if channel not in seen and UNUSED not in counter.name.split():
                    seen.add(channel)
                    yield counter, file


Channels = Iterator[tuple[str, Counter, Path]]


def _energy(chip: Path, kind: str) -> Channels:
    for file in sorted(chip.glob("energy*_input")):
        channel = _channel(file)
        label = text(chip / f"energy{channel}_label")
        name, scope = _name(chip, kind, label, channel), _scope(kind, label)
        yield channel, Counter(name, scope, partial(number, file), MICRO), file


def _power(chip: Path, kind: str) -> Channels:
    for file in [*sorted(chip.glob("power*_input")), *sorted(chip.glob("power*_average"))]:
        channel = _channel(file)
        label = text(chip / f"power{channel}_label") or text(chip / f"in{channel}_label")
        name, scope = _name(chip, kind, label, channel), _scope(kind, label)
        yield channel, Counter(name, scope, partial(number, file), MICRO, power=True), file


def _product(chip: Path, kind: str) -> Channels:
    """Yield the channels of an INA chip by voltage and current: mV · mA = µW."""
    if not kind.startswith("ina"):
        return
    for file in sorted(chip.glob("curr*_input")):
        channel = _channel(file)
        volts = chip / f"in{channel}_input"
        if channel not in INA3221_CHANNELS or not volts.exists():
            continue
        label = text(chip / f"in{channel}_label")
        name, scope = _name(chip, kind, label, channel), _scope(kind, label)
        yield channel, Counter(name, scope, _watts(volts, file), MICRO, power=True), file


def _old(folder: Path) -> Iterator[tuple[Counter, Path]]:
    """Yield the rails of older Jetson kernels, in mW."""
    for file in sorted(folder.glob("*/iio*/in_power*_input")):
        channel = _channel(file)
        label = text(file.parent / f"rail_name_{channel}")
        if label != UNUSED:
            name = f"ina3221x {label or file.parent.parent.name + ' ' + channel}"
            read = partial(number, file)
            yield Counter(name, _scope("ina3221x", label), read, MILLI, power=True), file


def _watts(volts: Path, amperes: Path) -> Callable[[], int]:
    return lambda: number(volts) * number(amperes)


def _channel(file: Path) -> str:
    return re.sub(r"\D", "", file.name)


def _name(chip: Path, kind: str, label: str, channel: str) -> str:
    """Return a name that no other channel has: labels of two chips may be the same."""
    return f"{chip.name} {kind} {label or channel}".replace("  ", " ")


def _scope(kind: str, label: str) -> str:
    """Return what a channel is of; of a chip that is not known it is told, but not added up."""
    if kind in CHIPS:
        return CHIPS[kind]
    if kind.startswith("ina"):
        return BOARD if INPUT.fullmatch(label) else RAIL
    if kind in ("amd_energy", "zenergy") and label.startswith("Esocket"):
        return CPU
    return PART
