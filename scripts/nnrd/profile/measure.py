"""All that is measured of one point: time, memory, energy, and what it ran on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nnrd.core.errors import UserError
from nnrd.profile import machine, memory
from nnrd.profile.sampling import TOTAL, Protocol, Samples, Step, sample
from nnrd.profile.statistics import summary
from nnrd.runtime.energy import lab
from nnrd.runtime.energy.meter import Meter


@dataclass(frozen=True)
class Power:
    """How energy is measured.

    ``seconds`` of the loop that is read once a second; ``idle_seconds`` of rest before it;
    ``tdp_watts``: the processor's nominal power for an estimate in a field of its own, None for
    none.
    """

    seconds: float = lab.SECONDS
    idle_seconds: float = lab.IDLE_SECONDS
    tdp_watts: float | None = None


def measure(
    steps: Sequence[Step],
    given: Any,
    protocol: Protocol,
    meter: Meter | None = None,
    power: Power | None = None,
    threads: int | None = None,
    input_seconds: float | None = None,
    what: str = "the model",
    progress: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Measure steps that follow each other and return the record of it, a JSON object.

    ``protocol``: repeats, samples and warm-up as they were. ``steps``: a list of one object a
    step, then ``total``: ``step``, its name, with `nnrd.profile.statistics.summary` (seconds).
    ``memory``: `nnrd.profile.memory.Peak` (bytes) over the samples. ``energy``:
    `nnrd.runtime.energy.lab.power` (joules of a sample, watts), and ``estimated_joules``.
    ``machine``: `nnrd.profile.machine.describe`, with ``queued``, the share in which threads waited
    for a core. ``warnings``: a list of lines.

    ``meter``: None for what this machine has. ``threads``: how many the steps were given.
    ``input_seconds``: length of the input, for the real-time factor. ``what`` names the model in
    messages; ``progress`` is called after each sample, and each run of energy's loop. Raises
    UserError where the steps do not fit in memory, and as `sample` and `summary`.
    """
    with memory.fits(what), memory.peak() as peak:
        samples = sample(steps, given, protocol, progress)
    rows, found = _rows(samples, input_seconds), machine.describe(threads)
    meter, power = meter or Meter.find(), power or Power()
    energy = _energy(steps, given, meter, power, rows[-1]["mean"], progress)
    warning = machine.busy(rows[-1]["lost"], samples.queued)
    return {
        "protocol": asdict(protocol),
        "steps": rows,
        "memory": asdict(peak),
        "energy": energy | {"estimated_joules": _estimated(rows[-1]["cpu"], power, found)},
        "machine": found | {"queued": samples.queued},
        "warnings": [f"{what}: {warning}"] if warning else [],
    }


def _rows(samples: Samples, input_seconds: float | None) -> list[dict[str, Any]]:
    return [
        {"step": name, "busy_threads": samples.busy[place]}
        | summary(
            samples.wall[..., place], samples.cpu[..., place], samples.busy[place], input_seconds
        )
        for place, name in enumerate(samples.names)
    ]


def _energy(
    steps: Sequence[Step],
    given: Any,
    meter: Meter,
    power: Power,
    latency: float,
    progress: Callable[[], object] | None,
) -> dict[str, Any]:
    """Return the energy of a sample, after a rest."""

    def run() -> None:
        value = given
        for step in steps:
            value = step.run(value)

    idle = meter.idle(power.idle_seconds)
    return lab.power(run, meter, latency, power.seconds, idle, progress)


def _estimated(cpu_seconds: float, power: Power, found: Mapping[str, Any]) -> float | None:
    """Return an estimate in joules where a nominal power was given, else None."""
    if power.tdp_watts is None:
        return None
    if not found["cores"]:
        raise UserError("tdp_watts: the number of cores is not known here; leave it out")
    return lab.estimated(cpu_seconds, power.tdp_watts, found["cores"])


__all__ = ["TOTAL", "Power", "Protocol", "Step", "measure"]
