"""Accuracy against the compression ratio: a panel a metric, a curve a split and codec."""

from typing import ClassVar

import pandas

from nnrd.report.plots.accuracy_bytes import AccuracyBytes


class AccuracyRatio(AccuracyBytes):
    """As `AccuracyBytes`, over rec_size / anc_size (TR 26.847, Table 2.1.2.2.3-1)."""

    xlabel: ClassVar = "size in percent of the tensors' size"
    with_files: ClassVar = False

    def x(self, points: pandas.DataFrame) -> pandas.Series:
        """Return the ratio in percent."""
        return 100 * points["compress_ratio"]
