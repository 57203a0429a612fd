"""A page about the splits of some models, to look around in; it needs nothing else."""

import re
from collections.abc import Mapping

import pandas as pd
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.models import (
    BasicTicker,
    Column,
    ColumnDataSource,
    HoverTool,
    NumeralTickFormatter,
    TabPanel,
    Tabs,
)
from bokeh.plotting import figure
from bokeh.resources import INLINE

from nnrd.core.links import latency_ms
from nnrd.datasets.published import LATENCY
from nnrd.report.plots import style

GREY = "#8c8c8c"
SHOWN = ["rank", "node_name", "op_type", "branches", "plain_branches"]


def splits(tables: Mapping[str, pd.DataFrame], rates: Mapping[str, float], title: str) -> str:
    """Return a page with a tab a model: bytes and branches over the ranks, to look around in.

    ``tables`` are ``nnrd.split.table``'s by model; ``rates``, in bit/s by name, give the
    latencies that stand beside the pointer. Bokeh's library is in the page.
    """
    panels = [
        TabPanel(title=name, child=_model(found, rates, name)) for name, found in tables.items()
    ]
    document = Document(title=title)
    document.add_root(Tabs(tabs=panels, tabs_location="left", sizing_mode="stretch_both"))
    return _without_chance(file_html(document, INLINE, title))


def _without_chance(page: str) -> str:
    """Return a page whose random ids are numbered, so that the same tables give the same page."""
    ids = re.findall(r"\b[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}\b", page)
    for number, found in enumerate(dict.fromkeys(ids)):
        page = page.replace(found, f"splits-{number}")
    return page


def _model(found: pd.DataFrame, rates: Mapping[str, float], title: str) -> Column:
    source = ColumnDataSource(_columns(found, rates))
    blue, orange = (_hex(color) for color in style.colors(2))
    size = _panel(source, "mbytes", "size of what crosses (MB = 10⁶ bytes)", blue)
    branches = _panel(source, "branches", "branches", orange)
    size.title = title if found.bytes.notna().any() else f"{title}: sizes need inference"
    branches.x_range = size.x_range
    branches.xaxis.axis_label = "rank of the first node of part II"
    branches.yaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
    branches.yaxis.formatter = NumeralTickFormatter(format="0")
    for plot in (size, branches):
        plot.xaxis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)
        plot.xaxis.formatter = NumeralTickFormatter(format="0")
        plot.add_tools(_hover(plot, source, rates))
    return Column(children=[size, branches], sizing_mode="stretch_both")


def _columns(found: pd.DataFrame, rates: Mapping[str, float]) -> pd.DataFrame:
    shown = found[SHOWN].copy()
    for column, name in (("bytes", "mbytes"), ("plain_bytes", "plain_mbytes")):
        shown[name] = found[column].astype(float) / 1e6
    for name, rate in rates.items():
        shown[f"{LATENCY}{name}"] = latency_ms(found["bytes"].astype(float), rate)
    return shown


def _panel(source: ColumnDataSource, column: str, label: str, color: str) -> figure:
    plot = figure(
        height=320,
        sizing_mode="stretch_both",
        tools="pan,xwheel_zoom,box_zoom,reset,save",
        active_scroll="xwheel_zoom",
        y_axis_label=label,
    )
    plain = {"line_color": GREY, "line_dash": "dashed", "legend_label": "as TR 26.847 counts"}
    plot.step("rank", f"plain_{column}", mode="center", source=source, **plain)
    lean = {"line_color": color, "line_width": 1.5, "legend_label": "what has to cross"}
    plot.step("rank", column, mode="center", source=source, **lean)
    plot.y_range.start = 0
    plot.legend.orientation = "horizontal"
    plot.legend.border_line_alpha = 0
    plot.legend.click_policy = "hide"
    plot.add_layout(plot.legend[0], "above")
    return plot


def _hover(plot: figure, source: ColumnDataSource, rates: Mapping[str, float]) -> HoverTool:
    """Return what shows a rank's facts, wherever above the rank the pointer is."""
    top = max((max(source.data[name]) for name in ("plain_mbytes", "plain_branches")), default=1)
    bars = plot.vbar(
        "rank", width=1, bottom=0, top=top, source=source, fill_alpha=0, line_alpha=0,
        hover_fill_alpha=0.15, hover_fill_color=GREY, hover_line_alpha=0,
    )  # fmt: skip
    plot.y_range.renderers = [r for r in plot.renderers if r is not bars]
    tooltips = [
        ("rank", "@rank"),
        ("before", "@node_name (@op_type)"),
        ("branches", "@branches (@plain_branches as TR 26.847 counts)"),
        ("MB", "@mbytes{0.000} (@plain_mbytes{0.000})"),
        *((f"ms at {name}", f"@{LATENCY}{name}{{0.00}}") for name in rates),
    ]
    return HoverTool(renderers=[bars], tooltips=tooltips, point_policy="follow_mouse")


def _hex(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)
