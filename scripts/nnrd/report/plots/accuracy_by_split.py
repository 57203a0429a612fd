"""Accuracy against bytes at one split each (TR 26.847, figures 5.3.9.9-4 and -5)."""

import pandas

from nnrd.report.plots.accuracy_bytes import AccuracyBytes


class AccuracyBySplit(AccuracyBytes):
    """As `AccuracyBytes`, a row of panels a split."""

    def rows(self, points: pandas.DataFrame) -> list[tuple[str, pandas.DataFrame]]:
        """Return the points of each split, in the order of their ranks."""
        ordered = points.sort_values("split", kind="stable")
        return [(f"split {place}", group) for place, group in ordered.groupby("place", sort=False)]
