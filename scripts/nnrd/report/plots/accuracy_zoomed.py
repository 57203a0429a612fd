"""Accuracy against bytes, near the anchor (TR 26.847, figures 5.3.9.9-7 and -9)."""

import pandas
from matplotlib.axes import Axes

from nnrd.report.plots.accuracy_bytes import AccuracyBytes
from nnrd.tasks import Metric

NEAR = 5.0  # how far from the anchor, in the metric's unit, the axis goes
ABOVE = 1.5  # beyond it, on its better side, at least
AROUND = 1.4  # the axis of sizes goes on from the outermost point shown, times this


class AccuracyZoomed(AccuracyBytes):
    """As `AccuracyBytes`, of what loses little."""

    strength = 0.25  # many bars go beyond the panel

    def limit(self, axis: Axes, points: pandas.DataFrame, column: str, metric: Metric) -> None:
        """Show what is near the anchor, and the sizes of that; bars may leave the panel."""
        anchor, sign = float(points["anc_value"].iloc[0]), 1 if metric.higher_is_better else -1
        better = sign * (points[column] - anchor)
        near = points[better >= -NEAR]
        gain = max(ABOVE, 1.1 * better.max()) if better.notna().any() else ABOVE
        worst, best = anchor - sign * NEAR, anchor + sign * gain
        axis.set_ylim(*sorted((worst, best)))
        if len(near):
            axis.set_xlim(near["x"].min() / AROUND, near["x"].max() * AROUND)
