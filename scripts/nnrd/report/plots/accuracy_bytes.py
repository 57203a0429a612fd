"""Accuracy against the bytes that are sent: a panel a metric, a curve a split and codec."""

from typing import Any, ClassVar

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report import tables
from nnrd.report.plots import Plot, style
from nnrd.tasks import Metric


class AccuracyBytes(Plot):
    """The colour is the split, the mark the codec; grey is what the items' own files take.

    Bars are 95 % bootstrap intervals: of the metric where it compares with the anchor anyway, else
    of the paired difference to the anchor, drawn around the anchor's line.
    """

    xlabel: ClassVar = "bitstream, mean per item (kB = 1000 bytes)"
    with_files: ClassVar = True
    strength: ClassVar = 0.5  # of the bars

    def x(self, points: pandas.DataFrame) -> pandas.Series:
        """Return the sizes along the axis."""
        return points["bytes_per_item"] / 1e3

    def rows(self, points: pandas.DataFrame) -> list[tuple[str, pandas.DataFrame]]:
        """Return what stands in rows of panels of its own, each with its title; here all in one."""
        return [("", points)]

    def limit(self, axis: Axes, points: pandas.DataFrame, column: str, metric: Metric) -> None:
        """Set the limits of a panel of points and files; ``anc_value`` is the anchor's."""
        style.scale_accuracy(axis, points[column], metric)

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw a panel a metric over the size, which is logarithmic."""
        points = points.assign(x=self.x(points), place=style.places(points))
        files = anchors[anchors["codec"] != style.ANCHOR] if self.with_files else anchors[:0]
        files = files.assign(x=self.x(files))
        looks = _looks(points, files)
        metrics = tables.metrics(points).items()
        panels = [(*row, *shown) for row in self.rows(points) for shown in metrics]
        figure, axes = _grid(len(panels), len(metrics))
        for axis, (title, group, column, metric) in zip(axes, panels, strict=True):
            anchor = float(anchors[column].iloc[0])
            _panel(axis, group, files, (column, metric), anchor, looks)
            for bars in axis.collections:
                bars.set_alpha(self.strength)
            axis.set(xscale="log", ylabel=metric.axis, title=title)
            style.logarithmic(axis.xaxis)
            seen = pandas.concat([group, files]).assign(anc_value=anchor)
            self.limit(axis, seen, column, metric)
        for axis in axes[-len(metrics) :] if len(panels) > len(metrics) else axes:
            axis.set_xlabel(self.xlabel)
        _legend(figure, *looks, set(files["codec"]))
        figure.suptitle(style.title(points))
        return figure


Looks = tuple[dict[str, Any], dict[str, str]]  # colours by split, marks by codec


def _looks(points: pandas.DataFrame, files: pandas.DataFrame) -> Looks:
    places = dict.fromkeys(points.sort_values("split", kind="stable")["place"])
    codecs = dict.fromkeys([*points["codec"], *files["codec"]])
    colors = dict(zip(places, style.colors(len(places)), strict=True))
    return colors, dict(zip(codecs, style.MARKERS * len(codecs), strict=False))


def _grid(panels: int, metrics: int) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels: a row a group of metrics, or, of one group, two rows."""
    across = metrics if panels > metrics or metrics < 4 else -(-metrics // 2)
    down = -(-panels // across)
    width, height = (5.2, 4.3) if down == 1 else (4.8, 3.3) if panels <= metrics else (3.6, 2.4)
    figure, axes = pyplot.subplots(
        down, across, figsize=(width * across, height * down + 0.4), squeeze=False,
        sharex=panels > metrics, layout="constrained",
    )  # fmt: skip
    for axis in axes.flat[panels:]:
        axis.remove()
    return figure, list(axes.flat[:panels])


def _panel(
    axis: Axes,
    points: pandas.DataFrame,
    files: pandas.DataFrame,
    shown: tuple[str, Metric],
    anchor: float,
    looks: Looks,
) -> None:
    """Draw a metric of some points, of the items' files, and of the anchor."""
    (column, metric), (colors, markers) = shown, looks
    for (place, codec), group in points.groupby(["place", "codec"], sort=False):
        look = {"color": colors[place], "marker": markers[codec]}
        _curve(axis, group, column, look | LINE)
        _bars(axis, group, *style.interval(group, metric, anchor), look["color"])
    for codec, group in files.groupby("codec", sort=False):
        _curve(axis, group, column, {"marker": markers[codec]} | style.FILE_LOOK)
    axis.axhline(anchor, **style.ANCHOR_LINE)


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
    axis.vlines(points["x"], low, high, color=color, linewidth=0.8)


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
