"""Accuracy of compressed models against their size: a panel a metric, a curve a model and codec.

The axes are those of the plots of 3GPP TR 26.847, clause 10.1: the error rate over the bitstream's
size in percent of the anchor's, the anchor as a red line.
"""

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnrd.plots import style


def draw(points: pandas.DataFrame, anchors: pandas.DataFrame) -> Figure:
    """Draw all models in the tables; intervals, where the task has them, are bands of 95 %."""
    style.apply()
    points = points[points["split"].isna()]
    metrics = list(dict.fromkeys(points["metric_name"]))
    figure, axes = pyplot.subplots(
        1, len(metrics), figsize=(6.0 * len(metrics), 4.2), squeeze=False, layout="constrained"
    )
    for axis, metric in zip(axes[0], metrics, strict=True):
        shown = anchors["metric_name"] == metric
        _panel(axis, points[points["metric_name"] == metric], anchors[shown])
        axis.set(xlabel="size of the bitstream (% of the anchor's)")
        axis.set(ylabel=style.LABELS.get(metric, metric))
        axis.legend(frameon=False)
    models = points["model"].nunique()
    figure.suptitle(style.title(points) if models == 1 else f"{models} models")
    return figure


def _panel(axis: Axes, points: pandas.DataFrame, anchors: pandas.DataFrame) -> None:
    keys = ["model", "dataset", "codec"]
    curves = points.groupby([key for key in keys if points[key].nunique() > 1] or ["codec"])
    for (names, group), color, marker in zip(
        curves, style.colors(len(curves)), style.MARKERS * len(curves), strict=False
    ):
        ordered = group.sort_values("compress_ratio")
        size = 100 * ordered["compress_ratio"]
        axis.plot(
            size, ordered["rec_perf"], color=color, marker=marker, markersize=4, linewidth=1.2,
            label=" ".join(names),
        )  # fmt: skip
        _band(axis, size, ordered, color)
    own = points.drop_duplicates(["model", "dataset"])[["model", "dataset"]]
    for number, row in enumerate(anchors.merge(own).itertuples()):
        name = f"anchor: {row.rec_perf:.3g} %" + (f" ({row.model})" if len(own) > 1 else "")
        axis.axhline(row.rec_perf, label=name, **style.ANCHOR_LINE | {"linestyle": _DASHES[number]})
    _scale(axis, points)


_DASHES = ["-", "--", "-.", ":"] * 4


def _band(axis: Axes, size: pandas.Series, rows: pandas.DataFrame, color: tuple) -> None:
    metric = rows["metric_name"].iloc[0]
    low, high = (rows.get(f"{metric}_{end}") for end in ("low", "high"))
    if low is not None and low.notna().any():
        axis.fill_between(size, low, high, color=color, alpha=0.2, linewidth=0)


def _scale(axis: Axes, points: pandas.DataFrame) -> None:
    """Where an error rate exceeds 100 %, a logarithmic axis still shows the rest."""
    axis.set_xlim(left=0)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if points["rec_perf"].max() > 120:
        axis.set_yscale("symlog", linthresh=10)
        ticks = [0, 2, 4, 6, 8, 10, 20, 50, 100, 200, 500, 1000, 2000]
        top = next(tick for tick in ticks if tick >= points["rec_perf"].max())
        axis.set_yticks([tick for tick in ticks if tick <= top], minor=False)
        axis.yaxis.set_major_formatter("{x:g}")
        axis.set_ylim(0, top)
    else:
        axis.set_ylim(bottom=0)
