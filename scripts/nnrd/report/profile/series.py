"""Lines and bars of a profile's plots: what belongs together, what it is called, how it looks."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import pandas
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnrd.report.plots import style

# What, beside the model with its options, tells two rows apart; its words in a legend.
HOW = {
    "runtime": "{}",
    "precision": "{}",
    "device": "on {}",
    "threads": "{} threads",
    "batch": "batch {}",
}
LINES = ("-", "--", ":", "-.")
NOT_MEASURED = "not measured"
MS = 1e3
PER_LEGEND_ROW = 3
LETTERS = 44  # of a line that stands in the place of a plot


def measured(profile: pandas.DataFrame, column: str) -> pandas.DataFrame:
    """Return the rows that have a number in a column, with ``line``, what a legend calls them.

    That is the model and its options, and of the rest what differs between the rows; ``name`` is
    the same without the batch.
    """
    found = profile[profile[column].notna()].copy()
    varied = [name for name in HOW if found[name].nunique() > 1]
    texts = [_text(row, varied) for _, row in found.iterrows()]
    found = found.assign(line=texts, how=[text.partition("; ")[2] for text in texts])
    varied = [name for name in varied if name != "batch"]
    return found.assign(name=[_text(row, varied) for _, row in found.iterrows()])


def _text(row: pandas.Series, varied: Sequence[str]) -> str:
    words = [HOW[name].format(row[name]) for name in varied]
    return "; ".join([row["shown"], ", ".join(words)]) if words else str(row["shown"])


def lines(found: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame, dict[str, Any]]]:
    """Yield the rows of each line, by size, and how it looks.

    The colour is the model with its options; line and mark what else differs.
    """
    shown, how = (list(dict.fromkeys(found[name])) for name in ("shown", "how"))
    colors = style.colors(10)
    for name, rows in found.groupby("line", sort=False):
        first = rows.iloc[0]
        color, place = shown.index(first["shown"]), how.index(first["how"])
        look = {
            "color": colors[color % len(colors)],
            "linestyle": LINES[place % len(LINES)],
            "marker": style.MARKERS[place % len(style.MARKERS)],
            "markersize": 4.5,
            "linewidth": 1.3,
        }
        yield str(name), rows.sort_values("size"), look


def over_sizes(axis: Axes, found: pandas.DataFrame, column: str, scale: float = 1.0) -> None:
    """Draw a column over the sizes of the input, both logarithmic, with its interval if it has one.

    ``column``: a column's name, with ``{}`` where an interval has ``_low`` and ``_high``.
    """
    for name, rows, look in lines(found):
        axis.plot(rows["size"], scale * rows[column.format("")], label=name, **look)
        ends = [column.format(end) for end in ("_low", "_high")]
        if all(end in rows for end in ends) and ends[0] != column:
            low, high = (scale * rows[end] for end in ends)
            axis.fill_between(rows["size"], low, high, color=look["color"], alpha=0.18, linewidth=0)
    axis.set(xscale="log", yscale="log")
    sizes = sorted(found["size"].dropna().unique())
    axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axis.minorticks_off()
    style.logarithmic(axis.yaxis)
    axis.set_xlabel(f"size of the input ({unit(found)})")


def unit(found: pandas.DataFrame) -> str:
    """Return what sizes count: frames are of 10 ms."""
    names = dict.fromkeys(found["size_unit"].dropna())
    return " or ".join("frames of 10 ms" if name == "frames" else str(name) for name in names)


def legend(figure: Figure, axis: Axes) -> None:
    """Put the legend of an axis below the figure."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(PER_LEGEND_ROW, len(labels)),
        frameon=False,
    )  # fmt: skip


def say(axis: Axes, text: str) -> None:
    """Write a sentence in the place of a plot."""
    axis.set_axis_off()
    where: dict[str, Any] = {"ha": "center", "va": "center", "transform": axis.transAxes}
    axis.text(0.5, 0.5, textwrap.fill(text, LETTERS), fontsize=9, **where)


def why_not(profile: pandas.DataFrame, column: str = "energy_reason") -> str:
    """Return that something was not measured, and the reason where one is known."""
    reasons = [str(reason) for reason in profile[column].dropna().unique()]
    return f"{NOT_MEASURED}: {reasons[0]}" if reasons else NOT_MEASURED


def studied(profile: pandas.DataFrame) -> str:
    """Return what a plot is about: the study, on which processor, over how many samples."""
    row = profile.iloc[0]
    ran = profile[profile["samples"].notna()]
    how = f", {ran['repeats'].max():g} × {ran['samples'].max():g} samples" if len(ran) else ""
    return f"{row['study']}: {row['cpu'] if row['cpu'] == row['cpu'] else 'unknown CPU'}{how}"
