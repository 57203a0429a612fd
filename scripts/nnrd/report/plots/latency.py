"""What an item takes over the rate of the link, within a loss, and what that consists of."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.analysis.advice import LEVELS, Piece, joined
from nnrd.analysis.latency import BYTES, DEVICE, ENDS, NETWORK, PARTS, SPLIT, TOTAL, WHERE
from nnrd.analysis.loss import BEYOND, BY_MEAN, SURE, WITHIN
from nnrd.core.links import latency_ms, shown
from nnrd.report.plots import Plot, style

WAYS = {DEVICE: "all on the device", NETWORK: "the item itself sent"}
LOOKS: dict[str, Any] = {
    DEVICE: style.ANCHOR_LINE | {"linestyle": "-", "zorder": 2},
    NETWORK: {"color": style.FILE_LOOK["color"], "linewidth": 1.6},
}
STEPS = 300  # of a curve
MARGIN = 4.0  # the axis goes on from the last rate that matters, times this
PART_NAMES = {
    "device_ms": "device: part I",
    "encode_ms": "encoding",
    "send_ms": "sending",
    "decode_ms": "decoding",
    "network_ms": "network: part II",
}


class LatencyPlot(Plot):
    """Above, milliseconds over the rate of the link; below, what they consist of at some rates."""

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw the tables of latencies that `style.read_points` returns.

        A way is all on the device, the item sent as a file, or one of the splits; of each the
        fastest codec that is within the loss is drawn, at every rate.
        """
        table = _ways(pandas.concat([anchors, points]))
        rates = list(dict.fromkeys(table["rate_name"]))
        rows = table["way"].nunique()
        figure = pyplot.figure(figsize=(10.4, 5.2 + 0.42 * rows), layout="constrained")
        above, below = figure.subfigures(2, 1, height_ratios=[3.8, 1.0 + 0.42 * rows])
        _over_rates(above.subplots(), table)
        axes = below.subplots(1, len(rates), sharey=True, squeeze=False)[0]
        for axis, name in zip(axes, rates, strict=True):
            _bars(axis, table[table["rate_name"] == name], table["way"])
            axis.set_title(f"at {name}")
        handles, labels = axes[0].get_legend_handles_labels()
        handles.append(pyplot.Rectangle((0, 0), 1, 1, color="0.3", alpha=0.5))
        labels.append("pale: by the mean only, or more lost")
        below.legend(
            handles, labels, loc="outside lower center", ncols=len(PARTS) + 1, frameon=False
        )
        first = table.iloc[0]
        loss = f"{first['loss_metric']} at most {first['max_loss']:g} worse than the anchor's"
        figure.suptitle(f"{style.title(table)}: {loss}")
        return figure


def _ways(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the points with their ``way``, in the order of the device, the files, the splits."""
    table = table[table[TOTAL].notna()].reset_index(drop=True)
    is_split = table[WHERE] == SPLIT
    way = table[WHERE].map(WAYS)
    if is_split.any():
        way[is_split] = "split " + style.places(table[is_split]).str.partition(" (")[0]
    order = table[WHERE].map([DEVICE, NETWORK, SPLIT].index)
    return (
        table.assign(way=way, order=order)
        .sort_values(["order", "split"], kind="stable")
        .reset_index(drop=True)
    )


def _over_rates(axis: Axes, table: pandas.DataFrame) -> None:
    one = table[table["rate_name"] == table["rate_name"].iloc[0]]
    grid = np.geomspace(*_span(table), STEPS)
    lowest = _curves(axis, one, grid)
    axis.plot(grid, lowest, color="0.1", linewidth=7, alpha=0.15, zorder=0)
    for low, high in _pays(one):
        axis.axvspan(max(low, grid[0]), min(high, grid[-1]), color="0.93", zorder=-1)
    for rate in dict.fromkeys(table["rate"]):
        axis.axvline(rate, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    axis.set(xscale="log", yscale="log", xlim=(grid[0], grid[-1]), ylabel="one item (ms)")
    axis.set_ylim(0.7 * np.nanmin(lowest), 40 * np.nanmin(lowest))
    style.logarithmic(axis.yaxis)
    axis.xaxis.set_major_formatter(lambda rate, _: shown(rate))
    axis.set_xlabel("rate of the link")
    _legend(axis)


def _curves(axis: Axes, one: pandas.DataFrame, grid: np.ndarray) -> np.ndarray:
    """Draw a curve a way, dashed by the mean only; return the lowest of those that are sure."""
    splits = list(dict.fromkeys(one[one[WHERE] == SPLIT]["way"]))
    looks: dict[str, dict[str, Any]] = {
        way: {"color": color, "linewidth": 1.6}
        for way, color in zip(splits, style.colors(10) * len(splits), strict=False)
    }
    looks |= {name: LOOKS[where] for where, name in WAYS.items()}
    lowest = np.full(STEPS, np.inf)
    for way, group in one.groupby("way", sort=False):
        sure, mean = (_fastest(group[group[WITHIN].isin(level)], grid) for level in LEVELS.values())
        axis.plot(grid, mean, **(looks[way] | {"linestyle": "--"}))
        axis.plot(grid, sure, label=way, **(looks[way] | {"linestyle": "-"}))
        lowest = np.fmin(lowest, sure)
    return lowest


def _legend(axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    handles += [
        pyplot.Line2D([], [], color="0.1", linewidth=7, alpha=0.15),
        pyplot.Line2D([], [], color="0.3", linestyle="--"),
        pyplot.Rectangle((0, 0), 1, 1, color="0.93"),
    ]
    labels += ["the fastest, sure to be within the loss", "within it by the mean only"]
    labels += ["rates at which splitting pays"]
    axis.legend(handles, labels, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _fastest(rows: pandas.DataFrame, grid: np.ndarray) -> np.ndarray:
    """Return the latency of the fastest of some points at each rate; nan without any."""
    if rows.empty:
        return np.full(len(grid), np.nan)
    sent = latency_ms(rows[BYTES], 1.0)
    fixed = rows[TOTAL] - sent / rows["rate"]
    return (fixed.to_numpy()[:, None] + sent.to_numpy()[:, None] / grid).min(axis=0)


def _pays(one: pandas.DataFrame) -> list[tuple[float, float]]:
    """Return the ranges of rates at which a split is the fastest that is sure."""
    found = one[(one[WHERE] == SPLIT) & one["fastest_to"].notna()]
    ends = zip(found["fastest_from"], found["fastest_to"], strict=True)
    return joined([Piece(0, *pair) for pair in ends])


def _span(table: pandas.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: all rates asked for, and where the fastest changes."""
    names = [f"{prefix}fastest_{end}" for prefix in LEVELS for end in ("from", "to")]
    ends = table[names].to_numpy(dtype=float).ravel()
    ends = np.concatenate([ends, table["rate"]])
    ends = ends[np.isfinite(ends) & (ends > 0)]
    return float(ends.min() / MARGIN), float(ends.max() * MARGIN)


def _bars(axis: Axes, table: pandas.DataFrame, ways: pandas.Series) -> None:
    """Draw what the fastest points of each way consist of, with the interval of the whole."""
    names = list(dict.fromkeys(ways))
    for place, name in enumerate(names):
        found = list(_best(table[table["way"] == name]))
        height = 0.8 / max(1, len(found))
        for i, row in enumerate(found):
            _bar(axis, place + (i - (len(found) - 1) / 2) * height, 0.92 * height, row)
    for part, color in zip(PARTS, style.colors(len(PARTS)), strict=True):
        axis.barh(0, 0, color=color, label=PART_NAMES[part])
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("one item (ms)")
    axis.grid(axis="y", visible=False)
    axis.margins(x=0.3)
    if not axis.yaxis_inverted():
        axis.invert_yaxis()


def _bar(axis: Axes, place: float, height: float, row: pandas.Series) -> None:
    left, faint = 0.0, {SURE: 1.0, BY_MEAN: 0.6}.get(row[WITHIN], 0.35)
    for part, color in zip(PARTS, style.colors(len(PARTS)), strict=True):
        axis.barh(place, row[part], left=left, color=color, alpha=faint, height=height, linewidth=0)
        left += row[part]
    ends = [row.get(name, np.nan) for name in ENDS]
    axis.hlines(place, *ends, color="0.1", linewidth=0.8)
    words = f", {row['loss']:.2g} lost" if row[WITHIN] == BEYOND else ""
    if row[WHERE] != DEVICE:
        text = f" {row['operating_point']}{words}"
        axis.text(np.nanmax([left, ends[1]]), place, text, va="center", fontsize=6)


def _best(rows: pandas.DataFrame) -> Iterator[pandas.Series]:
    """Yield the fastest point of a way that is sure, that by the mean, and of files that of all."""
    levels: list[tuple[str, ...]] = [*LEVELS.values()]
    levels += [(SURE, BY_MEAN, BEYOND)] if (rows[WHERE] == NETWORK).all() else []
    places = []
    for level in levels:
        allowed = rows[rows[WITHIN].isin(level)]
        if len(allowed) and (place := allowed[TOTAL].idxmin()) not in places:
            places.append(place)
            yield rows.loc[place]
