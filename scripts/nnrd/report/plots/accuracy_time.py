"""Accuracy of compressed models against the time that an item takes: what INT8 is for."""

from typing import ClassVar

import pandas

from nnrd.report.plots.accuracy_size import AccuracySize


class AccuracyTime(AccuracySize):
    """As `AccuracySize`, over the evaluation's time with its pre- and post-processing.

    Each point ran in its own runtime: what is unquantised says what that alone makes of it.
    """

    xlabel: ClassVar = "evaluation, mean per item (ms)"
    sizes: ClassVar = False

    def x(self, points: pandas.DataFrame) -> pandas.Series:
        """Return the times along the axis."""
        return 1e3 * points["rec_eval_time"] / points["items"]
