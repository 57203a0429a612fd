"""Records: all that was measured of one point, gathered from the files of its steps."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnrd.errors import UserError

STEPS = ("source", "encoded", "inferred")


def merge(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the files that a step wrote for each shard: rows together, the rest must be equal.

    A file is a mapping with a list ``rows`` and settings such as ``threads``. Raises UserError
    where shards were made under other settings.
    """
    joined: dict[str, Any] = {"rows": []}
    for part in parts:
        joined["rows"] += part["rows"]
        for key in part.keys() - {"rows"}:
            if joined.setdefault(key, part[key]) != part[key]:
                raise UserError(f"shards of one point differ in {key}: {joined[key]}, {part[key]}")
    return joined


def total(step: Mapping[str, Any] | None, column: str) -> Any:
    """Return the sum of a column over a step's items; None where the step has no such column.

    What several shards did again for the same item, such as decoding a model's weights, counts
    once, by its mean.
    """
    values: dict[str, list] = {}
    for row in step["rows"] if step else []:
        if column in row:
            values.setdefault(row["item"], []).append(row[column])
    means = [v[0] if len(v) == 1 else sum(v) / len(v) for v in values.values()]
    return sum(means) if means else None


def measured(steps: Mapping[str, dict | None]) -> dict:
    """Return a point's measured columns from its steps' joined files.

    ``steps``: ``source``, ``encoded``, ``inferred``; None where an anchor has none.
    """
    encoded, inferred = steps["encoded"], steps["inferred"]
    anc_size, rec_size = total(encoded, "anc_size"), total(encoded, "rec_size")
    return {
        "anc_size": anc_size,
        "rec_size": rec_size,
        "compress_ratio": rec_size / anc_size if anc_size else None,
        "enc_time": total(encoded, "enc_time"),
        "dec_time": total(inferred, "dec_time"),
        "rec_eval_time": total(inferred, "eval_time"),
        "part1_time": total(steps["source"], "part1_time"),
        "items": sum("eval_time" in row for row in inferred["rows"]),
        **{key: inferred[key] for key in ("threads", "isolated", "provider")},
    }


def items(scores: Sequence[dict], steps: Mapping[str, dict | None]) -> list[dict]:
    """Return a row an item: what every step measured on it alone, and its scores."""
    rows = {row["item"]: {} for row in scores}
    measured_rows = [steps[name]["rows"] for name in STEPS if steps[name]]
    for row in itertools.chain(*measured_rows, scores):
        if row["item"] in rows:
            rows[row["item"]] |= row
    return list(rows.values())
