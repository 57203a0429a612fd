"""A bar chart a codec over the splits: what each operating point sends and keeps."""

import textwrap

import pandas
import seaborn
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report import tables
from nnrd.report.labels import AT
from nnrd.report.plots import Plot, style
from nnrd.tasks import Metric

BELOW = 84  # characters side by side below the bars


class CodecBars(Plot):
    """A bar chart a codec over the splits: what each operating point sends and keeps."""

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw a row a codec: on the left bytes over the splits, on the right the accuracy."""
        points, ticks = placed(points)
        codecs = list(dict.fromkeys(points["codec"]))
        column, metric = list(tables.metrics(points).items())[-1]
        figure, axes = pyplot.subplots(
            len(codecs), 2, figsize=(10.4, 2.5 * len(codecs) + 0.6), squeeze=False, sharex="col",
            layout="constrained",
        )  # fmt: skip
        stored = anchors[anchors["codec"] == style.STORED]["bytes_per_item"] / 1e3
        seen = pandas.concat([points["bytes_per_item"] / 1e3, stored])
        for (left, right), codec in zip(axes, codecs, strict=True):
            group = points[points["codec"] == codec]
            _sizes(left, group, stored)
            left.get_legend().remove()
            left.set(ylim=(seen.min() / 2, seen.max() * 2), title=codec)
            _accuracies(right, group, column, metric, anchors[column].iloc[0])
            right.set_title(codec)
        tensors = ", or at tensors" if any(tick.startswith(AT) for tick in ticks) else ""
        for axis in axes[-1]:
            axis.set_xticks(range(len(ticks)), ticks)
            axis.set_xlabel(f"split before rank{tensors}")
        dotted = ", dotted: the items' files as stored" if len(stored) else ""
        figure.suptitle(f"{style.title(points)} — dashed: anchor{dotted}")
        return figure


def _sizes(axis: Axes, group: pandas.DataFrame, stored: pandas.Series) -> None:
    """Draw the bytes of a codec's points, and the items' files as they are stored, in kB."""
    bars(axis, group, group["bytes_per_item"] / 1e3)
    axis.set(yscale="log", ylabel="mean per item (kB)")
    style.logarithmic(axis.yaxis)
    for size in stored:
        axis.axhline(size, linestyle=":", color=style.FILE_LOOK["color"])


def _accuracies(
    axis: Axes, group: pandas.DataFrame, column: str, metric: Metric, anchor: float
) -> None:
    """Draw a metric of a codec's points, beside the legend of both panels."""
    bars(axis, group, group[column])
    intervals(axis, group, *style.interval(group, metric, anchor))
    axis.axhline(anchor, **style.ANCHOR_LINE)
    axis.set_ylabel(metric.axis)
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles, labels, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def placed(points: pandas.DataFrame) -> tuple[pandas.DataFrame, list[str]]:
    """Return the points with their split's place on the axis, and what stands below each place."""
    labels = style.places(points)
    by_rank = points["split"].sort_values(kind="stable").index
    ordered = list(dict.fromkeys(labels[by_rank]))
    names = [label.rpartition(" (")[0].removeprefix("before rank ") for label in ordered]
    ticks = [textwrap.fill(name, max(6, BELOW // len(names))) for name in names]
    return points.assign(place=labels.map(ordered.index)), ticks


def intervals(axis: Axes, group: pandas.DataFrame, low: pandas.Series, high: pandas.Series) -> None:
    """Draw the ends of each bar's 95 % interval; seaborn has a container an operating point."""
    limits, names = axis.get_xlim(), dict.fromkeys(group["operating_point"])
    for name, container in zip(names, axis.containers, strict=True):
        rows = group[group["operating_point"] == name].sort_values("place").index
        middles = [bar.get_x() + bar.get_width() / 2 for bar in container]
        if len(middles) != len(rows):  # a split has no such point
            continue
        for color, width in (("white", 1.5), ("0.1", 0.7)):  # seen on light bars and on dark ones
            axis.vlines(middles, low[rows], high[rows], color=color, linewidth=width, zorder=3)
    axis.set_xlim(limits)


def bars(axis: Axes, group: pandas.DataFrame, values: pandas.Series) -> None:
    """Draw a bar a split and operating point; ``group``: as `placed` returns it."""
    names = group["operating_point"]
    seaborn.barplot(
        x=group["place"], y=values, hue=names, hue_order=list(dict.fromkeys(names)),
        # Operating points are ordered, so their colours are: light to dark, also in grey.
        palette=seaborn.color_palette("viridis_r", names.nunique()), ax=axis, errorbar=None,
        width=min(0.8, 0.25 * names.nunique()),
    )  # fmt: skip
    axis.set_xlabel("")
