"""Plots of a table of points; other packages publish theirs under ``nnrd.plots``."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from nnrd.core.registry import Registry

if TYPE_CHECKING:  # matplotlib takes a second to import
    import pandas
    from matplotlib.figure import Figure


class Plot(ABC):
    """A picture of a study's points. Subclass it to add one."""

    @abstractmethod
    def draw(self, points: "pandas.DataFrame", anchors: "pandas.DataFrame") -> "Figure":
        """Draw the tables that `style.read_points` returns.

        ``anchors`` begins with the anchor of the study; in features studies rows follow of what
        sending the items as files takes.
        """


REGISTRY: Registry[type[Plot]] = Registry(
    "nnrd.plots",
    "plot",
    {
        "accuracy_bars": "nnrd.report.plots.accuracy_bars:AccuracyBars",
        "accuracy_by_split": "nnrd.report.plots.accuracy_by_split:AccuracyBySplit",
        "accuracy_bytes": "nnrd.report.plots.accuracy_bytes:AccuracyBytes",
        "accuracy_ratio": "nnrd.report.plots.accuracy_ratio:AccuracyRatio",
        "accuracy_size": "nnrd.report.plots.accuracy_size:AccuracySize",
        "accuracy_time": "nnrd.report.plots.accuracy_time:AccuracyTime",
        "accuracy_zoomed": "nnrd.report.plots.accuracy_zoomed:AccuracyZoomed",
        "codec_bars": "nnrd.report.plots.codec_bars:CodecBars",
        "latency": "nnrd.report.plots.latency:LatencyPlot",
    },
    of="nnrd.report.plots:Plot",
)
TABLES = {"latency": "latency"}  # plots of another table than that of points
