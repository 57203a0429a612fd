"""Transforms: what changes a model between its source and the codec.

nnrd has none of its own yet; other packages publish theirs under ``nnrd.transforms``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnrd.core.registry import Registry
from nnrd.datasets.index import Item

if TYPE_CHECKING:
    from torch import nn

    from nnrd.models.network import Network
    from nnrd.models.pipeline import Pipeline


class Transform(ABC):
    """A change of a PyTorch network. Subclass it to add one.

    The sender prepares the trained network, fits it, and its tensors are coded. The receiver
    prepares the bare one and fills it with what was decoded: so `prepare` says all that both
    ends know, and nothing of the weights.
    """

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    @abstractmethod
    def prepare(self, model: "nn.Module") -> "nn.Module":
        """Return the network with the structure that the receiver has, weights kept if any."""

    @abstractmethod
    def fit(
        self, model: "nn.Module", network: "Network", pipeline: "Pipeline", items: Sequence[Item]
    ) -> None:
        """Set the prepared network's tensors; ``items`` are for calibration, none if not given."""


REGISTRY: Registry[type[Transform]] = Registry(
    "nnrd.transforms", "transform", {}, of="nnrd.transforms:Transform"
)
