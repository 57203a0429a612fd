"""Accuracy against the bytes that are sent: one curve a split, one mark an operating point."""

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report.plots import Plot, style


class AccuracyBytes(Plot):
    """Accuracy against the bytes that are sent: one curve a split, one mark an operating point."""

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw a panel a metric: x is the mean size of an item's bitstream in kB, logarithmic."""
        panels = style.metrics(points)
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=(5.2 * len(panels), 3.9), squeeze=False, layout="constrained"
        )
        for axis, (column, label) in zip(axes[0], panels.items(), strict=True):
            _panel(axis, points, column)
            axis.axhline(anchors[column].iloc[0], label="anchor", **style.ANCHOR_LINE)
            axis.set(
                xscale="log", xlabel="bitstream, mean per item (kB = 1000 bytes)", ylabel=label
            )
            style.logarithmic(axis.xaxis)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        figure.suptitle(style.title(points))
        return figure


def _panel(axis: Axes, points: pandas.DataFrame, column: str) -> None:
    splits = points.groupby("split", sort=True)
    for (_, group), color, marker in zip(
        splits, style.colors(len(splits)), style.MARKERS * len(splits), strict=False
    ):
        ordered = group.sort_values("bytes_per_item")
        axis.plot(
            ordered["bytes_per_item"] / 1e3, ordered[column], color=color, marker=marker,
            markersize=4, linewidth=1.2, label=style.split_label(ordered.iloc[0]),
        )  # fmt: skip
