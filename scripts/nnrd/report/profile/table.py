"""The two tables of a profile study: a row a measurement, and a row a part of a model.

Columns end in their unit: ``_s`` seconds, ``_bytes``, ``_mhz``, ``_share`` from 0 to 1;
``joules`` are of one run (of the whole batch), ``watts`` of all that the counters see.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pandas

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.datasets import published
from nnrd.report import tables
from nnrd.tasks import REGISTRY as TASKS

ALL = "all"  # the row of the whole model
STEPS = ("forward", "decoding", "total")
# What is said of a step, and its column behind the step's name.
TIMES = {
    "mean": "mean_s",
    "mean_low": "mean_low_s",
    "mean_high": "mean_high_s",
    "p50": "p50_s",
    "p90": "p90_s",
    "p99": "p99_s",
    "minimum": "minimum_s",
    "std": "std_s",
    "cpu": "cpu_s",
    "lost": "lost_share",
}
ENERGY = (
    *("joules", "joules_above_idle", "lab_joules", "watts", "idle_watts", "estimated_joules"),
)
MACHINE = {
    "cpu": "cpu",
    "cores": "cores",
    "cores_used": "cores_used",
    "governor": "governor",
    "frequency_mhz": "frequency_mhz",
    "load": "load",
    "queued": "queued_share",
}
COUNTS = (
    *("threads", "size", "batch", "parameters", "macs", "weight_bytes", "peak_memory_bytes"),
    *("warm_up", "samples", "repeats", "cores", "cores_used", "shared", "bytes"),
    "published_parameters",
)
Row = dict[str, Any]


def profile_row(study: str, label: Mapping[str, Any], record: Mapping[str, Any]) -> Row:
    """Return the columns of a measurement; a point that was not measured has a reason, no numbers.

    ``label``: what tells the point from others; ``record``: as `nnrd.stages.profile_model` writes
    it.
    """
    options = json.dumps(label["options"], separators=(",", ":"), sort_keys=True)
    row: Row = {"study": study} | dict(label) | {"options": options}
    row |= {"input_seconds": row.pop("seconds"), "size_unit": row.pop("unit")}
    row |= {key: record.get(key) for key in ("status", "reason", "isolated", "macs")}
    steps = {step["step"]: step for step in record.get("steps", [])}
    for name in STEPS:
        found = steps.get(name, {})
        row |= {f"{name}_{column}": found.get(key) for key, column in TIMES.items()}
    row["real_time_factor"] = steps.get("total", {}).get("real_time_factor")
    row |= _memory(record) | _energy(record) | _circumstances(record)
    return row


def _memory(record: Mapping[str, Any]) -> Row:
    found = record.get("memory", {})
    names = {"bytes": "peak_memory_bytes", "gpu_bytes": "peak_gpu_bytes", "exact": "peak_exact"}
    return {column: found.get(key) for key, column in names.items()}


def _energy(record: Mapping[str, Any]) -> Row:
    found = record.get("energy", {})
    reasons = "; ".join(found.get("reasons") or []) or None
    status = found.get("status", record.get("status"))
    return {"energy_status": status, "energy_reason": reasons} | {
        name: found.get(name) for name in ENERGY
    }


def _circumstances(record: Mapping[str, Any]) -> Row:
    machine, warnings = record.get("machine", {}), record.get("warnings", [])
    row: Row = {column: machine.get(key) for key, column in MACHINE.items()}
    row |= {"busy": bool(warnings), "warnings": "; ".join(warnings) or None}
    return row | {k: record.get("protocol", {}).get(k) for k in ("warm_up", "samples", "repeats")}


def accuracy(record: Mapping[str, Any] | None) -> Row:
    """Return what a point's model scores on the study's dataset, with its 95 % interval."""
    names = ("metric", "accuracy", "accuracy_low", "accuracy_high", "items")
    if record is None:
        return dict.fromkeys(names)
    point = record["point"]
    name = point["metric_name"]
    ends = (point.get(f"{name}_{end}") for end in ("low", "high"))
    metric = TASKS.get(point["task"])().metric
    values = (metric.axis, point["rec_perf"], *ends, point.get("items"))
    found: Row = dict(zip(names, values, strict=True))
    return found | {"higher_is_better": metric.higher_is_better}


def parameter_rows(
    study: str, model: str, parts: Sequence[Mapping[str, Any]], asked: Sequence[str] | None
) -> list[Row]:
    """Return a row a part of a model: those ``asked`` for, or all, behind the whole.

    Raises UserError for a part that the model lacks.
    """
    known = {row["part"]: row for row in parts}
    for name in asked or ():
        if name not in known:
            raise UserError(f"model {model}: {unknown('part', name, list(known)[1:])}")
    names = [ALL, *asked] if asked else list(known)
    whole = known[ALL]["parameters"]
    return [
        {"study": study, "model": model}
        | dict(known[name])
        | {"share": known[name]["parameters"] / whole if whole else None}
        for name in names
    ]


def with_macs(rows: Iterable[Row]) -> list[Row]:
    """Return rows that have multiply-accumulates where another with the same network has them.

    A graph may have operators that are not counted, and what is computed is the same.
    """
    rows = list(rows)
    known = {_computed(row): row["macs"] for row in rows if row["macs"] is not None}
    return [row | {"macs": row["macs"] or known.get(_computed(row))} for row in rows]


def _computed(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("network", "size", "batch"))


def with_published(rows: list[Row], parts: list[Row], file: str | Path | None) -> None:
    """Add published numbers beside ours: to measurements by model and options, to parts by name.

    An option that the publication names has to be the point's; of others it says nothing.
    """
    given = published.read_profiles(file, {row["model"] for row in rows}) if file else []
    for part in parts:
        found = [
            r for r in given if (r["model"], r["part"] or ALL) == (part["model"], part["part"])
        ]
        counts = (row["parameters"] for row in found if row["parameters"] is not None)
        part["published_parameters"] = next(counts, None)
    for row in rows:
        found = [r for r in given if r["model"] == row["model"] and _has(row, r["options"])]
        for name in published.PROFILE_NUMBERS[1:]:
            values = (each[name] for each in found if each[name] is not None)
            row[f"published_{name}"] = next(values, None)


def _has(row: Row, options: str) -> bool:
    """Say whether a row has the options that a publication names: ``ctc_weight=0.3``."""
    own = {key: str(value) for key, value in json.loads(row["options"]).items()}
    pairs = [pair.partition("=") for pair in options.split(",") if pair]
    return all(key in own and _same(own[key], value) for key, _, value in pairs)


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def frame(rows: Sequence[Row]) -> pandas.DataFrame:
    """Return rows as a table, counts as whole numbers, an empty column left in."""
    found = pandas.DataFrame(rows)
    whole = {name: "Int64" for name in COUNTS if name in found}
    return found.astype(whole)


def write(found: pandas.DataFrame, path: Path | IO[str]) -> None:
    """Write a table as CSV: what was measured with six digits."""
    found.to_csv(path, index=False, float_format=tables.DIGITS)


def read(path: Path) -> pandas.DataFrame:
    """Return a table with ``shown``, what a legend calls the model of a row and its options."""
    found = tables.read(path)
    if "options" in found:
        found["shown"] = [f"{row.model}{_text(row.options)}" for row in found.itertuples()]
    return found


def _text(options: str) -> str:
    pairs = json.loads(options).items()
    words = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in pairs)
    return f", {words}" if words else ""
