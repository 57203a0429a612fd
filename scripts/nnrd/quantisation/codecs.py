"""Codecs that take a model as a whole: of its graphs they make files that a runtime runs.

Other packages publish theirs, subclasses of `ModelCodec`, as entry points of the group
``nnrd.model_codecs``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from nnrd.core.errors import UserError
from nnrd.core.registry import Registry
from nnrd.core.schema import first_mistake
from nnrd.quantisation.graphs import DEFAULT, ONNXRUNTIME, OPENVINO
from nnrd.quantisation.interface import DataLoader, Engine, Metric

SUFFIXES = {ONNXRUNTIME: ".onnx", OPENVINO: ".xml"}  # of the files that a runtime opens
Graphs = Mapping[str, Path]  # ONNX files by the names that the model's family gives its graphs


class ModelCodec(ABC):
    """A way to turn a model's graphs into other files that are run in their place.

    ``runtime``: what runs these, ``onnxruntime`` or ``openvino``; ``looks_at_items``: whether it
    is calibrated; ``quantises``: whether what it makes has integers, which are worth packing. A
    subclass gives ``schema``, the JSON schema of its parameters.
    """

    schema: ClassVar[Mapping[str, Any]]
    runtime: str
    looks_at_items: bool = False
    quantises: bool = True
    precision: str = DEFAULT  # of what is float, see `nnrd.quantisation.graphs.open_graph`

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    @abstractmethod
    def encode(
        self, graphs: Graphs, engine: Engine, loader: DataLoader, metric: Metric, out: Path
    ) -> Mapping[str, Any]:
        """Write the files into a folder, each named by its graph; return what is to say of them.

        ``loader`` has the items to look at, ``metric`` scores what ``engine`` predicts of them.
        Raises UserError for a graph or items that it cannot take.
        """


REGISTRY: Registry[type[ModelCodec]] = Registry(
    "nnrd.model_codecs",
    "codec",
    {
        "int8_ptq": "nnrd.quantisation.int8_ptq:Int8Ptq",
        "unquantised": "nnrd.quantisation.unquantised:Unquantised",
    },
    of="nnrd.quantisation.codecs:ModelCodec",
)


def make(name: str, parameters: Mapping[str, Any]) -> ModelCodec:
    """Return a codec at an operating point; UserError for parameters that it does not take."""
    codec = REGISTRY.get(name)
    mistake = first_mistake(dict(codec.schema), dict(parameters))
    if mistake:
        raise UserError(f"codec {name}: {': '.join(part for part in mistake if part)}")
    return codec(**parameters)
