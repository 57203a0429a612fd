"""Accuracy of compressed models against their size: a panel a metric, a curve a model and codec.

The axes are those of the plots of 3GPP TR 26.847, clause 10.1: the error rate over the bitstream's
size in percent of the anchor's, the anchor as a red line.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnrd.analysis.loss import BEYOND, WITHIN
from nnrd.report import tables
from nnrd.report.labels import UNQUANTISED, curve
from nnrd.report.plots import Plot, style

CLOSE = 0.1  # what headers and text in published files of float32 may take
FEW_LINES, LINE_HEIGHT = 6, 0.11  # of the legend: what fits, and the inches of each more
DASHES = ["-", "--", "-.", ":"]
CROSS: dict[str, Any] = {
    "marker": "x", "linestyle": "", "color": "black", "markersize": 8, "zorder": 5,
    "clip_on": False,
}  # fmt: skip


class AccuracySize(Plot):
    """A panel a metric, a curve a model and codec; a cross is on what loses too much."""

    xlabel: ClassVar = "size of the bitstream (% of the anchor's)"
    sizes: ClassVar = True  # along the axis: points are joined, and those without a codec left out

    def x(self, points: pandas.DataFrame) -> pandas.Series:
        """Return where points are along the axis."""
        return 100 * points["compress_ratio"]

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw all models in the tables; intervals, where the task has them, are bands of 95 %."""
        points = points[points["split"].isna()]
        if self.sizes:
            points = points[points["codec"] != UNQUANTISED]
        points = points.assign(x=self.x(points), curve=points.apply(curve, axis=1))
        anchors = anchors[anchors["codec"] == style.ANCHOR].reset_index(drop=True)
        panels = list(points.groupby("metric_name", sort=False))
        lines = max(group["curve"].nunique() for _, group in panels)
        size = (6.0 * len(panels), 4.2 + LINE_HEIGHT * max(0, lines - FEW_LINES))
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=size, squeeze=False, layout="constrained"
        )
        # What is the same all over the figure stands in its title only.
        names = ["model"] if points["model"].nunique() > 1 else []
        names += ["dataset"] if (points.groupby("model")["dataset"].nunique() > 1).any() else []
        for axis, (_, group) in zip(axes[0], panels, strict=True):
            self._panel(axis, group, anchors, names)
        models = points["model"].nunique()
        figure.suptitle(style.title(points) if models == 1 else f"{models} models")
        return figure

    def _panel(
        self, axis: Axes, points: pandas.DataFrame, anchors: pandas.DataFrame, names: list[str]
    ) -> None:
        _curves(axis, points, [*names, "curve"], "-" if self.sizes else "")
        _cross_out(axis, points)
        several = points["model"].nunique() > 1
        shares = _published(points) if several and self.sizes else {}
        held = _held(points, anchors)
        _anchors(axis, held, names, shares)
        if not self.sizes:
            axis.plot(self.x(held), held["rec_perf"], "o", color=style.ANCHOR_LINE["color"])
        axis.set_xlim(left=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        metric = tables.task_of(points).metric
        style.scale_accuracy(axis, points["rec_perf"], metric)
        axis.set(xlabel=self.xlabel, ylabel=metric.axis)
        if self.sizes and not several:
            _published_axis(axis, points)
        # Below the axis and its label, however high the figure is.
        below: dict[str, Any] = {"bbox_to_anchor": (0.5, 0), "borderaxespad": 4.5}
        axis.legend(frameon=False, loc="upper center", ncols=2, **below)


def _held(points: pandas.DataFrame, anchors: pandas.DataFrame) -> pandas.DataFrame:
    """Return the anchors of some points: run as they are, or else of the same model and data."""
    of = ["model", "dataset"]
    near = anchors.merge(points[of].drop_duplicates())
    alike = near.merge(points[[*of, "runtime"]].drop_duplicates())
    return near if alike.empty else alike


def _published(points: pandas.DataFrame) -> dict[str, float]:
    """Return the published files' size over the anchor's by model, where these are not float32."""
    if not {"published_size", "anc_size"} <= set(points):
        return {}
    sizes = points.groupby("model", sort=False)[["published_size", "anc_size"]].max().astype(float)
    shares = sizes["published_size"] / sizes["anc_size"]
    return dict(shares[(shares - 1).abs() > CLOSE])  # nor where nothing was published: nan


def _published_axis(axis: Axes, points: pandas.DataFrame) -> None:
    """Add the size in percent of the published files on top, where these are not float32."""
    for share in _published(points).values():
        both_ways = (partial(np.multiply, 1 / share), partial(np.multiply, share))
        top = axis.secondary_xaxis("top", functions=both_ways)
        size = float(points["published_size"].max())
        top.set_xlabel(f"% of the published files' {size / 1e6:.1f} MB")


def _curves(axis: Axes, points: pandas.DataFrame, names: list[str], line: str) -> None:
    curves = points.groupby(names, sort=False)
    for (key, group), color, marker in zip(
        curves, style.colors(len(curves)), style.MARKERS * len(curves), strict=False
    ):
        ordered = group.sort_values("x")
        size = ordered["x"]
        axis.plot(
            size, ordered["rec_perf"], color=color, marker=marker, markersize=4, linewidth=1.2,
            linestyle=line, label=", ".join(key), clip_on=False,
        )  # fmt: skip
        metric = ordered["metric_name"].iloc[0]
        low, high = (ordered.get(f"{metric}_{end}") for end in ("low", "high"))
        if low is not None and low.notna().any():
            _interval(axis, size, low, high, color, band=bool(line) and len(ordered) > 1)


def _interval(
    axis: Axes, x: pandas.Series, low: pandas.Series, high: pandas.Series, color: Any, band: bool
) -> None:
    """Draw an interval: a band along a curve, a bar at a single point."""
    if band:
        axis.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
    else:
        axis.vlines(x, low, high, color=color, alpha=0.5, linewidth=1.2)


def _cross_out(axis: Axes, points: pandas.DataFrame) -> None:
    """Mark what loses more than it may, where the study says how much that is."""
    if WITHIN not in points:
        return
    beyond = points[points[WITHIN] == BEYOND]
    if len(beyond):
        label = f"loses more than {beyond['max_loss'].iloc[0]:g}"
        axis.plot(beyond["x"], beyond["rec_perf"], label=label, **CROSS)


def _anchors(
    axis: Axes, anchors: pandas.DataFrame, names: list[str], published: Mapping[str, float]
) -> None:
    """Draw the anchors; several models have no common second axis, so the legend has the shares."""
    for number, row in anchors.iterrows():
        said = f"{row['rec_perf']:.3g} %"
        if row["model"] in published:
            said += f", published at {100 * published[row['model']]:.0f} % of its size"
        label = ", ".join([*(row[name] for name in names), f"anchor ({said})"])
        line = style.ANCHOR_LINE | {"linestyle": DASHES[number % len(DASHES)]}
        axis.axhline(row["rec_perf"], label=label, **line)
