"""The table of latencies of one study: every point at every rate, and what is the fastest."""

import pandas as pd

from nnrd.analysis.advice import judged, with_ranges
from nnrd.analysis.latency import SPLIT, Circumstances, latencies, where
from nnrd.core.errors import UserError
from nnrd.report.tables import INTEGERS, metrics, task_of
from nnrd.tasks import Metric

KEPT = (
    *("task", "split_name", "branches", "sent", "lossless", "isolated", "provider", "anc_size"),
    *("part1_provider", "metric_name", "anc_perf", "rec_perf"),
)


def metric_of(points: pd.DataFrame, name: str | None) -> Metric:
    """Return a metric of a study's task by its name, or the one that says what compression did."""
    return task_of(points).named(name) if name else list(metrics(points).values())[-1]


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
    found = with_ranges(judged(found, metric, max_loss))
    return found.astype({name: "Int64" for name in INTEGERS if name in found})
