"""Accuracy against the bytes that are sent: a panel a metric, a curve a split and codec."""

from typing import Any, ClassVar

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report.plots import Plot, style
from nnrd.tasks import Metric


class AccuracyBytes(Plot):
    """The colour is the split, the mark the codec; bands are 95 % bootstrap intervals."""

    xlabel: ClassVar = "bitstream, mean per item (kB = 1000 bytes)"

    def x(self, points: pandas.DataFrame) -> pandas.Series:
        """Return the sizes along the axis."""
        return points["bytes_per_item"] / 1e3

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw a panel a metric over the size, which is logarithmic."""
        panels = style.metrics(points)
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=(5.2 * len(panels), 3.9), squeeze=False, layout="constrained"
        )
        points = points.assign(x=self.x(points))
        splits = dict(list(points.groupby("split", sort=True)))
        colors = dict(zip(splits, style.colors(len(splits)), strict=True))
        markers = dict(zip(points["codec"].unique(), style.MARKERS, strict=False))
        for axis, (column, metric) in zip(axes[0], panels.items(), strict=True):
            for (split, codec), group in points.groupby(["split", "codec"], sort=True):
                _curve(axis, group, column, metric, colors[split], markers[codec])
            axis.axhline(anchors[column].iloc[0], **style.ANCHOR_LINE)
            axis.set(xscale="log", xlabel=self.xlabel, ylabel=metric.axis)
            style.logarithmic(axis.xaxis)
            style.scale_accuracy(axis, points[column], metric)
        _legend(figure, splits, colors, markers)
        figure.suptitle(style.title(points))
        return figure


def _curve(
    axis: Axes, points: pandas.DataFrame, column: str, metric: Metric, color: tuple, marker: str
) -> None:
    """Draw the operating points of one codec at one split; a single one is a mark.

    A bound on the rate, which has no accuracy, is a mark on the axis of sizes.
    """
    style_of: dict[str, Any] = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.2}
    bounds = points[points["rec_perf"].isna()]
    if len(bounds):
        below = style_of | {"linestyle": "", "clip_on": False}
        axis.plot(bounds["x"], [0.0] * len(bounds), transform=axis.get_xaxis_transform(), **below)
    ordered = points[points["rec_perf"].notna()].sort_values("x")
    axis.plot(ordered["x"], ordered[column], **style_of)
    if metric.interval and len(ordered) > 1:
        low, high = (ordered[f"{metric.name}_{end}"] for end in ("low", "high"))
        axis.fill_between(ordered["x"], low, high, color=color, alpha=0.12, linewidth=0)


def _legend(figure: Figure, splits: dict, colors: dict, markers: dict) -> None:
    lines = [
        pyplot.Line2D([], [], color=colors[split], label=style.split_label(group.iloc[0]))
        for split, group in splits.items()
    ]
    marks = [
        pyplot.Line2D([], [], color="0.3", marker=marker, linestyle="", label=codec)
        for codec, marker in markers.items()
    ]
    anchor = [pyplot.Line2D([], [], label="anchor", **style.ANCHOR_LINE)]
    figure.legend(
        handles=lines + marks + anchor, loc="outside lower center", ncols=3, frameon=False
    )
