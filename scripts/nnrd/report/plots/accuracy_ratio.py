"""Accuracy against the compression ratio, all splits and codecs in one."""

import pandas
from matplotlib import pyplot
from matplotlib.figure import Figure

from nnrd.report.plots import Plot, style


class AccuracyRatio(Plot):
    """Accuracy against the compression ratio, all splits and codecs in one."""

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw a panel a metric: x is rec_size / anc_size in percent.

        The colour is the split, the mark the codec; TR 26.847, Table 2.1.2.2.3-1, has the ratio.
        """
        panels = style.metrics(points)
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=(5.2 * len(panels), 3.9), squeeze=False, layout="constrained"
        )
        splits = dict(list(points.groupby("split", sort=True)))
        colors = dict(zip(splits, style.colors(len(splits)), strict=True))
        markers = dict(zip(points["codec"].unique(), style.MARKERS, strict=False))
        for axis, (column, label) in zip(axes[0], panels.items(), strict=True):
            for (split, codec), group in points.groupby(["split", "codec"], sort=True):
                ordered = group.sort_values("compress_ratio")
                axis.plot(
                    100 * ordered["compress_ratio"], ordered[column], color=colors[split],
                    marker=markers[codec], markersize=4, linewidth=1,
                )  # fmt: skip
            axis.axhline(anchors[column].iloc[0], **style.ANCHOR_LINE)
            axis.set(xscale="log", xlabel="size in percent of the tensors' size", ylabel=label)
            style.logarithmic(axis.xaxis)
        _legend(figure, splits, colors, markers)
        figure.suptitle(style.title(points))
        return figure


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
