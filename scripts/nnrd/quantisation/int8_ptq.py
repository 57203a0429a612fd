"""INT8 by post-training quantisation, as a codec of a model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from nnrd.quantisation.backends import REGISTRY
from nnrd.quantisation.codecs import SUFFIXES, Graphs, ModelCodec
from nnrd.quantisation.interface import DataLoader, Engine, Metric
from nnrd.quantisation.settings import SCHEMA, Settings


class Int8Ptq(ModelCodec):
    """The parameters are those of `nnrd.quantisation.settings`."""

    schema: ClassVar = SCHEMA

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.settings = Settings.of(parameters)
        backend = REGISTRY.get(self.settings.backend)
        (self.runtime,) = (name for name, suffix in SUFFIXES.items() if suffix == backend.suffix)
        self.looks_at_items = backend.needs_samples

    def encode(
        self, graphs: Graphs, engine: Engine, loader: DataLoader, metric: Metric, out: Path
    ) -> Mapping[str, Any]:
        """Write the quantised graphs; return which layers accuracy control put back to float."""
        from nnrd.quantisation import process

        found = process.quantise(graphs, engine, loader, metric, self.settings, out)
        reverted = [layer for report in found.report.values() for layer in report.reverted]
        return {"reverted": reverted} if self.settings.accuracy_control else {}
