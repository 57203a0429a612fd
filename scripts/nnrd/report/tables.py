"""The table of points: one row for each point and each anchor."""

import csv
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import pandas

from nnrd.analysis.loss import judged
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
Row = Mapping[str, Any]
ANCHOR = "anchor"
DIGITS = "%.6g"  # of what was measured; sizes and counts are whole numbers
INTEGERS = (
    *("split", "branches", "anc_size", "rec_size", "published_size", "items", "skipped"),
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


class Table:
    """A table as CSV that is written row by row, so that its length does not matter.

    All rows have to be seen first, for a column stands behind those of the rows before it.
    ``first``: the columns in front.
    """

    def __init__(self, first: Iterable[str]) -> None:
        self.columns = dict.fromkeys(first)

    def see(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take note of the columns of some rows."""
        for row in rows:
            if not row.keys() <= self.columns.keys():
                self.columns |= dict.fromkeys(row)

    def writer(self, file: IO[str], counts: Collection[str]) -> Callable[[Row], object]:
        """Write the header into a file, and return what writes a row, all of which were seen.

        Sizes and counts, the columns of ``counts``, have all their digits, what was measured six.
        """
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(self.columns)
        names = [(name, name in counts) for name in self.columns]
        return lambda row: lines.writerow([_text(row.get(name), whole) for name, whole in names])


def _text(value: Any, whole: bool) -> str:
    """Return a value as a table has it; nothing for what is not known."""
    if value is None or value != value:
        return ""
    if not isinstance(value, float):
        return str(value)
    return str(int(value)) if whole and value.is_integer() else DIGITS % value


def point_row(
    study: str, record: Mapping[str, Any], uncompressed: str, max_loss: float | None = None
) -> Row:
    """Return a row of the table of points, of a record as `score_point` writes it; see COLUMNS.

    ``uncompressed``: what an anchor of the study sends, one of `ANCHOR_SIZES`. ``max_loss``: what
    a point may lose against it, in the metric's unit; the row says whether it is within that.
    """
    point = record["point"]
    row = {"study": study} | point | _parameters(point)
    if max_loss is not None and point["codec"] != ANCHOR:
        row |= judged(point, TASKS.get(point["task"])().metric, max_loss)
    return _sized(row, uncompressed)


def item_rows(study: str, record: Mapping[str, Any], uncompressed: str) -> list[Row]:
    """Return the rows of the table of items: a row for each item of a point."""
    point = record["point"]
    of = {"study": study} | {key: point.get(key) for key in ITEM_COLUMNS[1:-1]}
    of |= _parameters(point)
    return [_sized(of | row, uncompressed) for row in record["items"]]


def counts(record: Mapping[str, Any]) -> set[str]:
    """Return the columns of a record's tables that are whole numbers."""
    return {*INTEGERS, *TASKS.get(record["point"]["task"]).count_columns}


def _parameters(point: Mapping[str, Any]) -> dict[str, str]:
    return {"parameters": json.dumps(point["parameters"], separators=(",", ":"))}


def _sized(found: Mapping[str, Any], uncompressed: str) -> Row:
    """Return a row; an anchor's gets the sizes of what is sent without compression."""
    row = {name: value for name, value in found.items() if name not in ANCHOR_SIZES}
    size = found.get(uncompressed)
    if row["codec"] != ANCHOR or size is None:
        return row
    sizes = {"anc_size": size, "rec_size": size}
    return row | sizes | ({"compress_ratio": 1.0} if "compress_ratio" in row else {})
