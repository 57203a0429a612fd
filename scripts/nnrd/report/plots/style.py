"""How all plots look, and how they are saved."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas
import seaborn
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.report import tables
from nnrd.report.labels import LONGEST, named_split, operating_point, place
from nnrd.tasks import Metric

mpl.use("Agg")
ANCHOR = "anchor"
FILES, STORED = "files", "stored"
FILE_LOOK: dict[str, Any] = {
    "color": "0.35", "linewidth": 1.2, "linestyle": "--", "markersize": 7,
    "markeredgecolor": "white", "markeredgewidth": 0.6, "zorder": 4,
}  # fmt: skip
# What a format has to leave out, so that the same figure gives the same file: the date.
FORMATS: dict[str, dict[str, None]] = {
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
    ".png": {},
}
ANCHOR_LINE: dict[str, Any] = {"color": "#c00000", "linewidth": 1.2, "linestyle": "--", "zorder": 1}
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
        drawn = BytesIO()  # a full disk makes Matplotlib's writer of PDF stumble over itself
        figure.savefig(
            drawn,
            format=path.suffix[1:],
            dpi=150,
            bbox_inches="tight",
            metadata=FORMATS[path.suffix],
        )
        with complete_file(path) as temporary:
            temporary.write_bytes(drawn.getvalue())
    pyplot.close(figure)


def read_points(path: str | Path) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Return the points of a table of points, and what they are held against.

    That is the anchor of each study and, behind it, what sending its items as files takes: rows
    whose column ``sent`` is ``files``. Both gain ``bytes_per_item`` and ``operating_point``, a
    short text. Raises UserError as `nnrd.report.tables.read` does.
    """
    table = tables.read(path)
    table["operating_point"] = [
        operating_point(row.codec, row.parameters) for row in table.itertuples()
    ]
    table["bytes_per_item"] = table["rec_size"] / table["items"]
    is_held = table["codec"].eq(ANCHOR) | table.get("sent", table["codec"]).eq(FILES)
    return table[~is_held].copy(), table[is_held].copy()


def split_label(row: pandas.Series, longest: int | None = LONGEST) -> str:
    """Return what a split is called in a legend."""
    count = f"{row['branches']:.0f} tensor{'s' if row['branches'] != 1 else ''}"
    return f"{place(row, longest)} ({count}, {row['anc_size'] / row['items'] / 1e3:,.0f} kB)"


def places(points: pandas.DataFrame) -> pandas.Series:
    """Return the labels of the points' splits, which differ where the splits do.

    A cut at named tensors has a rank too, which another split may have; and names of tensors that
    begin alike are told apart by being written out.
    """
    short = points.apply(split_label, axis=1)
    alike = points.apply(named_split, axis=1, longest=None).groupby(short).transform("nunique")
    return short.where(alike <= 1, points.apply(split_label, axis=1, longest=None))


def interval(
    points: pandas.DataFrame, metric: Metric, anchor: float
) -> tuple[pandas.Series, pandas.Series]:
    """Return the ends of what is drawn as a metric's 95 % interval; nan where a task has none.

    Against the anchor a point is judged by the paired difference, so that is drawn, from
    ``anchor`` on, its value; a metric that compares with the anchor has its own.
    """
    name, base = (metric.name, 0.0) if metric.to_anchor else (f"{metric.name}_difference", anchor)
    none = pandas.Series(float("nan"), index=points.index)
    low, high = (points.get(f"{name}_{end}", none) + base for end in ("low", "high"))
    return low, high


def scale_accuracy(axis: Axes, values: pandas.Series, metric: Metric) -> None:
    """Begin an axis of percent at 0; where an error rate exceeds 120 %, show the rest too.

    Then it is linear up to 10 and logarithmic above. Bounds on the rate have no values.
    """
    highest = values.dropna().max() if values.notna().any() else 0.0
    if metric.higher_is_better or highest <= 120:
        axis.set_ylim(bottom=0, top=max(102, highest) if highest > 60 else None)
        return
    ticks = [0, 2, 4, 6, 8, *(digit * 10**power for power in range(1, 6) for digit in (1, 2, 5))]
    top = next((tick for tick in ticks if tick >= highest), highest)
    axis.set_yscale("symlog", linthresh=10)
    axis.set_yticks([tick for tick in ticks if tick <= top], minor=False)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.set_ylim(0, top)


def title(points: pandas.DataFrame) -> str:
    """Return what a study's plots are about."""
    row = points.iloc[0]
    return f"{row['model']} on {row['items']:.0f} items of {row['dataset']}"
