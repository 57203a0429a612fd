"""How many parameters the parts of each model have."""

from typing import Any

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report.plots import style
from nnrd.report.profile.table import ALL

BAR = 0.3  # inches
ALIKE = 50  # times: models that differ by less are drawn on one scale


def draw(profile: pandas.DataFrame, parameters: pandas.DataFrame) -> Figure:
    """Draw a bar a part, a panel a model; hatched is what another part has too.

    All on one scale, unless the smallest model would not be seen on it.
    """
    models = list(dict.fromkeys(parameters["model"]))
    counts = [int((parameters["model"] == model).sum()) for model in models]
    sizes = parameters[parameters["part"] == ALL]["parameters"]
    one_scale = bool(sizes.max() <= ALIKE * sizes.min())
    figure, axes = pyplot.subplots(
        len(models), 1, figsize=(8.6, 1.0 + sum(0.6 + BAR * count for count in counts)),
        height_ratios=[0.6 + BAR * count for count in counts], squeeze=False, layout="constrained",
        sharex=one_scale,
    )  # fmt: skip
    for axis, model in zip(axes[:, 0], models, strict=True):
        _model(axis, parameters[parameters["model"] == model])
        axis.set_title(model, loc="left")
    axes[-1, 0].set_xlabel("parameters (millions)")
    own = "" if one_scale else " (each model on a scale of its own)"
    figure.suptitle(f"{profile.iloc[0]['study']}: parameters by part{own}")
    handles = {
        label: handle
        for axis in axes[:, 0]
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False
    )
    return figure


def _model(axis: Axes, rows: pandas.DataFrame) -> None:
    blue, orange, *_ = style.colors(3)
    places = range(len(rows))
    colors = ["0.45" if part == ALL else blue for part in rows["part"]]
    millions = rows["parameters"] / 1e6
    bars = axis.barh(places, millions, color=colors, linewidth=0)
    axis.bar_label(bars, [f"{count:,.0f}" for count in rows["parameters"]], padding=3, fontsize=7)
    shared = rows["shared"] / 1e6
    if shared.any():
        look: dict[str, Any] = {
            "color": "none",
            "edgecolor": "white",
            "hatch": "////",
            "linewidth": 0,
        }
        axis.barh(places, shared, **look)
        axis.barh(0, 0, color=blue, edgecolor="white", hatch="////", label="in another part too")
    published = rows.get("published_parameters")
    if published is not None and published.notna().any():
        axis.plot(
            published / 1e6, places, "d", color=orange, markeredgecolor="white", label="published"
        )
    axis.barh(0, 0, color="0.45", label="all, each once")
    axis.set_yticks(places, list(rows["part"]))
    axis.invert_yaxis()
    axis.margins(x=0.16)
    axis.set_xlim(left=0)
    axis.grid(axis="y", visible=False)
