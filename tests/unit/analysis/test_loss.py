"""What a point loses, and when that is within what a study allows."""

import math

import pytest

from nnrd.analysis.loss import judged
from nnrd.tasks import Metric

ACCURACY = Metric("top1", "right class first", "%", higher_is_better=True, interval=True)
ERRORS = Metric("WER", "word error rate", "%", higher_is_better=False, interval=True)
TOP1 = {"anc_perf": 90.0, "rec_perf": 88.0, "top1_difference_low": -3.0}
WER = {"anc_perf": 4.0, "rec_perf": 6.0, "WER_difference_high": 3.0}


@pytest.mark.parametrize(
    ("point", "metric", "max_loss", "loss", "high", "within"),
    [
        (TOP1, ACCURACY, 3, 2, 3, "sure"),
        (TOP1, ACCURACY, 2, 2, 3, "by_mean"),
        (TOP1, ACCURACY, 1.9, 2, 3, "no"),
        (WER, ERRORS, 3, 2, 3, "sure"),
        (WER, ERRORS, 2.5, 2, 3, "by_mean"),
        (WER, ERRORS, 1, 2, 3, "no"),
        # Better than the anchor, and nobody can be sure of it.
        (WER | {"rec_perf": 3.0, "WER_difference_high": 1.0}, ERRORS, 0, -1, 1, "by_mean"),
        # Without an interval nothing is sure, but that nothing changed.
        ({"anc_perf": 4.0, "rec_perf": 4.0}, ERRORS, 1, 0, math.nan, "by_mean"),
        ({"anc_perf": 4.0, "rec_perf": 4.0, "lossless": True}, ERRORS, 0, 0, 0, "sure"),
        (WER | {"lossless": True}, ERRORS, 1, 2, 3, "no"),
    ],
)
def test_a_point_is_judged_by_the_worse_end_of_its_interval(
    point, metric, max_loss, loss, high, within
):
    found = judged(point, metric, max_loss)
    assert found["loss"] == pytest.approx(loss) and found["within_loss"] == within
    assert found["loss_high"] == pytest.approx(high, nan_ok=True)
    assert found["max_loss"] == max_loss


def test_a_bound_on_the_rate_is_not_judged():
    assert judged({"anc_perf": 4.0, "rec_perf": None}, ERRORS, 1) == {}
