"""How all plots look, and how they are saved."""

import json
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import pandas
import seaborn
from matplotlib import pyplot
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.tasks import REGISTRY as TASKS
from nnrd.tasks import Task

mpl.use("Agg")
ANCHOR = "anchor"
# What a format has to leave out, so that the same figure gives the same file: the date.
FORMATS: dict[str, dict[str, None]] = {
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
    ".png": {},
}
ANCHOR_LINE = {"color": "#c00000", "linewidth": 1.2, "linestyle": "--", "zorder": 1}
MARKERS = "osD^vPX*<>"


def apply() -> None:
    """Set the style; colours are seaborn's colour-blind palette."""
    seaborn.set_theme(context="paper", style="whitegrid", palette="colorblind")
    # No random ids either.
    mpl.rcParams.update({"svg.hashsalt": "nnrd", "svg.fonttype": "none", "pdf.fonttype": 42})


def logarithmic(axis: Axis) -> None:
    """Make an axis logarithmic with plain numbers: 1, 10, 100."""
    axis.set_major_locator(LogLocator())
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def colors(count: int) -> list[tuple[float, float, float]]:
    """Return colours that a colour-blind person can tell apart (ten; then they repeat)."""
    return seaborn.color_palette("colorblind", max(count, 1))[:count]


def save(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write a figure to each path, in the format of its suffix, and close it.

    Raises UserError for a suffix other than .pdf, .svg and .png.
    """
    for path in map(Path, paths):
        if path.suffix not in FORMATS:
            raise UserError(f"{path}: plots end in {', '.join(FORMATS)}")
        with complete_file(path) as temporary:
            figure.savefig(
                temporary,
                format=path.suffix[1:],
                dpi=150,
                bbox_inches="tight",
                metadata=FORMATS[path.suffix],
            )
    pyplot.close(figure)


def read_points(path: str | Path) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Return the points and the anchors of a table of points.

    Points gain ``bytes_per_item`` and ``operating_point``, a short text.
    """
    table = pandas.read_csv(path)
    table["operating_point"] = [
        operating_point(row.codec, row.parameters) for row in table.itertuples()
    ]
    table["bytes_per_item"] = table["rec_size"] / table["items"]
    is_anchor = table["codec"] == ANCHOR
    return table[~is_anchor].copy(), table[is_anchor].copy()


def operating_point(codec: str, parameters: str) -> str:
    """Return a codec and its parameters as short text: ``nnc qp −38``."""
    given = (f"{key} {value}" for key, value in json.loads(parameters).items())
    return " ".join([codec, ", ".join(given)]).strip().replace("-", "−")


def split_label(row: pandas.Series) -> str:
    """Return what a split is called in a legend."""
    count = f"{row['branches']:.0f} tensor{'s' if row['branches'] != 1 else ''}"
    return (
        f"before rank {row['split']:.0f} ({count}, {row['anc_size'] / row['items'] / 1e3:,.0f} kB)"
    )


def task_of(points: pandas.DataFrame) -> Task:
    """Return the task of a study's points."""
    return TASKS.get(points["task"].iloc[0])()


def metrics(points: pandas.DataFrame) -> dict[str, str]:
    """Return the columns worth a panel, and their labels: the task's metrics, as it orders them."""
    first, *others = task_of(points).metrics
    panels = {metric.name: metric.axis for metric in others if metric.name in points}
    return {"rec_perf": first.axis} | panels


def title(points: pandas.DataFrame) -> str:
    """Return what a study's plots are about."""
    row = points.iloc[0]
    return f"{row['model']} on {row['items']:.0f} items of {row['dataset']}"
