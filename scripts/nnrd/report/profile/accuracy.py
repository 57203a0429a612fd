"""Accuracy over what it costs, in time and in energy, with those marked that nothing beats."""

from typing import Any

import pandas
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.analysis import pareto
from nnrd.report.profile import series

COSTS = {"total_mean_s": "time of a run (ms)", "joules": "energy of a run (J)"}
SCALES = {"total_mean_s": series.MS, "joules": 1.0}
FRONT: dict[str, Any] = {
    "color": "#c00000", "linestyle": "--", "linewidth": 1.2, "zorder": 1,
    "label": "Pareto front (filled marks)",
}  # fmt: skip


def draw(profile: pandas.DataFrame, parameters: pandas.DataFrame) -> Figure:
    """Draw a point a model with its options and runtime: of the largest input, one at a time."""
    del parameters
    found = of_largest(profile[profile["accuracy"].notna()])
    known = [int(found[cost].notna().any()) for cost in COSTS]
    figure, axes = pyplot.subplots(
        1, len(COSTS), figsize=(10.4, 4.8), width_ratios=[1 + each for each in known],
        layout="constrained",
    )  # fmt: skip
    figure.suptitle(f"{series.studied(profile)}{_size(found)}")
    for axis, cost in zip(axes, COSTS, strict=True):
        _over(axis, found, cost)
    series.legend(figure, axes[0])
    return figure


def of_largest(found: pandas.DataFrame) -> pandas.DataFrame:
    """Return the rows of the largest size and the smallest batch of each model."""
    groups = ["shown", "runtime", "precision", "device", "threads"]
    ordered = found.sort_values(["size", "batch"], ascending=[False, True], kind="stable")
    return found.loc[ordered.groupby(groups, sort=False).head(1).index]


def _size(found: pandas.DataFrame) -> str:
    sizes = found["size"].dropna().unique()
    return f", input of {sizes[0]:g} {series.unit(found)}" if len(sizes) == 1 else ""


def _over(axis: Axes, found: pandas.DataFrame, cost: str) -> None:
    rows = series.measured(found, cost)
    if rows.empty:
        reason = series.why_not(found, "energy_reason" if cost == "joules" else "reason")
        series.say(axis, f"{COSTS[cost].partition(' (')[0]} {reason}")
        return
    better = bool(rows["higher_is_better"].iloc[0])
    on_front = pareto.front(list(rows[cost]), list(rows["accuracy"]), better)
    for (name, row, look), best in zip(series.lines(rows), _of_lines(rows, on_front), strict=True):
        _point(axis, row.iloc[0], cost, look | {"label": name}, best)
    front = rows[on_front].sort_values(cost)
    axis.plot(SCALES[cost] * front[cost], front["accuracy"], **FRONT)
    axis.set(xlabel=COSTS[cost], ylabel=rows["metric"].iloc[0])
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=0)


def _of_lines(rows: pandas.DataFrame, on_front: list[bool]) -> list[bool]:
    """Return whether each line, of which there is one a row, is on the front."""
    known = dict(zip(rows["line"], on_front, strict=True))
    return [known[name] for name, _, _ in series.lines(rows)]


def _point(axis: Axes, row: pandas.Series, cost: str, look: dict[str, Any], best: bool) -> None:
    value, scale = row["accuracy"], SCALES[cost]
    bars = {"yerr": _errors(row, "accuracy", ("accuracy_low", "accuracy_high"))}
    if cost == "total_mean_s":
        ends = ("total_mean_low_s", "total_mean_high_s")
        bars["xerr"] = scale * _errors(row, cost, ends)
    filled = {} if best else {"markerfacecolor": "white"}
    look = look | {"markersize": 7, "linestyle": "none", "elinewidth": 1.0} | filled
    axis.errorbar(scale * row[cost], value, **bars, **look)


def _errors(row: pandas.Series, middle: str, ends: tuple[str, str]) -> Any:
    """Return the lengths of error bars, (2, 1); none where there is no interval."""
    low, high = (row[end] if row[end] == row[end] else row[middle] for end in ends)
    return pandas.DataFrame([[row[middle] - low], [high - row[middle]]]).clip(lower=0).to_numpy()
