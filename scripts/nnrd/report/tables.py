"""The table of points: one row for each point and each anchor."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from nnrd.tasks import REGISTRY as TASKS

# 3GPP TR 26.847, Table 2.1.2.2.3-1, with what tells points apart in front.
# Sizes in bytes, times in seconds (wall), totals over the items.
COLUMNS = (
    *("study", "task", "model", "dataset", "split", "split_name", "branches"),
    *("codec", "parameters", "anc_size", "rec_size", "compress_ratio"),
    *("metric_name", "anc_perf", "rec_perf"),
    *("enc_time", "dec_time", "anc_eval_time", "rec_eval_time"),
)
ITEM_COLUMNS = ("study", "model", "dataset", "split", "codec", "parameters", "item")
INTEGERS = ("split", "branches", "anc_size", "rec_size", "items", "threads")


def points(study: str, records: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return the table of a study's records, as `score_point` writes them; see COLUMNS."""
    return _frame([{"study": study, **record["point"]} for record in records], COLUMNS)


def item_table(study: str, records: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """Return the table of items: a row for each item of each point."""
    rows = [
        {"study": study, **{key: record["point"].get(key) for key in ITEM_COLUMNS[1:-1]}, **row}
        for record in records
        for row in record["items"]
    ]
    return _frame(rows, ITEM_COLUMNS)


def _frame(rows: list[dict], columns: Sequence[str]) -> pandas.DataFrame:
    frame = pandas.DataFrame(rows)
    extra = [column for column in frame.columns if column not in columns]
    frame = frame.reindex(columns=[*columns, *extra])
    frame["parameters"] = [json.dumps(value, separators=(",", ":")) for value in frame.parameters]
    counts = [column for column in _integers() if column in frame]
    return frame.astype({column: "Int64" for column in counts})


def _integers() -> set[str]:
    """Return the columns of whole numbers: ours, and those that tasks declare."""
    tasks = (TASKS.get(name) for name in TASKS.names())
    return {*INTEGERS, *(column for task in tasks for column in task.count_columns)}
