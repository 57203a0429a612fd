"""What a run takes in joules; where nothing is measured, the figure says so."""

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report.plots import style
from nnrd.report.profile import series

# Columns that are drawn where they have numbers, and what they are called.
KINDS = {
    "joules": "measured: joules counted",
    "lab_joules": "measured: watts × latency",
    "estimated_joules": "estimated from the nominal power",
}


def draw(profile: pandas.DataFrame, parameters: pandas.DataFrame) -> Figure:
    """Draw joules of a run over the size of the input, a panel a way to know them."""
    del parameters
    kinds = [name for name in KINDS if profile[name].notna().any()]
    missing = profile[["joules", "lab_joules"]].isna().all(axis=None)
    panels = len(kinds) + bool(missing)
    figure, axes = pyplot.subplots(
        1, panels, figsize=(max(7.0, 4.6 * panels), 4.2 if kinds else 2.2), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    figure.suptitle(f"{series.studied(profile)}: energy of a run")
    for axis, name in zip(axes[0], kinds, strict=False):
        _kind(axis, series.measured(profile, name), name)
    if missing:
        series.say(axes[0][-1], f"energy {series.why_not(profile)}")
    if kinds and axes[0][0].get_legend_handles_labels()[1]:
        series.legend(figure, axes[0][0])
    return figure


def _kind(axis: Axes, found: pandas.DataFrame, name: str) -> None:
    axis.set_title(KINDS[name])
    if found["size"].notna().any():
        series.over_sizes(axis, found[found["size"].notna()], name)
        axis.set_ylabel("energy of a run (J)")
        return
    places = range(len(found))
    axis.barh(places, found[name], color=style.colors(1)[0], linewidth=0)
    axis.set_yticks(places, list(found["line"]))
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("energy of a run (J)")
