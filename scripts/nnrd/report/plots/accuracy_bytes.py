"""Accuracy against the bytes that are sent: a panel a metric, a curve a split and codec."""

from typing import Any, ClassVar

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report import tables
from nnrd.report.plots import Plot, style


class AccuracyBytes(Plot):
    """The colour is the split, the mark the codec; grey is what the items' own files take.

    Bars are 95 % bootstrap intervals: of the metric where it compares with the anchor anyway, else
    of the paired difference to the anchor, drawn around the anchor's line.
    """

    xlabel: ClassVar = "bitstream, mean per item (kB = 1000 bytes)"
    with_files: ClassVar = True

    def x(self, points: pandas.DataFrame) -> pandas.Series:
        """Return the sizes along the axis."""
        return points["bytes_per_item"] / 1e3

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw a panel a metric over the size, which is logarithmic."""
        panels = tables.metrics(points)
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=(5.2 * len(panels), 4.3), squeeze=False, layout="constrained"
        )
        points = points.assign(x=self.x(points), place=style.places(points))
        anchor = anchors.iloc[0]
        files = anchors[anchors["codec"] != style.ANCHOR] if self.with_files else anchors[:0]
        files = files.assign(x=self.x(files))
        places = dict.fromkeys(points.sort_values("split", kind="stable")["place"])
        colors = dict(zip(places, style.colors(len(places)), strict=True))
        codecs = dict.fromkeys([*points["codec"], *files["codec"]])
        markers = dict(zip(codecs, style.MARKERS * len(codecs), strict=False))
        for axis, (column, metric) in zip(axes[0], panels.items(), strict=True):
            for (place, codec), group in points.groupby(["place", "codec"], sort=False):
                look = {"color": colors[place], "marker": markers[codec]}
                _curve(axis, group, column, look | LINE)
                _bars(axis, group, *style.interval(group, metric, anchor[column]), look["color"])
            for codec, group in files.groupby("codec", sort=False):
                _curve(axis, group, column, {"marker": markers[codec]} | style.FILE_LOOK)
            axis.axhline(anchor[column], **style.ANCHOR_LINE)
            axis.set(xscale="log", xlabel=self.xlabel, ylabel=metric.axis)
            style.logarithmic(axis.xaxis)
            style.scale_accuracy(axis, points[column], metric)
        _legend(figure, colors, markers, set(files["codec"]))
        figure.suptitle(style.title(points))
        return figure


LINE: dict[str, Any] = {"markersize": 4, "linewidth": 1.2}


def _curve(axis: Axes, points: pandas.DataFrame, column: str, look: dict[str, Any]) -> None:
    """Draw the operating points of one codec at one split; a single one is a mark.

    A bound on the rate, which has no accuracy, is a mark on the axis of sizes.
    """
    bounds = points[points["rec_perf"].isna()]
    if len(bounds):
        below = look | {"linestyle": "", "clip_on": False}
        axis.plot(bounds["x"], [0.0] * len(bounds), transform=axis.get_xaxis_transform(), **below)
    ordered = points[points["rec_perf"].notna()].sort_values("x")
    axis.plot(ordered["x"], ordered[column], **look)


def _bars(
    axis: Axes, points: pandas.DataFrame, low: pandas.Series, high: pandas.Series, color: Any
) -> None:
    axis.vlines(points["x"], low, high, color=color, linewidth=0.8, alpha=0.5)


def _legend(figure: Figure, colors: dict, markers: dict, files: set[str]) -> None:
    lines = [pyplot.Line2D([], [], color=color, label=place) for place, color in colors.items()]
    marks = [
        pyplot.Line2D([], [], color="0.2", marker=marker, linestyle="", label=codec)
        for codec, marker in markers.items()
        if codec not in files
    ]
    sent = [
        pyplot.Line2D(
            [], [], marker=markers[codec], label=f"the items' files, {codec}", **style.FILE_LOOK
        )
        for codec in markers
        if codec in files
    ]
    anchor = [pyplot.Line2D([], [], label="anchor", **style.ANCHOR_LINE)]
    figure.legend(
        handles=lines + marks + sent + anchor, loc="outside lower center", ncols=3, frameon=False
    )
