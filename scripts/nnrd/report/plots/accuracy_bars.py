"""Bars of the accuracy over the splits, all codecs side by side (TR 26.847, 5.3.9.9-2 and -3)."""

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report import tables
from nnrd.report.labels import AT
from nnrd.report.plots import Plot, style
from nnrd.report.plots.codec_bars import bars, intervals, placed

NARROW = 0.42  # inches that a bar takes at most
LEAST, MOST = 8.0, 20.0  # inches of the figure


class AccuracyBars(Plot):
    """A panel a metric; a bar a split and operating point, with its 95 % interval."""

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw the panels below each other; the anchor is a dashed line."""
        points, ticks = placed(points)
        panels = tables.metrics(points)
        width = min(MOST, max(LEAST, NARROW * 0.5 * len(points)))
        figure, axes = pyplot.subplots(
            len(panels), 1, figsize=(width, 2.3 * len(panels) + 1.0), squeeze=False, sharex=True,
            layout="constrained",
        )  # fmt: skip
        for axis, (column, metric) in zip(axes[:, 0], panels.items(), strict=True):
            bars(axis, points, points[column])
            intervals(axis, points, *style.interval(points, metric, anchors[column].iloc[0]))
            axis.axhline(anchors[column].iloc[0], **style.ANCHOR_LINE)
            style.scale_accuracy(axis, points[column], metric)
            axis.set_ylabel(metric.axis.replace(" against", "\nagainst").replace(" with", "\nwith"))
        _legend(figure, axes[:, 0])
        tensors = ", or at tensors" if any(tick.startswith(AT) for tick in ticks) else ""
        axes[-1, 0].set_xticks(range(len(ticks)), ticks)
        axes[-1, 0].set_xlabel(f"split before rank{tensors}")
        figure.suptitle(f"{style.title(points)} — dashed: anchor")
        return figure


def _legend(figure: Figure, axes: list[Axes]) -> None:
    """Show the operating points once, below all panels."""
    handles, labels = axes[0].get_legend_handles_labels()
    for legend in filter(None, (axis.get_legend() for axis in axes)):
        legend.remove()
    figure.legend(handles, labels, loc="outside lower center", ncols=7, frameon=False)
