"""Bars of each class, and of all classes together, one colour a set of predictions."""

from pathlib import Path

import pandas
import seaborn
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.core.errors import UserError
from nnrd.report.plots import style
from nnrd.tasks import Metric, Task

WIDTH = 0.22  # inches a bar
NARROWEST = 6.0


def draw(table: pandas.DataFrame, task: Task) -> Figure:
    """Draw a panel a metric that classes have.

    ``table``: the columns ``predictions``, ``label``, and metrics of the task. Raises UserError
    where the table has no classes.
    """
    metrics = _metrics(table, task)
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
    for axis, metric in zip(axes[:, 0], metrics, strict=True):
        _bars(axis, table.assign(predictions=table["predictions"].map(names)), metric)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(sets, 4), frameon=False)
    axes[-1, 0].tick_params(axis="x", labelrotation=45 if classes > 4 else 0)
    return figure


def _metrics(table: pandas.DataFrame, task: Task) -> list[Metric]:
    """Return the metrics that classes have; the first label is that of all classes."""
    by_class = table[table["label"] != table["label"].iloc[0]]
    known = (*task.metrics, *task.others)
    return [m for m in known if m.name in by_class and by_class[m.name].notna().any()]


def _bars(axis: Axes, table: pandas.DataFrame, metric: Metric) -> None:
    seaborn.barplot(
        table, x="label", y=metric.name, hue="predictions", ax=axis, errorbar=None,
        palette=style.colors(table["predictions"].nunique()),
    )  # fmt: skip
    axis.set(xlabel="", ylabel=metric.axis, ylim=(0, 100))
    if legend := axis.get_legend():  # one for all panels stands above them
        legend.remove()


def _short(paths: list[str]) -> dict[str, str]:
    """Return paths by their last parts, which the legend has, where these tell them apart."""
    short = {path: Path(path).stem for path in paths}
    return short if len(set(short.values())) == len(paths) else {path: path for path in paths}
