"""The plot of latencies: curves over the rate, what they consist of, and where splitting pays."""

import pandas
import pytest
from matplotlib.colors import to_rgb
from point_tables import F1, on_two_providers, points

from nnrd.analysis.latency import Circumstances
from nnrd.report import latency_table
from nnrd.report.plots import REGISTRY, style

RATES = {"slow": 1e6, "fast": 1e9}


@pytest.fixture
def draw(tmp_path):
    def drawn(found=None, max_loss=1.0):
        found = points() if found is None else found
        table = latency_table.of_study(found, None, F1, Circumstances(RATES), max_loss)
        table.to_csv(tmp_path / "latency.csv", index=False)
        return REGISTRY.get("latency")().draw(*style.read_points(tmp_path / "latency.csv"))

    return drawn


def curves(axis):
    """Return the last value of each curve that has a name; at the highest rate nothing counts."""
    return {
        line.get_label(): line.get_ydata()[-1]
        for line in axis.lines
        if not str(line.get_label()).startswith("_")
    }


def test_a_curve_a_way_of_the_fastest_that_is_sure(draw):
    """At 4 Gbit/s: the device 60, the stored photo 17, raw at 5 18 ms; at 9 nothing is sure."""
    found = curves(draw().axes[0])
    assert found["all on the device"] == pytest.approx(60)
    assert found["the item itself sent"] == pytest.approx(17, abs=0.01)
    assert found["split before rank 5"] == pytest.approx(18, abs=0.01)
    assert pandas.isna(found["split before rank 9"])


def test_the_background_says_where_splitting_pays(draw):
    (span,) = draw().axes[0].patches
    low, high = span.get_x(), span.get_x() + span.get_width()
    assert (low, high) == (pytest.approx(8e5 / 36, rel=1e-5), pytest.approx(7.2e6 / 7, rel=1e-5))


def test_all_on_the_device_is_not_drawn_where_it_was_not_measured(draw):
    found = curves(draw(on_two_providers()).axes[0])
    assert "all on the device" not in found and "split before rank 5" in found


def test_nothing_pays(draw):
    slow = points()
    slow.loc[3:, "run_time"] *= 1000
    assert not draw(slow).axes[0].patches


def test_bars_add_up_to_the_latency(draw):
    axis = draw().axes[1]
    ends = {}
    for bar in axis.patches:
        place = round(bar.get_y() + bar.get_height() / 2, 3)
        ends[place] = max(ends.get(place, 0.0), bar.get_x() + bar.get_width())
    # The device; stored, and jpeg beyond the loss; at 5 nnc; at 9 nnc, of which nobody is sure.
    totals = sorted(round(end, 3) for end in ends.values() if end)
    assert totals == [21.2, 24.8, 25.0, 32.4, 60.0]
    words = [text.get_text().strip() for text in axis.texts]
    assert words == ["stored", "jpeg, 10 lost", "nnc", "nnc"]


def test_a_panel_a_rate(draw):
    titles = [axis.get_title() for axis in draw().axes[1:]]
    assert titles == ["at slow", "at fast"]


def test_colours_of_splits_differ(draw):
    lines = [line for line in draw().axes[0].lines if "split" in str(line.get_label())]
    assert len({to_rgb(line.get_color()) for line in lines}) == len(lines) == 2
