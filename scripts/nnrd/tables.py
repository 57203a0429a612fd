"""The table of points: one row for each point and each anchor."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas

from nnrd.errors import UserError

# 3GPP TR 26.847, Table 2.1.2.2.3-1, with what tells points apart in front.
# Sizes in bytes, times in seconds (wall), totals over the items.
COLUMNS = (
    *("study", "task", "model", "dataset", "split", "split_name", "branches"),
    *("codec", "parameters", "anc_size", "rec_size", "compress_ratio"),
    *("metric_name", "anc_perf", "rec_perf"),
    *("enc_time", "dec_time", "anc_eval_time", "rec_eval_time"),
)
STEPS = ("source", "encoded", "inferred")
ITEM_COLUMNS = ("study", "model", "dataset", "split", "codec", "parameters", "item")
INTEGERS = ("split", "branches", "anc_size", "rec_size", "items", "threads", "detections")


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
    """Return the sum of a column of a step's rows; None where the step was not made."""
    rows = step["rows"] if step else []
    return sum(row[column] for row in rows) if rows and column in rows[0] else None


def measured(steps: Mapping[str, dict | None]) -> dict:
    """Return a point's measured columns from its steps' joined files.

    ``steps``: ``source``, ``encoded``, ``inferred``, ``anchor``; None where a point has none.
    """
    encoded, inferred = steps["encoded"], steps["inferred"]
    anc_size, rec_size = total(encoded, "anc_size"), total(encoded, "rec_size")
    return {
        "anc_size": anc_size,
        "rec_size": rec_size,
        "compress_ratio": rec_size / anc_size if anc_size else None,
        "enc_time": total(encoded, "enc_time"),
        "dec_time": total(inferred, "dec_time"),
        "anc_eval_time": total(steps["anchor"], "eval_time"),
        "rec_eval_time": total(inferred, "eval_time"),
        "part1_time": total(steps["source"], "part1_time"),
        "items": len(inferred["rows"]),
        **{key: inferred[key] for key in ("threads", "isolated", "provider")},
    }


def items(scores: Sequence[dict], steps: Mapping[str, dict | None]) -> list[dict]:
    """Return a row an item: what every step measured on it, and its scores."""
    rows = {row["item"]: {} for row in scores}
    measured_rows = [steps[name]["rows"] for name in STEPS if steps[name]]
    for row in itertools.chain(*measured_rows, scores):
        rows[row["item"]] |= row
    return list(rows.values())


def points(records: Iterable[tuple[str, Mapping]]) -> pandas.DataFrame:
    """Return the table of (study, record of `score_point`) pairs; see COLUMNS."""
    rows = [{"study": study, **record["point"]} for study, record in records]
    return _frame(rows, COLUMNS)


def item_table(records: Iterable[tuple[str, Mapping]]) -> pandas.DataFrame:
    """Return the table of items: a row for each item of each point."""
    rows = [
        {"study": study, **{key: record["point"].get(key) for key in ITEM_COLUMNS[1:-1]}, **row}
        for study, record in records
        for row in record["items"]
    ]
    return _frame(rows, ITEM_COLUMNS)


def _frame(rows: list[dict], columns: Sequence[str]) -> pandas.DataFrame:
    frame = pandas.DataFrame(rows)
    extra = [column for column in frame.columns if column not in columns]
    frame = frame.reindex(columns=[*columns, *extra])
    if "parameters" in frame:
        frame["parameters"] = [
            json.dumps(value, separators=(",", ":")) for value in frame.parameters
        ]
    return frame.astype({column: "Int64" for column in INTEGERS if column in frame})
