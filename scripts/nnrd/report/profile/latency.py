"""How long a run takes: over the size of the input, and of inputs that have but one size."""

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report.plots import style
from nnrd.report.profile import series

STEPS = {"forward": "forward pass", "decoding": "decoding", "total": "both"}
PARTS = ("forward", "decoding")
BAR = 0.34  # inches


def draw(profile: pandas.DataFrame, parameters: pandas.DataFrame) -> Figure:
    """Draw means with their 95 % intervals: lines over sizes, below them bars of fixed inputs."""
    del parameters
    found = series.measured(profile, "total_mean_s")
    open_, fixed = found[found["size"].notna()], found[found["size"].isna()]
    heights = [3.4 * bool(len(open_)), (0.9 + BAR * len(fixed)) * bool(len(fixed))]
    if not sum(heights):
        figure, axis = pyplot.subplots(figsize=(8, 2))
        series.say(axis, series.why_not(profile, "reason"))
        return figure
    figure = pyplot.figure(figsize=(10.4, 0.9 + sum(heights)), layout="constrained")
    figure.suptitle(series.studied(profile))
    kept = [height for height in heights if height]
    below = list(figure.subfigures(len(kept), 1, height_ratios=kept, squeeze=False)[:, 0])
    if len(open_):
        upper = below.pop(0)
        axes = upper.subplots(1, len(STEPS), sharey=True)
        for axis, (step, name) in zip(axes, STEPS.items(), strict=True):
            series.over_sizes(axis, open_, f"{step}_mean{{}}_s", series.MS)
            axis.set_title(name)
        axes[0].set_ylabel("time of a run (ms)")
        series.legend(upper, axes[0])
    if len(fixed):
        _bars(below.pop(0).subplots(), fixed)
    return figure


def _bars(axis: Axes, rows: pandas.DataFrame) -> None:
    """Draw what a run consists of, with the interval of the whole."""
    places = range(len(rows))
    left = pandas.Series(0.0, index=rows.index)
    for step, color in zip(PARTS, style.colors(len(PARTS)), strict=True):
        width = series.MS * rows[f"{step}_mean_s"]
        axis.barh(places, width, left=left, color=color, label=STEPS[step], linewidth=0)
        left = left + width
    ends = (series.MS * rows[f"total_mean_{end}_s"] for end in ("low", "high"))
    axis.hlines(places, *ends, color="0.1", linewidth=1.4)
    axis.set_yticks(places, list(rows["line"]))
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("time of a run (ms); dark: 95 % interval of the mean")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
