"""What latencies of a study are reckoned for: rates of links, and what else is assumed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nnrd import tasks
from nnrd.core import links
from nnrd.study.kinds.base import Context


@dataclass(frozen=True)
class Latency:
    """Rates in bit/s by name, seconds there and back, the device's slow-down, the loss allowed.

    ``metric`` is the one that the loss is of; None: the task's own choice.
    """

    rates: Mapping[str, float]
    round_trip: float
    device_slowdown: float
    max_loss: float
    metric: str | None = None

    def options(self) -> list[str]:
        """Return it as options of tabulate_latency."""
        words = ["--rates", *(f"{name}={rate!r}" for name, rate in self.rates.items())]
        words += ["--round-trip", repr(self.round_trip)]
        words += ["--device-slowdown", repr(self.device_slowdown)]
        words += ["--max-loss", repr(self.max_loss)]
        return words + (["--metric", self.metric] if self.metric else [])


def latency(context: Context, key: str, given: Mapping[str, Any], task: str) -> Latency:
    """Return what a study gives, checked; ``given`` fits the schema and has its defaults."""
    rates: dict[str, float] = {}
    for where, name, text in _rates(given["rates"]):
        rate = context.tried(f"{key}.{where}", links.rate, text)
        if (name or links.shown(rate)) in rates:
            context.fail(f"{key}.{where}", f"{text} is given twice")
        rates[name or links.shown(rate)] = rate
    round_trip = context.tried(f"{key}.round_trip", links.duration, given["round_trip"])
    for name in ("device_slowdown", "max_loss"):
        if not math.isfinite(given[name]):
            context.fail(f"{key}.{name}", f"{given[name]} is no number to reckon with")
    slowdown, loss = float(given["device_slowdown"]), float(given["max_loss"])
    metric = given.get("metric")
    if metric is not None:
        context.tried(f"{key}.metric", tasks.REGISTRY.get(task)().named, metric)
    return Latency(rates, round_trip, slowdown, loss, metric)


def _rates(given: list[Any] | Mapping[str, Any]) -> Iterable[tuple[str, str, Any]]:
    """Yield where each rate stands, its name, empty where it has none, and what is written."""
    if isinstance(given, Mapping):
        return [(f"rates.{name}", name, text) for name, text in given.items()]
    return [(f"rates[{i}]", "", text) for i, text in enumerate(given)]
