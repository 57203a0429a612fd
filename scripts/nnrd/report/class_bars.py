"""Bars of each class, and of all classes together, one colour a set of predictions."""

from pathlib import Path

import pandas
import seaborn
from matplotlib import pyplot
from matplotlib.figure import Figure

from nnrd.core.errors import UserError
from nnrd.report.plots import style
from nnrd.tasks import Task

WIDTH = 0.22  # inches a bar
NARROWEST = 6.0


def draw(table: pandas.DataFrame, task: Task) -> Figure:
    """Draw a panel a metric that classes have.

    ``table``: the columns ``predictions``, ``label``, and metrics of the task. Raises UserError
    where the table has no classes.
    """
    by_class = table[table["label"] != table["label"].iloc[0]]
    metrics = [
        metric
        for metric in (*task.metrics, *task.others)
        if metric.name in by_class and by_class[metric.name].notna().any()
    ]
    if not metrics:
        raise UserError(f"--plot: there are no numbers by class, of {len(table)} rows")
    style.apply()
    sets, classes = table["predictions"].nunique(), table["label"].nunique()
    width = max(NARROWEST, WIDTH * classes * (sets + 1))
    figure, axes = pyplot.subplots(
        len(metrics), 1, figsize=(width, 2.4 * len(metrics) + 0.8), squeeze=False, sharex=True,
        layout="constrained",
    )  # fmt: skip
    names = _short(list(dict.fromkeys(table["predictions"])))
    shown = table.assign(predictions=table["predictions"].map(names))
    for axis, metric in zip(axes[:, 0], metrics, strict=True):
        seaborn.barplot(
            shown, x="label", y=metric.name, hue="predictions", ax=axis, errorbar=None,
            palette=style.colors(sets),
        )  # fmt: skip
        axis.set(xlabel="", ylabel=metric.axis, ylim=(0, 100))
        axis.get_legend().remove()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(sets, 4), frameon=False)
    axes[-1, 0].tick_params(axis="x", labelrotation=45 if classes > 4 else 0)
    return figure


def _short(paths: list[str]) -> dict[str, str]:
    """Return paths by their last parts, which the legend has, where these tell them apart."""
    short = {path: Path(path).stem for path in paths}
    return short if len(set(short.values())) == len(paths) else {path: path for path in paths}
