"""Weights studies: compress a model, decompress it, run it."""

from collections.abc import Mapping
from typing import Any

from nnrd.models.family import Family
from nnrd.study import paths
from nnrd.study.kinds.base import Context
from nnrd.study.kinds.coded import CodedKind
from nnrd.study.kinds.operations import operations
from nnrd.study.kinds.quantised import parted
from nnrd.study.points import Anchor, Operation, Point, Split
from nnrd.transforms import REGISTRY as TRANSFORMS


class Weights(CodedKind):
    """One bundle, which knows nothing of the dataset; so another dataset does not encode again."""

    name = "weights"
    plots = ("accuracy_size",)
    model_plots = ("accuracy_time",)
    joint_plots = ("accuracy_size",)
    source_rule, sink_rule = "extract_weights", "infer_weights"
    one_bundle = True
    uncompressed = "model_size"

    def runtime(self, family: Family) -> str:
        """Say what the family's models are: PyTorch networks, or ONNX files."""
        return family.runtime

    def parted(self, given: list[Any]) -> tuple[list[Any], list[Any]]:
        """Return the codecs that take tensors, and those that take the model as a whole."""
        return parted(given)

    def coded_values(self, values: int | None) -> int:
        """Return all of the model's."""
        return values or 0

    def sources(
        self, context: Context, key: str, given: Mapping[str, Any], anchor: Anchor
    ) -> list[tuple[str, Split | None, Operation | None]]:
        """Return the model as it is, or one source a transform."""
        whole = paths.fill(paths.WEIGHTS, model=anchor.model)
        transforms = operations(context, f"{key}.transforms", given["transforms"], TRANSFORMS)
        if transforms and anchor.runtime != "torch":
            reason = f"{anchor.model} is an ONNX file; transforms change PyTorch networks"
            context.fail(f"{key}.transforms", reason)
        if not transforms:
            return [(whole, None, None)]
        return [(f"{whole}/{transform.id}", None, transform) for transform in transforms]

    def point(
        self,
        anchor: Anchor,
        source: tuple[str, Split | None, Operation | None],
        codec: Operation,
    ) -> Point:
        """Return a point; what is made for it alone is the evaluation on its dataset."""
        folder, _, transform = source
        evaluated = f"{folder}/{codec.id}/{anchor.data.id}"
        one = (paths.WHOLE,)
        return Point(
            self.name, folder, evaluated, one, anchor, codec, None, transform, decoded_shards=one
        )
