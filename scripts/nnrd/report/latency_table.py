"""The table of latencies of one study: every point at every rate, and what is the fastest."""

import pandas as pd

from nnrd.analysis.advice import judged, with_ranges
from nnrd.analysis.latency import SPLIT, Circumstances, latencies, where
from nnrd.core.errors import UserError
from nnrd.tasks import Metric

KEPT = (
    *("task", "split_name", "branches", "sent", "lossless", "isolated", "provider", "anc_size"),
    *("metric_name", "anc_perf", "rec_perf"),
)


def of_study(
    points: pd.DataFrame,
    items: pd.DataFrame | None,
    metric: Metric,
    given: Circumstances,
    max_loss: float,
) -> pd.DataFrame:
    """Return the latencies of a study's points, judged by a metric; accuracies are kept.

    Columns as `latencies`, `judged` and `with_ranges` of `nnrd.analysis` have them. Raises
    UserError as they do, and where the study splits nothing.
    """
    accuracy = [name for name, _ in metric.columns()]
    kept = [name for name in dict.fromkeys([*KEPT, *accuracy]) if name in points]
    if "split" in points and "codec" in points and not (where(points) == SPLIT).any():
        raise UserError("nothing is split: there are no latencies to compare")
    found = latencies(points, given, items, kept)
    return with_ranges(judged(found, metric, max_loss))
