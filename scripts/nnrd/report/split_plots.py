"""Plots of what crosses a model's splits."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import pandas as pd

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.report.split_page import PAGE

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers too; and line styles with them.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
CYCLE = [BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = "osD^vPX*"
SUFFIXES = (".svg", ".pdf", ".png")


@contextmanager
def _written(path: Path, rows: int, height: float, **shared: bool) -> Iterator[list[Axes]]:
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: plots end in {', '.join(SUFFIXES)}")
    style = {"svg.fonttype": "none", "svg.hashsalt": "nnrd", "font.size": 9}
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(rows, figsize=(8, height), squeeze=False, **shared)
        try:
            yield list(axes[:, 0])
            _save(figure, path)
        finally:
            pyplot.close(figure)


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    # No dates: the same table gives the same file.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": None}[path.suffix]
    with complete_file(path) as temporary:
        figure.savefig(temporary, dpi=150, metadata=undated)


def splits(table: pd.DataFrame, path: str | Path, title: str) -> None:
    """Plot bytes and branches over the ranks of ``nnrd.split.table`` (TR 26.847, 5.3.9.6).

    ``path`` ends in .svg, .pdf or .png, or in .html for a page to look around in.
    """
    path = Path(path)
    if path.suffix == ".html":
        _page(table, path, title)
        return
    with _written(path, 2, 5.5, sharex=True) as (size, branches):
        if table.bytes.notna().any():
            both_rules(size, table["rank"], table.plain_bytes / 1e6, table.bytes / 1e6, BLUE)
        else:
            size.text(0.5, 0.5, "sizes need inference", transform=size.transAxes, ha="center")
        both_rules(branches, table["rank"], table.plain_branches, table.branches, ORANGE)
        size.set(title=title, ylabel="size of what crosses (MB = 10⁶ bytes)", ylim=(0, None))
        branches.set(xlabel="rank of the first node of part II", ylabel="branches", ylim=(0, None))


def both_rules(axes: Axes, x: pd.Series, plain: pd.Series, lean: pd.Series, colour: str) -> None:
    """Draw the TR's count dashed in grey and the lean one in colour above it."""
    style = {"where": "mid", "linewidth": 1.2}
    values = [series.astype(float).to_numpy() for series in (plain, lean)]
    axes.step(x, values[0], color=GREY, linestyle="--", label="as TR 26.847 counts", **style)
    axes.step(x, values[1], color=colour, label="what has to cross", **style)
    axes.legend(loc="best", framealpha=0.7)
    axes.grid(alpha=0.3)


def _page(table: pd.DataFrame, path: Path, title: str) -> None:
    columns = ["rank", "node_name", "op_type", "branches", "bytes", "plain_branches", "plain_bytes"]
    rows = table[columns].astype(object).where(table[columns].notna(), None).to_numpy().tolist()
    # "</" would end the script element.
    data = json.dumps({"title": title, "rows": rows}).replace("</", "<\\/")
    with complete_file(path) as temporary:
        temporary.write_text(PAGE.replace("/*DATA*/null", data), encoding="utf-8")


def compared(table: pd.DataFrame, path: str | Path, title: str) -> None:
    """Plot TR 26.847's sizes and branches and ours (``comparison.ranks``), over the TR's ranks."""
    with _written(Path(path), 2, 5.5, sharex=True) as (size, branches):
        pairs = (size, "size_mbytes", "size (MB = 10⁶ bytes)"), (branches, "branches", "branches")
        for axes, column, label in pairs:
            theirs, ours = table[f"{column}_theirs"], table[f"{column}_ours"]
            axes.plot(table.rank_theirs, theirs, "o", color=ORANGE, mfc="none", ms=9, label="TR")
            axes.plot(table.rank_theirs, ours, ".-", color=BLUE, label="ours, the TR's count")
            axes.plot(
                *(table.rank_theirs, table[f"lean_{column}"], "x:"),
                color="#009E73",
                label="ours, what has to cross",
            )
            axes.set(ylabel=label, ylim=(0, None))
            axes.grid(alpha=0.3)
        size.legend(frameon=False)
        size.set_title(title)
        branches.set_xlabel("rank of the node in the TR")


def splitability(table: pd.DataFrame, path: str | Path, title: str) -> None:
    """Plot the largest number of branches of each model, TR 26.847's beside ours."""
    with _written(Path(path), 1, 4.5) as (axes,):
        x = range(len(table))
        for shift, column, label, colour in (
            (-0.2, "max_branches_theirs", "TR", ORANGE),
            (0.2, "max_branches_ours", "ours, the TR's count", BLUE),
        ):
            place = [position + shift for position in x]
            hatch = "//" if shift < 0 else None
            bars = axes.bar(
                *(place, table[column]), 0.4, label=label, color=colour, hatch=hatch, ec="white"
            )
            axes.bar_label(bars, fontsize=7)
        axes.set_xticks(list(x), table.model, rotation=40, ha="right")
        axes.set(title=title, ylabel="largest number of branches", yscale="log")
        axes.set_yticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
        axes.legend(frameon=False)


def images(table: pd.DataFrame, paths: list[str | Path], title: str) -> None:
    """Plot the bytes at some ranks for images of several sizes (``comparison.inputs``).

    The first path gets lines, the second bars (TR 26.847, Figures 5.3.9.6.2-2 and -3).
    """
    wide = table.pivot_table(index="shape", columns="split", values="mbytes", sort=False)
    for path, draw in zip(paths, (_lines, _bars), strict=True):
        with _written(Path(path), 1, 5.5) as (axes,):
            draw(axes, wide)
            axes.set(title=title, ylim=(0, None), ylabel="intermediate data (MB = 10⁶ bytes)")
            axes.set_xlabel("input (channels × height × width), by long side ÷ short side")
            axes.set_xticks(range(len(wide)), wide.index, rotation=20, ha="right")
            place = {"loc": "upper center", "bbox_to_anchor": (0.45, -0.28)}
            axes.legend(frameon=False, fontsize=8, title="split before", ncols=2, **place)
            axes.grid(alpha=0.3, axis="y")


def _lines(axes: Axes, wide: pd.DataFrame) -> None:
    for index, column in enumerate(wide):
        colour, marker = CYCLE[index % len(CYCLE)], MARKERS[index % len(MARKERS)]
        axes.plot(range(len(wide)), wide[column], color=colour, marker=marker, label=column)


def _bars(axes: Axes, wide: pd.DataFrame) -> None:
    width = 0.8 / len(wide.columns)
    for index, column in enumerate(wide):
        place = [x - 0.4 + width * (index + 0.5) for x in range(len(wide))]
        hatch = ("", "//", "..", "xx", "\\\\", "++", "oo")[index % 7]
        style = {"color": CYCLE[index % len(CYCLE)], "hatch": hatch, "ec": "white", "lw": 0.3}
        axes.bar(place, wide[column], width, label=column, **style)
