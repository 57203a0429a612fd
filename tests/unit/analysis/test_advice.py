"""What is fastest within a loss, and at which rates a split pays, worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from point_tables import AP, F1, WER, points

from nnrd import UserError
from nnrd.analysis import advice
from nnrd.analysis.advice import Piece, choose, fastest_of, judged
from nnrd.analysis.latency import Circumstances, latencies
from nnrd.analysis.loss import BY_MEAN, SURE, WITHIN

KEEP = ["metric_name", "rec_perf", "F1", "F1_low"]


def table(rates=None, keep=KEEP, found=None):
    found = points() if found is None else found
    return latencies(found, Circumstances(rates or {"slow": 1e6}), keep=keep)


def verdicts(judgement):
    return {
        (r.codec, None if pd.isna(r.split) else int(r.split)): r.within_loss
        for r in judgement.itertuples()
    }


def test_verdicts_take_the_worse_end_of_the_interval():
    found = judged(table(), F1, 1.0)
    assert verdicts(found) == {
        ("anchor", None): "sure",
        ("stored", None): "sure",
        ("jpeg", None): "no",
        ("raw", 5): "sure",
        ("nnc", 5): "sure",  # 0.5 lost, at most 0.8
        ("nnc", 9): "by_mean",  # 0.6 lost, at most 3.0
    }
    assert found["loss"].round(9).tolist() == [0, 0, 10, 0, 0.5, 0.6]
    assert found["loss_high"].round(9).tolist() == [0, 0, 20, 0, 0.8, 3.0]


@pytest.mark.parametrize(
    ("loss", "jpeg"),
    [(0.0, "no"), (9.99, "no"), (10.0, "by_mean"), (19.9, "by_mean"), (20, "sure")],
)
def test_verdicts_at_the_bound(loss, jpeg):
    assert verdicts(judged(table(), F1, loss))["jpeg", None] == jpeg


def test_what_is_held_against_the_truth_goes_by_the_paired_difference():
    found = points().assign(AP_difference_low=[-9, -9, -2.0, -0.9, -0.1, -1.5, np.nan])
    judgement = judged(table(found=found, keep=[*KEEP, "AP_difference_low"]), AP, 1.0)
    assert list(verdicts(judgement).values()) == [SURE, BY_MEAN, BY_MEAN, SURE, SURE, BY_MEAN]
    assert judgement["loss"].round(9).tolist() == [0, 0, 1, 0, 0.05, 0.06]


def test_an_error_rate_is_worse_when_it_is_higher():
    found = points().assign(metric_name="WER", rec_perf=[3.0, 3, 5, 3, 2.5, 3.8, np.nan])
    found["WER_difference_high"] = [1, 0.2, 4, 0.0, 0.6, 2, np.nan]
    judgement = judged(table(found=found, keep=[*KEEP, "WER_difference_high"]), WER, 1.0)
    assert judgement["loss"].round(9).tolist() == [0, 0, 2, 0, -0.5, 0.8]
    assert list(verdicts(judgement).values()) == [SURE, SURE, "no", SURE, SURE, BY_MEAN]


def test_a_lossless_codec_that_changed_nothing_is_sure_on_any_number_of_items():
    few = points().assign(F1_low=87.2, lossless=[None, True, False, True, False, False, False])
    found = judged(table(found=few, keep=[*KEEP, "lossless"]), F1, 1.0)
    assert list(verdicts(found).values()) == [SURE, SURE, "no", SURE, BY_MEAN, BY_MEAN]
    changed = few.assign(F1=[100, 100, 90, 99.9, 99, 99, np.nan])
    found = judged(table(found=changed, keep=[*KEEP, "lossless"]), F1, 1.0)
    assert verdicts(found)["raw", 5] == BY_MEAN


def test_without_intervals_only_the_anchor_is_sure():
    found = judged(table(keep=["F1"]), F1, 1.0)
    assert list(verdicts(found).values()) == [SURE, BY_MEAN, "no", BY_MEAN, BY_MEAN, BY_MEAN]


def test_nan_is_within_no_loss():
    found = points()
    found.loc[4, ["F1", "F1_low"]] = np.nan
    assert verdicts(judged(table(found=found), F1, 1.0))["nnc", 5] == "no"


@pytest.mark.parametrize(
    ("drop", "metric", "loss", "reason"),
    [
        ("anchor", F1, 1.0, "no row of the anchor"),
        (None, F1, -1.0, "largest loss"),
        (None, F1, math.nan, "largest loss"),
        (None, WER, 1.0, "no column WER: there are no numbers"),
    ],
)
def test_what_cannot_be_judged(drop, metric, loss, reason):
    found = points()
    with pytest.raises(UserError, match=reason):
        judged(table(found=found[found["codec"] != drop]), metric, loss)


def test_the_fastest_at_each_rate():
    """Of lines a + 8 b / r (r in kbit/s): 60 | 17 + 8,000/r | 18 + 16,000/r | 24 + 800/r.

    The second is always faster than the third. It meets the fourth where 7,200/r = 7, at 1,028.57
    kbit/s; the fourth meets the first where 800/r = 36, at 22.22 kbit/s.
    """
    found = fastest_of([60.0, 17.0, 18.0, 24.0], [0.0, 1000.0, 2000.0, 100.0])
    assert [piece.place for piece in found] == [1, 3, 0]
    assert found[0] == Piece(1, pytest.approx(7.2e6 / 7), math.inf)
    assert found[1] == Piece(3, pytest.approx(8e5 / 36), pytest.approx(7.2e6 / 7))
    assert found[2] == Piece(0, 0.0, pytest.approx(8e5 / 36))


@pytest.mark.parametrize(
    ("fixed", "sizes", "places"),
    [
        ([], [], []),
        ([5.0], [7.0], [0]),
        ([5.0, 5.0], [7.0, 7.0], [0]),
        ([5.0, 5.0], [7.0, 3.0], [1]),
        ([4.0, 5.0], [3.0, 3.0], [0]),
        ([math.nan, 5.0], [0.0, 3.0], [1]),
        ([math.inf, 5.0], [0.0, 3.0], [1]),
        ([1.0, 2.0, 3.0], [2.0, 1.0, 0.0], [0, 2]),  # three lines through one point
    ],
)
def test_the_fastest_of_odd_lines(fixed, sizes, places):
    found = fastest_of(fixed, sizes)
    assert [piece.place for piece in found] == places
    if found:
        assert found[0].highest == math.inf and found[-1].lowest == 0.0


def test_the_envelope_is_the_minimum_at_every_rate():
    random = np.random.default_rng(1)
    fixed, sizes = random.uniform(1, 90, 60), random.uniform(0, 1e5, 60)
    pieces = fastest_of(fixed.tolist(), sizes.tolist())
    for rate in np.geomspace(1e3, 1e11, 300):
        (piece,) = [p for p in pieces if p.lowest < rate <= p.highest]
        assert fixed[piece.place] + 8e3 * sizes[piece.place] / rate == pytest.approx(
            min(fixed + 8e3 * sizes / rate)
        )


def test_a_choice():
    """Surely allowed: device 60, stored 17 + 8,000/r, raw 18 + 16,000/r, nnc at 5 24 + 800/r."""
    found = choose(judged(table(), F1, 1.0), (SURE,))
    assert found.fastest is not None and found.fastest["codec"] == "nnc"
    assert found.fastest["total_ms"] == pytest.approx(24.8)
    assert found.network["codec"] == "stored" and found.network["total_ms"] == pytest.approx(25.0)
    assert found.device["total_ms"] == pytest.approx(60.0)
    assert found.pays == [(pytest.approx(8e5 / 36), pytest.approx(7.2e6 / 7))]


def test_a_choice_by_the_mean_goes_lower_where_a_point_sends_less():
    """At 9: 32 + 400/r, faster than at 5 below 50 kbit/s, than the device above 14.29 kbit/s."""
    found = choose(judged(table(), F1, 1.0), (SURE, BY_MEAN))
    assert found.pays == [(pytest.approx(4e5 / 28), pytest.approx(7.2e6 / 7))]


def test_a_fast_device_makes_every_split_useless():
    slow_network = points()
    slow_network.loc[1:, "run_time"] *= 1000
    found = choose(judged(table(found=slow_network), F1, 1.0), (SURE, BY_MEAN))
    assert found.pays == [] and found.fastest["codec"] == "anchor"


def test_nothing_allowed():
    judgement = judged(table(), F1, 1.0)
    found = choose(judgement[judgement["where"] != "device"].assign(**{WITHIN: "no"}), (SURE,))
    assert found == advice.Choice(None, None, None, []) and found.fastest is None


def test_the_answer_does_not_depend_on_the_rate_asked_for():
    ranges = [
        choose(judged(table({"x": rate}), F1, 1.0), (SURE,)).pays for rate in (1.0, 1e6, 1e15)
    ]
    for found in ranges:
        assert found == [(pytest.approx(8e5 / 36, rel=1e-4), pytest.approx(7.2e6 / 7, rel=1e-4))]


def test_ranges_beside_every_rate_of_a_point():
    both = advice.with_ranges(judged(table({"slow": 1e6, "fast": 1e9}), F1, 1.0))
    nnc = both[(both["codec"] == "nnc") & (both["split"] == 5)]
    assert nnc["fastest_from"].tolist() == pytest.approx([8e5 / 36] * 2)
    assert nnc["by_mean_fastest_from"].tolist() == pytest.approx([4e5 / 8] * 2)
    stored = both[both["codec"] == "stored"]
    assert stored["fastest_to"].tolist() == [math.inf] * 2
    assert both[both["codec"] == "raw"]["fastest_from"].isna().all()


def test_neighbouring_ranges_are_one():
    pieces = [Piece(0, 5.0, math.inf), Piece(1, 3.0, 5.0), Piece(2, 0.0, 1.0)]
    assert advice.joined(pieces) == [(0.0, 1.0), (3.0, math.inf)]
