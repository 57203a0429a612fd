"""The energy of an inference: by counting joules, and by the protocol of watts times latency.

The second is how it was done on small devices: run a model for a minute, read the power once a
second, take the mean, and multiply it with the latency measured before. The same loop serves both,
so that they can be compared.
"""

import time
from collections.abc import Callable
from typing import Any

from nnrd.core.errors import UserError
from nnrd.runtime.energy.meter import Energy, Meter

SECONDS, IDLE_SECONDS = 60.0, 10.0


def power(
    run: Callable[[], object],
    meter: Meter,
    latency: float,
    seconds: float = SECONDS,
    idle: Energy | None = None,
    progress: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Run something again and again for so many seconds and return its energy, as a JSON object.

    Of one run: ``joules``, those counted divided by the runs; ``joules_above_idle``, what is left
    after the idle power for as long; ``lab_joules``, ``watts`` · ``latency`` (in seconds). Besides
    ``status``, ``reasons`` and ``counters`` (`Energy`), ``watts`` (mean of one reading a second),
    ``idle_watts``, and ``seconds`` and ``inferences`` of the loop. Without a counter that is added
    up nothing is run, and all numbers are None. ``progress`` is called after each run. Raises
    UserError for no time.
    """
    if not seconds > 0 or not latency > 0:
        raise UserError(f"a loop of {seconds} s, a latency of {latency} s: give more than 0 s")
    runs, window = 0, meter.window()
    with window:
        end = time.monotonic() + seconds if meter.counted else 0.0
        while time.monotonic() < end:
            run()
            runs += 1
            if progress:
                progress()
    return summed(window.energy, runs, latency, idle)


def summed(energy: Energy, runs: int, latency: float, idle: Energy | None) -> dict[str, Any]:
    """Return the energy of one of the ``runs`` of a window, as `power` says."""
    resting = idle.watts if idle else None
    joules = None if energy.joules is None or not runs else energy.joules / runs
    above = None
    if joules is not None and resting is not None:
        above = joules - resting * energy.seconds / runs
    return energy.as_dict() | {
        "joules": joules,
        "joules_above_idle": above,
        "lab_joules": None if energy.watts is None else energy.watts * latency,
        "idle_watts": resting,
        "inferences": runs,
    }


def estimated(cpu_seconds: float, tdp_watts: float, cores: int) -> float:
    """Return joules estimated from the processor's nominal power: watts · CPU seconds / cores.

    No measurement: a processor may take a fraction of its thermal design power, or more, and memory
    and board are not in it. For a field of its own, ``estimated_joules``, where a user asks for it.
    ``cores``: the logical ones of the processor.
    """
    if not tdp_watts > 0 or cores < 1:
        raise UserError(f"an estimate from {tdp_watts} W and {cores} cores: give more than 0")
    return tdp_watts * cpu_seconds / cores
