"""What a point loses against its anchor, and whether that is within what is allowed."""

import math
from collections.abc import Mapping
from typing import Any

from nnrd.tasks import Metric

SURE, BY_MEAN, BEYOND = "sure", "by_mean", "no"
WITHIN = "within_loss"  # the column that says which
ROUNDING = 1e-9  # of losses in percent


def verdict(loss: float, high: float, max_loss: float) -> str:
    """Return whether a loss is within ``max_loss``: ``sure``, ``by_mean`` or ``no``.

    ``high`` is the worse end of its interval; where that is nan nothing is sure. All are in the
    metric's unit, a loss positive.
    """
    if not loss <= max_loss + ROUNDING:
        return BEYOND
    return SURE if high <= max_loss + ROUNDING else BY_MEAN


def judged(point: Mapping[str, Any], metric: Metric, max_loss: float) -> dict[str, Any]:
    """Return ``max_loss``, ``loss``, ``loss_high`` and ``within_loss`` of a point's record.

    ``metric`` is the one that models are compared by. ``loss_high``: the worse end of the 95 %
    interval of the paired difference to the anchor; nan where the task has no intervals, 0 of a
    lossless codec that changed nothing. Nothing of a bound on the rate, which has no accuracy.
    """
    if point["rec_perf"] is None:
        return {}
    sign = 1.0 if metric.higher_is_better else -1.0
    loss = sign * (point["anc_perf"] - point["rec_perf"])
    worse = point.get(f"{metric.name}_difference_{'low' if metric.higher_is_better else 'high'}")
    high = math.nan if worse is None else -sign * worse
    if point.get("lossless") and loss == 0:
        high = 0.0
    found = {"max_loss": float(max_loss), "loss": loss, "loss_high": high}
    return found | {WITHIN: verdict(loss, high, max_loss)}
