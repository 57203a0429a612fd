"""What a user supplies: a data loader, a metric, an engine; the names are POT's."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from nnrd.models.pipeline import Arrays, Run

__all__ = ["Arrays", "DataLoader", "Engine", "Metric", "Run", "Validate"]

# How good the whole model is on some items of the loader, by their numbers, with this `Run` in the
# place of the graph that is quantised: the value, higher is better, and one an item where known.
Validate = Callable[[Run, Sequence[int]], tuple[float, list[float] | None]]


class DataLoader(Protocol):
    """Items to calibrate with, or to score."""

    def __len__(self) -> int:
        """Return the number of items."""

    def __getitem__(self, index: int, /) -> tuple[Any, Any]:
        """Return the annotation of an item, and its data, as metric and engine take them."""


class Metric(ABC):
    """How good predictions are: a number an item, and one over all since `reset`."""

    name: str
    higher_is_better: bool = True

    @property
    @abstractmethod
    def value(self) -> list[float]:
        """The values of the last update, one a sample."""

    @property
    @abstractmethod
    def avg_value(self) -> float:
        """The value over all samples since `reset`; nan before the first."""

    @abstractmethod
    def update(self, prediction: Any, annotation: Any) -> None:
        """Take the prediction of an item and its annotation."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all samples."""

    def get_attributes(self) -> dict[str, dict[str, str]]:
        """Return what POT asks of a metric: its direction, by its name."""
        direction = "higher-better" if self.higher_is_better else "higher-worse"
        return {self.name: {"direction": direction, "type": self.name}}


class Engine(ABC):
    """How a model is run over one item: it is one graph, or several by name."""

    @abstractmethod
    def predict(self, graphs: Mapping[str, Run], data: Any) -> Any:
        """Return the prediction of an item, as the metric takes it.

        ``graphs``: what runs each graph on its inputs by name, and returns its outputs by name. A
        graph may be run many times, and given what it gave before, such as the state of an LSTM.
        """
