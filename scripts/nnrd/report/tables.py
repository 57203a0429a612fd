"""The table of points: one row for each point and each anchor."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from nnrd.core.errors import UserError
from nnrd.core.lineage import verify_beside
from nnrd.report.records import ANCHOR_SIZES
from nnrd.tasks import REGISTRY as TASKS
from nnrd.tasks import Metric, Task

# 3GPP TR 26.847, Table 2.1.2.2.3-1, with what tells points apart in front.
# Sizes in bytes, times in seconds (wall), totals over the items.
COLUMNS = (
    *("study", "task", "model", "dataset", "split", "split_name", "branches"),
    *("codec", "parameters", "anc_size", "rec_size", "compress_ratio"),
    *("metric_name", "anc_perf", "rec_perf"),
    *("enc_time", "dec_time", "anc_eval_time", "rec_eval_time"),
)
ITEM_COLUMNS = ("study", "model", "dataset", "split", "codec", "parameters", "item")
ANCHOR = "anchor"
DIGITS = "%.6g"  # of what was measured; sizes and counts are whole numbers
INTEGERS = (
    *("split", "branches", "anc_size", "rec_size", "published_size", "items"),
    *("threads", "enc_threads", "dec_threads"),
)


def read(path: str | Path) -> pandas.DataFrame:
    """Return a table as CSV; UserError where it is none, is empty, or was altered."""
    verify_beside(path)
    try:
        return pandas.read_csv(path)
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path}: not a table: {reason}") from None


def task_of(points: pandas.DataFrame) -> Task:
    """Return the task of a study's points; UserError for one that is not known."""
    return TASKS.get(str(points["task"].iloc[0]))()


def metrics(points: pandas.DataFrame) -> dict[str, Metric]:
    """Return the columns worth a panel, and their metrics, as the task orders them.

    The last is the one that says best what compression did. One without any value, such as F1
    where nothing was sure, is left out.
    """
    first, *others = task_of(points).metrics
    known = {metric.name: metric for metric in others if metric.name in points}
    kept = {name: metric for name, metric in known.items() if points[name].notna().any()}
    return {"rec_perf": first} | kept


def points(study: str, records: Sequence[Mapping[str, Any]], uncompressed: str) -> pandas.DataFrame:
    """Return the table of a study's records, as `score_point` writes them; see COLUMNS.

    ``uncompressed``: what an anchor of the study sends, one of `ANCHOR_SIZES`.
    """
    rows = [_sized(record["point"], uncompressed) for record in records]
    return _frame(study, rows, COLUMNS, records)


def item_table(
    study: str, records: Sequence[Mapping[str, Any]], uncompressed: str
) -> pandas.DataFrame:
    """Return the table of items: a row for each item of each point."""
    rows = [
        _sized({key: record["point"].get(key) for key in ITEM_COLUMNS[1:-1]} | row, uncompressed)
        for record in records
        for row in record["items"]
    ]
    return _frame(study, rows, ITEM_COLUMNS, records)


def _sized(found: Mapping[str, Any], uncompressed: str) -> dict[str, Any]:
    """Return a row; an anchor's gets the sizes of what is sent without compression."""
    row = {name: value for name, value in found.items() if name not in ANCHOR_SIZES}
    size = found.get(uncompressed)
    if row["codec"] != ANCHOR or size is None:
        return row
    sizes = {"anc_size": size, "rec_size": size}
    return row | sizes | ({"compress_ratio": 1.0} if "compress_ratio" in row else {})


def _frame(
    study: str, rows: list[dict], columns: Sequence[str], records: Sequence[Mapping[str, Any]]
) -> pandas.DataFrame:
    frame = pandas.DataFrame(rows).assign(study=study)
    extra = [column for column in frame.columns if column not in columns]
    frame = frame.reindex(columns=[*columns, *extra])
    frame["parameters"] = [json.dumps(value, separators=(",", ":")) for value in frame.parameters]
    tasks = {record["point"]["task"] for record in records}
    counts = {
        *INTEGERS,
        *(column for name in tasks for column in TASKS.get(name).count_columns),
    }
    return frame.astype({column: "Int64" for column in counts & set(frame)})
