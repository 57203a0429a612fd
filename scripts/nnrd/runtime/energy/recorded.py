"""What other tools wrote on devices where nnrd itself does not run: powertop, tegrastats, vcgencmd.

Each reader takes the text of a recording and returns watts over time (`Recording`). None of them
fills in what a tool does not tell: a reading that is missing stays missing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from nnrd.core.errors import UserError
from nnrd.runtime.energy.hwmon import INPUT

# As powertop (src/lib.cpp, fmt_prefix) writes numbers, down to a microwatt.
PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "k": 1e3}
DISCHARGE, BASELINE = "battery reports a discharge rate of", "system baseline power is estimated at"
CONSUMED = "consumed was"
# "VDD_IN 5336mW/4970mW", "POM_5V_IN 5336/4970": now / mean since tegrastats was started.
RAIL = re.compile(r"\b([A-Z][A-Z0-9_]*) (\d{1,20})(?:mW)?/(\d+)(?:mW)?(?=\s|$)")
NO_RAILS = {"RAM", "SWAP", "IRAM"}  # "RAM 2840/7620MB" has a unit, older ones may have none
STAMP = re.compile(r"(\d\d-\d\d-\d{4} \d\d:\d\d:\d\d) ")
NUMBER = r"(-?\d{1,20}(?:\.\d{1,20})?)"
# " VDD_CORE_A current(7)=1.23A", "VDD_CORE_V volt(15)=0.87V", "EXT5V_V volt(24)=5.09V"
ADC = re.compile(rf"^\s*(\w+)_([AV]) (?:current|volt)\(\d+\)={NUMBER}[AV]\s*$", re.MULTILINE)
VOLTS = re.compile(rf"^\s*volt={NUMBER}V\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Recording:
    """Power over time.

    ``seconds`` since the first reading; ``watts`` of the whole; ``rails``: watts of each supply
    rail, None where one was missing at a reading.
    """

    seconds: tuple[float, ...]
    watts: tuple[float, ...]
    rails: Mapping[str, tuple[float | None, ...]]

    @property
    def mean(self) -> float:
        """The mean of the readings in watts, as the lab's protocol takes it."""
        return fmean(self.watts)

    @property
    def joules(self) -> float | None:
        """The energy from the first reading to the last, by trapezoids; None of a single one."""
        if len(self.watts) < 2:
            return None
        steps = zip(self.seconds, self.seconds[1:], self.watts, self.watts[1:], strict=False)
        return sum((later - early) * (a + b) / 2 for early, later, a, b in steps)


@dataclass(frozen=True)
class Powertop:
    """What a report of powertop says of the whole machine; None where it does not.

    ``watts``: the rate at which the battery was discharged, a measurement; ``joules``: what was
    taken from it. ``estimated_watts``: powertop's own estimate of the baseline, no measurement.
    """

    watts: float | None
    joules: float | None
    estimated_watts: float | None


def powertop(text: str) -> Powertop:
    """Read what ``powertop --csv=FILE`` wrote.

    Lines of its section "Device Power Report" (powertop, src/devices/device.cpp), whose numbers
    have SI prefixes and two blanks where they have none. Without a battery, and without RAPL,
    powertop writes none of them. Raises UserError where the text is no report of powertop's.
    """
    if "PowerTOP" not in text and "Device Power Report" not in text:
        raise UserError("powertop: not a report of `powertop --csv`")
    return Powertop(
        _labelled(text, DISCHARGE, "W"),
        _labelled(text, CONSUMED, "J"),
        _labelled(text, BASELINE, "W"),
    )


def _labelled(text: str, label: str, unit: str) -> float | None:
    found = re.search(rf"{label} ?:[;\s]*{NUMBER}\s*([muµk]?)\s*{unit}\b", text)
    return float(found[1]) * PREFIXES[found[2]] if found else None


def tegrastats(text: str, interval: float = 1.0) -> Recording:
    """Read what ``tegrastats`` writes, a line a reading, on a Jetson.

    A rail is ``NAME now/mean`` in milliwatts, with ``mW`` from JetPack 5 on (NVIDIA, Jetson Linux
    Developer Guide, "Tegrastats Utility"); the mean, since tegrastats was started, is not used. The
    whole is the input rail (``VDD_IN``, ``POM_5V_IN``) where there is one, else the sum of all.
    Seconds are those of the lines where these begin with date and time, else ``interval`` apart
    (``--interval``, in seconds here). A line without a rail, or without one that the whole needs,
    is a missing reading: it is left out, and its time passes. Raises UserError without a reading.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_rails(line) for line in lines]
    names = list(dict.fromkeys(name for rails in found for name in rails))
    inputs = [name for name in names if INPUT.fullmatch(name)][:1] or names
    kept = [place for place, rails in enumerate(found) if rails and rails.keys() >= set(inputs)]
    if not kept:
        raise UserError("tegrastats: no line has a power rail, such as `VDD_IN 5336mW/4970mW`")
    times = _times([lines[place] for place in kept], [place * interval for place in kept])
    return Recording(
        tuple(times),
        tuple(sum(found[place][name] for name in inputs) for place in kept),
        {name: tuple(found[place].get(name) for place in kept) for name in names},
    )


def _rails(line: str) -> dict[str, float]:
    """Return the watts of the rails of a line."""
    return {name: int(now) / 1000 for name, now, _ in RAIL.findall(line) if name not in NO_RAILS}


def _times(lines: Sequence[str], otherwise: Sequence[float]) -> list[float]:
    """Return the seconds of lines since the first of them."""
    try:
        stamps = [STAMP.match(line) for line in lines]
        read = [datetime.strptime(stamp[1], "%m-%d-%Y %H:%M:%S") for stamp in stamps if stamp]
    except ValueError:  # looks like a date and is none
        read = []
    if len(read) == len(lines):
        return [(moment - read[0]).total_seconds() for moment in read]
    return [moment - otherwise[0] for moment in otherwise]


def pmic(text: str, interval: float = 1.0) -> Recording:
    """Read what ``vcgencmd pmic_read_adc`` writes on a Raspberry Pi 5, once or many times.

    A rail has a line with its current in A and one with its voltage in V (Raspberry Pi
    documentation, "vcgencmd"); watts are their product, and the whole is the sum of the rails that
    have both. What is drawn from the 5 V input itself (``EXT5V`` has no current), such as by USB
    devices, is not in it. Where the output was recorded again and again, readings are ``interval``
    seconds apart; one that lacks a rail that others have is a missing reading, as in `tegrastats`.
    Raises UserError without a rail.
    """
    found = [_products(reading) for reading in _readings(text)]
    names = list(dict.fromkeys(name for watts in found for name in watts))
    kept = [place for place, watts in enumerate(found) if watts and len(watts) == len(names)]
    if not kept:
        raise UserError("vcgencmd: no rail has current and voltage in `pmic_read_adc`'s output")
    return Recording(
        tuple((place - kept[0]) * interval for place in kept),
        tuple(sum(found[place].values()) for place in kept),
        {name: tuple(found[place][name] for place in kept) for name in names},
    )


def _readings(text: str) -> Iterator[dict[tuple[str, str], float]]:
    """Yield what each reading says; where a rail comes again the next one has begun."""
    found: dict[tuple[str, str], float] = {}
    for name, kind, value in ADC.findall(text):
        if (name, kind) in found:
            yield found
            found = {}
        found[name, kind] = float(value)
    yield found


def _products(found: Mapping[tuple[str, str], float]) -> dict[str, float]:
    return {
        name: found[name, "A"] * found[name, "V"]
        for name, kind in found
        if kind == "A" and (name, "V") in found
    }


def volts(text: str) -> list[float]:
    """Read what ``vcgencmd measure_volts`` writes: the core's voltage in V, a line a reading.

    It tells no current, so that no power follows from it: a Raspberry Pi before the 5 has no
    counter. Raises UserError without a reading.
    """
    found = [float(value) for value in VOLTS.findall(text)]
    if not found:
        raise UserError("vcgencmd: no line is `volt=…V`, as `measure_volts` writes it")
    return found
