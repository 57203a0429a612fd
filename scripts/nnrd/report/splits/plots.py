"""Plots of what crosses a model's splits."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnrd.report.plots import style

GREY = "0.55"
HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo", "--", "**", "||")
MBYTES = "MB = 10⁶ bytes"


def ranks(table: pd.DataFrame, title: str) -> Figure:
    """Draw bytes and branches over the ranks of ``nnrd.split.table`` (TR 26.847, 5.3.9.6)."""
    figure, (size, branches) = _panels(2, 5.5, sharex=True)
    blue, orange = style.colors(2)
    if table.bytes.notna().any():
        _both_rules(size, table["rank"], table.plain_bytes / 1e6, table.bytes / 1e6, blue)
    else:
        size.text(0.5, 0.5, "sizes need inference", transform=size.transAxes, ha="center")
    _both_rules(branches, table["rank"], table.plain_branches, table.branches, orange)
    size.set(title=title, ylabel=f"size of what crosses\n({MBYTES})")
    branches.set(xlabel="rank of the first node of part II", ylabel="branches")
    branches.yaxis.set_major_locator(MaxNLocator(integer=True))
    branches.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def compared(table: pd.DataFrame, title: str) -> Figure:
    """Draw published sizes and branches and ours (`comparison.ranks`), over their ranks."""
    figure, (size, branches) = _panels(2, 5.5, sharex=True)
    blue, orange, green = style.colors(3)
    theirs: dict[str, Any] = {"color": orange, "mfc": "none", "ms": 8, "label": "published"}
    theirs |= {"clip_on": False, "zorder": 3}
    counted: dict[str, Any] = {"color": blue, "ms": 5, "label": "ours, counted alike"}
    lean: dict[str, Any] = {"color": green, "ms": 4, "label": "ours, what has to cross"}
    for axes, column in ((size, "size_mbytes"), (branches, "branches")):
        axes.plot(table.rank_theirs, table[f"{column}_theirs"], "o", **theirs)
        axes.plot(table.rank_theirs, table[f"{column}_ours"], ".-", **counted)
        axes.plot(table.rank_theirs, table[f"lean_{column}"], "x:", **lean)
        axes.set_ylim(bottom=0)
    size.set(title=title, ylabel=f"size ({MBYTES})")
    branches.set(xlabel="rank in the publication", ylabel="branches")
    branches.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*size.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def most_branches(table: pd.DataFrame, title: str) -> Figure:
    """Draw the largest number of branches of each model, published and ours, side by side."""
    figure, (axes,) = _panels(1, 4.5)
    blue, orange = style.colors(2)
    for shift, column, label, color, hatch in (
        (-0.2, "max_branches_theirs", "published", orange, "//"),
        (0.2, "max_branches_ours", "ours, counted alike", blue, ""),
    ):
        place = [position + shift for position in range(len(table))]
        bars = axes.bar(place, table[column], 0.4, label=label, color=color, hatch=hatch)
        axes.bar_label(bars, fontsize=7)
    axes.set_xticks(range(len(table)), table.model, rotation=40, ha="right")
    # Bars begin below 1, so that one branch is seen as a bar.
    axes.set(title=title, ylabel="largest number of branches", yscale="log", ylim=(0.5, None))
    style.logarithmic(axes.yaxis)
    axes.grid(axis="x", visible=False)
    axes.legend()
    return figure


def inputs(table: pd.DataFrame, title: str) -> Figure:
    """Draw the bytes at some ranks for several inputs (`comparison.inputs`), as lines and bars.

    The two are TR 26.847's Figures 5.3.9.6.2-2 and -3.
    """
    wide = table.pivot_table(index="shape", columns="split", values="mbytes", sort=False)
    wide = wide[list(dict.fromkeys(table.sort_values("rank").split))]
    figure, (lines, bars) = _panels(2, 7.5, sharex=True)
    for index, (column, color) in enumerate(_colored(wide)):
        marker = style.MARKERS[index % len(style.MARKERS)]
        lines.plot(range(len(wide)), wide[column], marker=marker, color=color, label=column)
        width = 0.8 / len(wide.columns)
        place = [x - 0.4 + width * (index + 0.5) for x in range(len(wide))]
        hatch = HATCHES[index % len(HATCHES)]
        bars.bar(place, wide[column], width, color=color, hatch=hatch, linewidth=0.3)
    for axes in (lines, bars):
        axes.set(ylabel=f"intermediate data\n({MBYTES})", ylim=(0, None))
        axes.grid(axis="x", visible=False)
    lines.set_title(title)
    bars.set_xticks(range(len(wide)), wide.index, rotation=30, ha="right")
    bars.set_xlabel("input, the squarest first")
    figure.legend(
        *lines.get_legend_handles_labels(), title="split before", loc="outside lower center"
    )
    return figure


def _panels(rows: int, height: float, sharex: bool = False) -> tuple[Figure, list[Axes]]:
    style.apply()
    figure, axes = pyplot.subplots(
        rows, figsize=(8, height), squeeze=False, sharex=sharex, layout="constrained"
    )
    return figure, list(axes[:, 0])


def _colored(wide: pd.DataFrame) -> Iterator[tuple[str, tuple[float, float, float]]]:
    return zip(wide.columns, style.colors(len(wide.columns)), strict=True)


def _both_rules(axes: Axes, x: pd.Series, plain: pd.Series, lean: pd.Series, color: Any) -> None:
    """Draw the plain count dashed in grey and the lean one in colour above it."""
    for values, label, look, line in (
        (plain, "as TR 26.847 counts", GREY, "--"),
        (lean, "what has to cross", color, "-"),
    ):
        numbers = values.astype(float).to_numpy()
        axes.step(x, numbers, line, where="mid", linewidth=1.2, label=label, color=look)
    axes.set_ylim(bottom=0)
    axes.legend(loc="best", framealpha=0.7)
