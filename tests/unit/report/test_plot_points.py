"""Plots of a features study: curves, intervals, and what the items' own files take."""

import errno
import resource

import pandas
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb

from nnrd.report.plots import REGISTRY, style

GREY = to_rgb(style.FILE_LOOK["color"])
METRICS = ("agreement", "F1", "precision", "recall")


def row(codec, size, perf, split=None, sent="features", parameters="{}"):
    found = {
        "study": "s", "task": "detection", "model": "m", "dataset": "d", "metric_name": "AP",
        "codec": codec, "parameters": parameters, "sent": sent, "items": 10, "branches": 1,
        "split": split, "split_name": f"n{split}", "anc_size": 4000, "rec_size": size,
        "compress_ratio": size / 4000, "rec_perf": perf, "anc_perf": 40.0, "runtime": "onnx",
        "AP_difference_low": perf - 45, "AP_difference_high": perf - 35,
    }  # fmt: skip
    return found | {f"{name}{end}": perf for name in METRICS for end in ("", "_low", "_high")}


ROWS = [
    row("anchor", 9000, 40.0, sent=None),
    row("stored", 3000, 40.0, sent="files"),
    *(row("jpeg", size, perf, sent="files") for size, perf in ((500, 25.0), (900, 38.0))),
    *(row(codec, size, 39.0, split) for split in (5, 9) for codec, size in (("raw", 4000),
                                                                            ("float16", 2000))),
    *(row("nnc", size, perf, 5) for size, perf in ((800, 39.0), (300, 20.0), (500, 30.0))),
]  # fmt: skip


@pytest.fixture
def tables(tmp_path):
    pandas.DataFrame(ROWS).to_csv(tmp_path / "points.csv", index=False)
    return style.read_points(tmp_path / "points.csv")


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def draw(name, tables):
    return REGISTRY.get(name)().draw(*tables)


def curves(axis):
    """Return (x, y) of what is drawn with a mark, in order, and whether it is grey."""
    lines = [line for line in axis.lines if line.get_marker() not in ("None", "", None)]
    return [
        (to_rgb(line.get_color()) == GREY, list(map(tuple, line.get_xydata()))) for line in lines
    ]


def test_what_is_held_against_is_no_point(tables):
    points, anchors = tables
    assert list(anchors["codec"]) == ["anchor", "stored", "jpeg", "jpeg"]
    assert set(points["codec"]) == {"raw", "float16", "nnc"}


def test_one_curve_a_split_and_codec_and_grey_ones_of_the_files(tables):
    axis = draw("accuracy_bytes", tables).axes[0]
    found = curves(axis)
    coloured = [points for is_grey, points in found if not is_grey]
    grey = [points for is_grey, points in found if is_grey]
    # raw and float16 are lone marks: no line joins them to each other or to nnc.
    assert sorted(map(len, coloured)) == [1, 1, 1, 1, 3]
    assert [(0.03, 20.0), (0.05, 30.0), (0.08, 39.0)] in coloured
    assert grey == [[(0.3, 40.0)], [(0.05, 25.0), (0.09, 38.0)]]


def test_the_ratio_has_no_files(tables):
    """Their bytes are no share of what crosses."""
    assert not any(is_grey for is_grey, _ in curves(draw("accuracy_ratio", tables).axes[0]))


def bars(axis):
    return sorted(
        tuple(segment[:, 1]) for found in axis.collections for segment in found.get_segments()
    )


def test_bars_are_the_paired_difference_to_the_anchor_and_what_compares_with_it_its_own(tables):
    panels = draw("accuracy_bytes", tables).axes
    points = tables[0]
    expected = sorted((perf - 5, perf + 5) for perf in points["rec_perf"])
    assert bars(panels[0]) == expected
    assert bars(panels[2]) == sorted((perf, perf) for perf in points["F1"])


def test_a_row_of_panels_a_split(tables):
    axes = draw("accuracy_by_split", tables).axes
    titles = [axis.get_title().partition(" (")[0] for axis in axes]
    assert titles == ["split before rank 5"] * 3 + ["split before rank 9"] * 3
    coloured = [[points for grey, points in curves(axis) if not grey] for axis in axes[::3]]
    assert [sorted(map(len, found)) for found in coloured] == [[1, 1, 3], [1, 1]]
    assert len({axis.get_xlim() for axis in axes}) == 1
    assert [bool(axis.get_xlabel()) for axis in axes] == [False] * 3 + [True] * 3


def test_zoomed_is_what_is_near_the_anchor(tables):
    """Of AP, 40 of the anchor: 38 to 40, which are 80 bytes to 400 an item."""
    axis = draw("accuracy_zoomed", tables).axes[0]
    low, high = axis.get_ylim()
    assert low == 35.0 and 41 < high < 43
    left, right = axis.get_xlim()
    assert 0.05 < left < 0.08 and 0.4 < right < 0.6  # kB


@pytest.mark.parametrize("better", [0.0, 30.0])
def test_zoomed_shows_what_is_better_and_lives_without_anything_near(tables, better):
    points, anchors = tables
    points = points.assign(rec_perf=points["rec_perf"] - 39 + (40 + better if better else 0))
    axis = draw("accuracy_zoomed", (points, anchors)).axes[0]
    assert axis.get_ylim()[1] >= 40 + better


def test_bars_of_all_codecs_side_by_side(tables):
    figure = draw("accuracy_bars", tables)
    assert len(figure.axes) == 3
    for axis in figure.axes:
        heights = [bar.get_height() for bar in axis.patches if bar.get_height() > 0]
        assert len(heights) == len(tables[0][["split", "operating_point"]].drop_duplicates()) == 5
        assert axis.get_legend() is None
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["5", "9"]


def test_bars_of_codecs_say_what_the_stored_file_takes(tables):
    figure = draw("codec_bars", tables)
    left = [axis for axis in figure.axes if "kB" in axis.get_ylabel()]
    assert len(left) == 3
    for axis in left:
        (line,) = [line for line in axis.lines if to_rgb(line.get_color()) == GREY]
        assert line.get_ydata()[0] == 0.3


LONG = "at backbone.fpn.layer_blocks.0.output, backbone.fpn.layer_blocks.{}.output"


def cuts(*names):
    """Return a table of an anchor and a point of rank 5 a name, through two codecs."""
    rows = [row("anchor", 9000, 40.0)]
    for i, name in enumerate(names):
        for codec, size in (("raw", 4000), ("nnc", 1000)):
            rows.append(row(codec, size * (i + 1), 39.0 - i, 5) | {"split_name": name})
    table = pandas.DataFrame(rows).assign(operating_point=lambda t: t["codec"])
    table["bytes_per_item"] = table["rec_size"] / table["items"]
    return table[1:], table[:1]


@pytest.mark.parametrize(
    ("names", "ticks"),
    [
        (["conv", "at p3, p4"], ["5", "at p3, p4"]),
        (["at p4", "at p3", "conv"], ["at p4", "at p3", "5"]),
        ([LONG.format(1), LONG.format(2)], [LONG.format(1), LONG.format(2)]),
    ],
)
def test_a_cut_at_tensors_is_no_split_of_the_same_rank(names, ticks):
    tables = cuts(*names)
    figure = draw("codec_bars", tables)
    left, right, below, _ = figure.axes
    drawn = ["".join(text.get_text().split()) for text in below.get_xticklabels()]
    assert drawn == ["".join(tick.split()) for tick in ticks]
    heights = [bar.get_height() for bar in left.patches if bar.get_height() > 0]
    assert heights == pytest.approx([0.4 * (i + 1) for i in range(len(names))])
    assert bars(right) == sorted(2 * [(39.0 - i, 39.0 - i) for i in range(len(names))])
    colours_and_marks = curves(draw("accuracy_bytes", tables).axes[0])
    assert [len(points) for _, points in colours_and_marks] == [1] * 2 * len(names)


@pytest.mark.parametrize("plot", ["accuracy_bytes", "accuracy_ratio", "codec_bars"])
def test_a_metric_without_any_value_has_no_panel(tables, plot):
    """Where the whole model has no sure detection, nothing can be held against it."""
    nothing = {name: float("nan") for name in tables[0] if name.startswith(METRICS)}
    figure = draw(plot, tuple(table.assign(**nothing) for table in tables))
    figure.canvas.draw()
    assert not any("the anchor" in axis.get_ylabel() for axis in figure.axes)


@pytest.mark.fault("disk full: a plot")
@pytest.mark.parametrize("suffix", style.FORMATS)
def test_a_disk_that_takes_no_plot_is_said_as_such(tmp_path, suffix):
    figure, axes = pyplot.subplots()
    axes.set_title("words that need a font")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(OSError) as caught:
            style.save(figure, [tmp_path / f"plot{suffix}"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG and not list(tmp_path.iterdir())
