"""Accuracy of compressed models against their size: a panel a metric, a curve a model and codec.

The axes are those of the plots of 3GPP TR 26.847, clause 10.1: the error rate over the bitstream's
size in percent of the anchor's, the anchor as a red line.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnrd.report import tables
from nnrd.report.plots import Plot, style

CLOSE = 0.1  # what headers and text in published files of float32 may take
DASHES = ["-", "--", "-.", ":"]


class AccuracySize(Plot):
    """A panel a metric, a curve a model and codec."""

    def draw(self, points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
        """Draw all models in the tables; intervals, where the task has them, are bands of 95 %."""
        points = points[points["split"].isna()]
        anchors = anchors[anchors["codec"] == style.ANCHOR].reset_index(drop=True)
        panels = list(points.groupby("metric_name", sort=False))
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=(6.0 * len(panels), 4.2), squeeze=False, layout="constrained"
        )
        # What is the same all over the figure stands in its title only.
        names = ["model"] if points["model"].nunique() > 1 else []
        names += ["dataset"] if (points.groupby("model")["dataset"].nunique() > 1).any() else []
        for axis, (_, group) in zip(axes[0], panels, strict=True):
            _curves(axis, group, [*names, "codec"])
            own = anchors.merge(group[["model", "dataset", "runtime"]].drop_duplicates())
            several = group["model"].nunique() > 1
            _anchors(axis, own, names, _published(group) if several else {})
            axis.set_xlim(left=0)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            style.scale_accuracy(axis, group["rec_perf"], tables.task_of(group).metric)
            axis.set(ylabel=tables.task_of(group).metric.axis)
            axis.set(xlabel="size of the bitstream (% of the anchor's)")
            if not several:
                _published_axis(axis, group)
            axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
        models = points["model"].nunique()
        figure.suptitle(style.title(points) if models == 1 else f"{models} models")
        return figure


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


def _curves(axis: Axes, points: pandas.DataFrame, names: list[str]) -> None:
    curves = points.groupby(names, sort=False)
    for (key, group), color, marker in zip(
        curves, style.colors(len(curves)), style.MARKERS * len(curves), strict=False
    ):
        ordered = group.sort_values("compress_ratio")
        size = 100 * ordered["compress_ratio"]
        axis.plot(
            size, ordered["rec_perf"], color=color, marker=marker, markersize=4, linewidth=1.2,
            label=", ".join(key), clip_on=False,
        )  # fmt: skip
        metric = ordered["metric_name"].iloc[0]
        low, high = (ordered.get(f"{metric}_{end}") for end in ("low", "high"))
        if low is not None and low.notna().any():
            axis.fill_between(size, low, high, color=color, alpha=0.2, linewidth=0)


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
