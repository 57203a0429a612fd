"""What every backend shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nnrd.quantisation import packages
from nnrd.quantisation.interface import Arrays, Validate

if TYPE_CHECKING:
    from nnrd.quantisation.settings import Settings


@dataclass(frozen=True)
class Report:
    """What was done with a graph; ``reverted``: layers that accuracy control put back to float."""

    reverted: tuple[str, ...] = ()


class Backend(ABC):
    """A quantiser of ONNX graphs. Subclass it to add one.

    ``suffix``: of the file that it writes, ``.onnx`` or ``.xml`` (OpenVINO, with a ``.bin`` beside
    it). ``needs_samples``: it looks at inputs of the graph. ``controls_accuracy``: it can put
    layers back to float until the metric is good enough. ``unused``: parameters that it ignores.
    ``packages``: that an installed nnrd may lack.
    """

    suffix: ClassVar[str]
    needs_samples: ClassVar[bool] = True
    controls_accuracy: ClassVar[bool] = False
    unused: ClassVar[tuple[str, ...]] = ()
    packages: ClassVar[tuple[str, ...]] = ()

    def require(self, name: str) -> None:
        """Raise UserError where a package is not installed; ``name``: that of the backend."""
        for package in self.packages:
            packages.load(package, f"backend {name}")

    @abstractmethod
    def quantise(
        self,
        graph: Path,
        samples: Sequence[Arrays],
        settings: Settings,
        out: Path,
        validate: Validate | None = None,
        items: int = 0,
    ) -> Report:
        """Write the quantised graph of an ONNX file to ``out``.

        ``samples``: inputs of the graph. ``validate`` is given where accuracy is controlled, and
        looks at items 0 to ``items`` - 1. Raises UserError: a package that is not installed, an
        operator or a layer that is not there, inputs that do not fit the graph.
        """
