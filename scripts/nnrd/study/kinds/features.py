"""Features studies: run part I, compress what crosses the split, run part II."""

from collections.abc import Mapping
from typing import Any

from nnrd.models.family import Family
from nnrd.study import paths
from nnrd.study.kinds.base import Context
from nnrd.study.kinds.coded import CodedKind
from nnrd.study.points import Anchor, Operation, Point, Split


class Features(CodedKind):
    """A bundle an item, so the dataset is in the source; all in ONNX Runtime."""

    name = "features"
    plots = ("accuracy_bytes", "accuracy_ratio", "codec_bars")
    source_rule, sink_rule = "extract_features", "infer_features"
    uncompressed = "input_size"
    source_on_gpu = True

    def runtime(self, family: Family) -> str:
        """Parts are ONNX files."""
        return "onnx"

    def sources(
        self, context: Context, key: str, given: Mapping[str, Any], anchor: Anchor
    ) -> list[tuple[str, Split | None, Operation | None]]:
        """Return one source a split."""
        splits: dict[str, Split] = {}
        nodes = context.sheets.models[anchor.model].nodes
        for i, entry in enumerate(given["splits"]):
            split = Split(rank=entry) if isinstance(entry, int) else Split(**entry)
            if split.rank is not None and nodes and split.rank >= nodes:
                where = f"1..{nodes - 1} of {anchor.model}"
                context.fail(f"{key}.splits[{i}]", f"rank {split.rank} is out of range {where}")
            if split.id in splits:
                context.fail(f"{key}.splits[{i}]", f"{entry!r} is given twice")
            splits[split.id] = split
        whole = {"model": anchor.model, "data": anchor.data.id}
        return [
            (paths.fill(paths.FEATURES, split=name, **whole), split, None)
            for name, split in splits.items()
        ]

    def point(
        self,
        anchor: Anchor,
        source: tuple[str, Split | None, Operation | None],
        codec: Operation,
    ) -> Point:
        """Return a point; its shards are the dataset's."""
        folder, split, _ = source
        shards = tuple(anchor.data.shards)
        return Point(self.name, folder, f"{folder}/{codec.id}", shards, anchor, codec, split)
