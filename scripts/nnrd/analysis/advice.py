"""Which split and codec is fastest within a loss, and at which rates a split pays.

The latency of a point is a + 8 · bytes / rate: over 1 / rate a straight line. So the fastest point
of every rate is the lower envelope of the points' lines, and the rates at which two of them are
equally fast follow in closed form. Only points that were measured are compared; nothing is
interpolated between their operating points.
"""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from nnrd.analysis.latency import BYTES, DEVICE, NETWORK, SPLIT, TOTAL, WHERE
from nnrd.analysis.loss import BY_MEAN, SURE, WITHIN, verdict
from nnrd.core.errors import UserError
from nnrd.core.links import latency_ms
from nnrd.tasks import Metric

LEVELS = {"": (SURE,), "by_mean_": (SURE, BY_MEAN)}
Rates = tuple[float, float]  # bit/s, from and to; 0 and inf where there is no end


class Piece(NamedTuple):
    """A point, by its place, and the rates at which it is the fastest, bit/s."""

    place: int
    lowest: float
    highest: float


class Choice(NamedTuple):
    """Of the points of a study that are allowed, at one rate, the fastest of each way; or None.

    ``pays``: the ranges of rates at which the fastest is a split, whatever the rate asked for.
    """

    split: pd.Series | None
    device: pd.Series | None
    network: pd.Series | None
    pays: list[Rates]

    @property
    def fastest(self) -> pd.Series | None:
        """The fastest of all."""
        found = [row for row in (self.device, self.network, self.split) if row is not None]
        return min(found, key=lambda row: float(row[TOTAL]), default=None)


def judged(table: pd.DataFrame, metric: Metric, max_loss: float) -> pd.DataFrame:
    """Return latencies of one study with what each point loses against the anchor, and a verdict.

    ``table``: as `nnrd.analysis.latency.latencies` makes it, with the columns of ``metric`` kept,
    and ``lossless`` where that is known. ``max_loss`` is in the metric's unit. Columns:
    ``loss_metric``; ``max_loss``; ``loss``, positive where a point is worse; ``loss_high``, the
    worse end of its 95 % interval; ``within_loss``: ``sure`` where that end is within ``max_loss``
    (of the anchor, and of a lossless codec that changed nothing, the loss is 0 whatever the number
    of items), ``by_mean`` where only the loss is, ``no``. Without an interval nothing else is sure.
    Raises UserError where there is no anchor or no such column.
    """
    if not 0 <= max_loss < math.inf:
        raise UserError(f"largest loss: {max_loss:g} is below 0 or without end")
    anchors = table[table[WHERE] == DEVICE]
    if anchors.empty:
        raise UserError("no row of the anchor: there is nothing to hold the points against")
    base = float(_value(anchors, metric).iloc[0])
    sign = 1.0 if metric.higher_is_better else -1.0
    loss = sign * (base - _value(table, metric))
    name, start = (metric.name, base) if metric.to_anchor else (f"{metric.name}_difference", 0.0)
    worse = table.get(f"{name}_{'low' if metric.higher_is_better else 'high'}")
    high = pd.Series(np.nan, table.index) if worse is None else sign * (start - worse.astype(float))
    exact = (table[WHERE] == DEVICE) | (_lossless(table) & (loss == 0))
    loss, high = loss.mask(table[WHERE] == DEVICE, 0.0), high.mask(exact, 0.0)
    within = [verdict(*pair, max_loss) for pair in zip(loss, high, strict=True)]
    said = {"loss_metric": metric.name, "max_loss": float(max_loss)}
    return table.assign(**said, loss=loss, loss_high=high, **{WITHIN: within})


def _value(table: pd.DataFrame, metric: Metric) -> pd.Series:
    """Return a metric's column; the one that models are compared by stands in ``rec_perf``."""
    is_main = "metric_name" in table and (table["metric_name"] == metric.name).all()
    column = "rec_perf" if is_main else metric.name
    if column not in table:
        raise UserError(f"no column {column}: there are no numbers of the metric {metric.name}")
    return table[column].astype(float)


def _lossless(table: pd.DataFrame) -> pd.Series:
    if "lossless" not in table:
        return pd.Series(False, table.index)
    return table["lossless"].astype(str).str.lower() == "true"


def fastest_of(fixed: Sequence[float], sizes: Sequence[float]) -> list[Piece]:
    """Return which of some points is the fastest at which rate, from the highest rate down.

    ``fixed``: what they take besides the sending of data, ms; ``sizes``: what they send, bytes.
    Of two that are always equally fast the first is taken. Points with nan or inf never are.
    """
    pairs = enumerate(zip(fixed, sizes, strict=True))
    lines = [(a, b, i) for i, (a, b) in pairs if math.isfinite(a) and math.isfinite(b)]
    if not lines:
        return []
    now, rate = min(lines), math.inf
    found: list[Piece] = []
    while True:
        # Where a line with fewer bytes crosses: a + 8e3 b / r = a' + 8e3 b' / r.
        less = [line for line in lines if line[1] < now[1]]
        crossings = [(_crossing(now, line), -line[1], line) for line in less]
        if not crossings:
            return [*found, Piece(now[2], 0.0, rate)]
        lowest, _, after = max(crossings, key=lambda crossing: crossing[:2])
        if lowest < rate:
            found.append(Piece(now[2], lowest, rate))
        now, rate = after, min(rate, lowest)


def _crossing(slow: tuple[float, float, int], lean: tuple[float, float, int]) -> float:
    """Return the rate below which the one that sends less is faster, bit/s."""
    apart = lean[0] - slow[0]
    return math.inf if apart <= 0 else float(latency_ms(slow[1] - lean[1], apart))


def choose(table: pd.DataFrame, verdicts: Collection[str]) -> Choice:
    """Return the fastest points of one study at one rate, of those with one of some verdicts.

    ``table``: as `judged` returns it, the rows of one rate.
    """
    allowed = table[table[WITHIN].isin(verdicts) & table[TOTAL].notna()].reset_index(drop=True)
    pieces = _pieces(allowed)
    split, device, network = (
        _first(allowed[allowed[WHERE] == where]) for where in (SPLIT, DEVICE, NETWORK)
    )
    pays = joined([piece for piece in pieces if allowed[WHERE][piece.place] == SPLIT])
    return Choice(split, device, network, pays)


def _first(rows: pd.DataFrame) -> pd.Series | None:
    return None if rows.empty else rows.loc[rows[TOTAL].idxmin()]


def _pieces(table: pd.DataFrame) -> list[Piece]:
    fixed = table[TOTAL] - latency_ms(table[BYTES], 1.0) / table["rate"]
    return fastest_of(fixed.tolist(), table[BYTES].tolist())


def joined(pieces: Sequence[Piece]) -> list[Rates]:
    """Return the ranges of rates of some pieces, from the lowest up, neighbours as one."""
    found: list[Rates] = []
    for _, lowest, highest in sorted(pieces, key=lambda piece: piece.lowest):
        if found and found[-1][1] == lowest:
            found[-1] = (found[-1][0], highest)
        else:
            found.append((lowest, highest))
    return found


def with_ranges(table: pd.DataFrame) -> pd.DataFrame:
    """Return judged latencies of one study with the rates at which a point is the fastest.

    Columns, in bit/s, empty where it never is: ``fastest_from`` and ``fastest_to`` among the points
    that are sure to be within the loss, ``by_mean_fastest_from`` and ``by_mean_fastest_to`` among
    those that are by their mean. 0 and inf stand for "at any lower" and "at any higher rate".
    """
    ways = table.groupby("rate_name", sort=False).cumcount()  # which point a row is of
    for prefix, verdicts in LEVELS.items():
        names = [f"{prefix}fastest_from", f"{prefix}fastest_to"]
        ends = pd.DataFrame(np.nan, index=range(len(table)), columns=names)
        first = table[(table["rate_name"] == table["rate_name"].iloc[0])]
        allowed = first[first[WITHIN].isin(verdicts) & first[TOTAL].notna()]
        for place, lowest, highest in _pieces(allowed):
            way = ways.loc[allowed.index[place]]
            ends.loc[(ways == way).to_numpy()] = lowest, highest
        table = table.assign(**{name: ends[name].to_numpy() for name in names})
    return table
