"""The plot of compressed models: what it shows, and how far its axes go."""

import pandas
import pytest

from nnrd.report.plots import REGISTRY


def table(*rows):
    columns = ["model", "dataset", "codec", "compress_ratio", "rec_perf", "metric_name"]
    frame = pandas.DataFrame(rows, columns=columns)
    frame["task"] = ["asr" if name == "WER" else "classification" for name in frame.metric_name]
    return frame.assign(
        runtime="torch",
        parameters="{}",
        split=float("nan"),
        items=40,
        WER_low=frame.rec_perf / 2,
        WER_high=300.0,
    )


def draw(points, anchors):
    return REGISTRY.get("accuracy_size")().draw(points, anchors)


WHISPER = [("w", "d", "nnc", 0.06, 590.0, "WER"), ("w", "d", "nnc", 0.14, 0.7, "WER")]
HUBERT = [("h", "d", "nnc", 0.1, 9.0, "WER"), ("h", "d", "raw", 1.0, 2.0, "WER")]
MOBILE = [("m", "p", "nnc", 0.1, 90.0, "top1")]
ANCHORS = table(
    ("w", "d", "anchor", None, 0.7, "WER"),
    ("h", "d", "anchor", None, 2.0, "WER"),
    ("m", "p", "anchor", None, 95.0, "top1"),
)


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        (WHISPER, [["nnc", "anchor (0.7 %)"]]),
        (
            WHISPER + HUBERT,
            [["w, nnc", "h, nnc", "h, raw", "w, anchor (0.7 %)", "h, anchor (2 %)"]],
        ),
        (WHISPER + MOBILE, [["w, nnc", "w, anchor (0.7 %)"], ["m, nnc", "m, anchor (95 %)"]]),
    ],
)
def test_what_is_drawn(rows, labels):
    figure = draw(table(*rows), ANCHORS)
    drawn = [[text.get_text() for text in axis.get_legend().texts] for axis in figure.axes]
    assert drawn == labels
    assert figure.axes[0].get_ylabel() == "word error rate (%)"


def test_points_with_a_split_are_of_another_plot():
    rows = table(*WHISPER, *MOBILE)
    rows.loc[2, "split"] = 3
    assert len(draw(rows, ANCHORS).axes) == 1


@pytest.mark.parametrize(("rows", "top"), [(WHISPER, 1000), (MOBILE, 102)])
def test_axes_hold_all_points(rows, top):
    axis = draw(table(*rows), ANCHORS).axes[0]
    assert axis.get_ylim() == (0, top)
    assert axis.get_xlim()[0] == 0


@pytest.mark.parametrize(("published", "factor"), [(500, 2.0), (1010, None), (None, None)])
def test_sizes_are_also_shares_of_the_published_file_where_that_is_not_float32(published, factor):
    rows = table(*WHISPER).assign(anc_size=1000, published_size=published)
    figure = draw(rows, ANCHORS)
    figure.canvas.draw()  # limits of a second axis follow then
    axis = figure.axes[0]
    found = [child for child in axis.child_axes if "published" in child.get_xlabel()]
    assert len(found) == (factor is not None)
    for child in found:
        assert child.get_xlim()[1] == pytest.approx(axis.get_xlim()[1] * factor)


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ((500, 1010), ["w, anchor (0.7 %, published at 50 % of its size)"]),
        (
            (500, 250),
            [
                "w, anchor (0.7 %, published at 50 % of its size)",
                "h, anchor (2 %, published at 25 % of its size)",
            ],
        ),
        ((None, None), []),
    ],
)
def test_of_several_models_the_legend_says_the_share_of_the_published_files(published, said):
    """A second axis could be right for one of them only."""
    rows = table(*WHISPER, *HUBERT).assign(anc_size=1000)
    rows["published_size"] = [size for size in published for _ in range(2)]
    axis = draw(rows, ANCHORS).axes[0]
    assert not axis.child_axes
    labels = [text.get_text() for text in axis.get_legend().texts]
    assert [label for label in labels if "published" in label] == said
