"""What a family of models is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nnrd.core.errors import UserError
from nnrd.core.registry import named
from nnrd.models.inputs import Inputs
from nnrd.models.row import ModelRow

if TYPE_CHECKING:  # torch takes seconds to import, and jobs that run ONNX files need none of it
    from nnrd.models.network import Network
    from nnrd.models.pipeline import Pipeline


WHOLE = "model"  # the one graph of most families
BEHIND = "behind"  # in an option's schema: true where only what follows the graph reads it


@dataclass(frozen=True)
class Family:
    """Where a family's two halves are, as ``module:Class``.

    ``network``: how a model is built in PyTorch and filled with weights, a
    `nnrd.models.network.Network`; None where models are ONNX files. ``pipeline``: what stands
    before and behind the graph, a `nnrd.models.pipeline.Pipeline`, which imports no torch; None
    for models of which only the splits are tabulated. ``needs_network``: the pipeline runs the
    network too, as a decoding loop does, whatever runs the graph. ``stateful``: the graph
    carries state from one run to the next and is run several times an item, so that it cannot be
    split. ``graphs``: the names of what a runtime without PyTorch runs, several where the pipeline
    runs more than one graph; what it does before and behind the first is as ever. ``options``: the
    JSON schema of a row's options, those of what stands behind the graph with `BEHIND`; None where
    nobody checks them before a job does. ``packages``: the asset with the Python packages that only
    this family needs, and no environment has, see `nnrd.core.packages.lay_beside`. ``inputs``:
    those that its pipelines make to measure by, None where they make none. The halves are apart so
    that a job imports, and is made anew by an edit of, no more than what it runs.
    """

    network: str | None = None
    pipeline: str | None = None
    needs_network: bool = False
    stateful: bool = False
    graphs: tuple[str, ...] = (WHOLE,)
    options: Mapping[str, Any] | None = None
    packages: str | None = None
    inputs: Inputs | None = None

    @property
    def runtime(self) -> str:
        """What runs a model of which nothing else is said: ``torch`` or ``onnx``."""
        return "torch" if self.network else "onnx"

    @property
    def exporter(self) -> str | None:
        """The part of the network that exports it, as a hash of code takes it; None without one."""
        return self.network and f"{self.network}.load,graph,export,outputs"

    @property
    def graph_exporter(self) -> str | None:
        """The same of the graphs that a model of several consists of."""
        return self.network and f"{self.network}.load,graphs"

    def graph_row(self, row: ModelRow) -> ModelRow:
        """Return what a model's graph and tensors depend on: no options where it is a file."""
        return row if self.network else replace(row, options={})

    def input_row(self, row: ModelRow) -> ModelRow:
        """Return what the graph's inputs depend on: not the options of what stands behind it."""
        known = (self.options or {}).get("properties", {})
        kept = {n: v for n, v in row.options.items() if not known.get(n, {}).get(BEHIND)}
        return replace(row, options=kept)

    def load_network(self, row: ModelRow) -> Network:
        """Return the network of a row; UserError where the family has none."""
        return self._load(self.network, "is an ONNX file, not a PyTorch network", row)(row)

    def load_pipeline(self, row: ModelRow) -> Pipeline:
        """Return the pipeline of a row; UserError where the family has none."""
        missing = "has no pipeline: it can be split, not run"
        found: Pipeline = self._load(self.pipeline, missing, row)(row)
        found.inputs = self.inputs
        return found

    def _load(self, target: str | None, otherwise: str, row: ModelRow) -> Any:
        if target is None:
            raise UserError(f"model {row.model}: family {row.family} {otherwise}")
        return named(target)
