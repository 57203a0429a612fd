"""A study's latencies as an answer: what is the fastest within a loss, and where splitting pays."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from nnrd.analysis.advice import Choice, Rates, choose
from nnrd.analysis.latency import BYTES, DEVICE, ENDS, NETWORK, TOTAL, WHERE, Circumstances
from nnrd.analysis.loss import BY_MEAN, SURE
from nnrd.core.links import shown
from nnrd.report.labels import operating_point, place
from nnrd.tasks import Metric

HEAD = ("", "ms an item", "95 % interval", "bytes an item")


def lines(
    table: pd.DataFrame, metric: Metric, given: Circumstances, max_loss: float
) -> Iterator[str]:
    """Yield the lines of an answer about one study.

    ``table``: judged latencies, of which the first rate is asked for.
    """
    table = table[table["rate_name"] == table["rate_name"].iloc[0]]
    sure, mean = choose(table, (SURE,)), choose(table, (SURE, BY_MEAN))
    yield from _head(table, metric, given, max_loss)
    yield ""
    yield from _columns([[*HEAD, f"{metric.name} lost", ""], *_rows(table, sure, mean)])
    yield ""
    yield f"* Fastest that is sure to be within the loss: {_named(sure.fastest)}."
    if not _same(sure.fastest, mean.fastest):
        yield f"+ Fastest by the mean loss, of which nobody can be sure: {_named(mean.fastest)}."
    yield from _paying(sure, mean, int(table["items"].max()))
    if "isolated" in table and not table["isolated"].astype(str).eq("True").all():
        yield "Times were taken while other jobs ran; --config isolated=true measures them alone."


def _head(
    table: pd.DataFrame, metric: Metric, given: Circumstances, max_loss: float
) -> Iterator[str]:
    first = table.iloc[0]
    yield (
        f"{first['study']}: {first['model']} on {table['items'].max():.0f} items of "
        f"{first['dataset']}, at {shown(first['rate'])}, round trip {1e3 * given.round_trip:g} ms"
    )
    slow = f", the device {given.device_slowdown:g} times as slow" * (given.device_slowdown != 1)
    points = f"{max_loss:g} point{'s' * (max_loss != 1)}"
    yield f"loss allowed: {points} of {metric.name} ({metric.unit}){slow}"


def _rows(table: pd.DataFrame, sure: Choice, mean: Choice) -> Iterator[list[str]]:
    """Yield the rows worth showing: both anchors, the best splits, and what is fastest."""
    device = table[table[WHERE] == DEVICE]
    network = table[(table[WHERE] == NETWORK) & table[["loss", TOTAL]].notna().all(axis=1)]
    least = network.loc[[network["loss"].abs().idxmin()]] if len(network) else network
    found = [device.iloc[0], *(row for _, row in least.iterrows())]
    found += [
        row for row in (sure.network, mean.network, sure.split, mean.split) if row is not None
    ]
    for i, row in enumerate(found):
        if not any(_same(row, other) for other in found[:i]):
            yield _row(row, [sure, mean])


def _row(row: pd.Series, choices: Sequence[Choice]) -> list[str]:
    ends = [row.get(name, math.nan) for name in ENDS]
    interval = f"{ends[0]:.1f} to {ends[1]:.1f}" if not any(map(math.isnan, ends)) else ""
    loss = f"{row['loss']:.3g}"
    if row["loss"] != row["loss_high"] and not math.isnan(row["loss_high"]):
        loss += f" (at most {row['loss_high']:.3g})"
    mark = next((m for c, m in zip(choices, "*+", strict=True) if _same(c.fastest, row)), "")
    total = "not measured" if math.isnan(row[TOTAL]) else f"{row[TOTAL]:.1f}"
    return [way(row), total, interval, f"{row[BYTES]:,.0f}", loss, mark]


def way(row: pd.Series) -> str:
    """Return what becomes of an item: all on the device, sent as a file, or split."""
    if row[WHERE] == DEVICE:
        return "all on the device"
    point = operating_point(row["codec"], row["parameters"])
    return f"item sent, {point}" if row[WHERE] == NETWORK else f"split {place(row)}, {point}"


def _named(row: pd.Series | None) -> str:
    return "none" if row is None else f"{way(row)} ({row[TOTAL]:.1f} ms)"


def _same(one: pd.Series | None, other: pd.Series | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(one[WHERE] == other[WHERE] and way(one) == way(other))


def _paying(sure: Choice, mean: Choice, items: int) -> Iterator[str]:
    if sure.split is None:
        why = f": {items} items are too few to tell" if mean.split is not None else ""
        yield f"No split is sure to be within the loss{why}."
    else:
        yield f"Splitting pays {_ranges(sure.pays)}, of what is sure to be within the loss."
    if mean.pays != sure.pays:
        yield f"By the mean loss it pays {_ranges(mean.pays)}."


def _ranges(found: Sequence[Rates]) -> str:
    """Return ranges of rates as words, the lowest first."""
    return " and ".join(map(_range, found)) if found else "at no rate"


def _range(rates: Rates) -> str:
    low, high = rates
    if low == 0 and math.isinf(high):
        return "at any rate"
    if math.isinf(high):
        return f"from {shown(low)} on"
    return f"below {shown(high)}" if low == 0 else f"from {shown(low)} to {shown(high)}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of text with its columns below each other, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [word.rjust(width) for word, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
