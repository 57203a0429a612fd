"""Features studies: run part I, compress what crosses the split, run part II."""

from collections.abc import Mapping
from typing import Any

from nnrd.core.errors import UserError
from nnrd.models.family import Family
from nnrd.study import paths
from nnrd.study.kinds.base import Context
from nnrd.study.kinds.coded import CodedKind
from nnrd.study.kinds.latency import Latency, latency
from nnrd.study.points import Anchor, Operation, Point, Providers, Split, at


class Features(CodedKind):
    """A bundle an item, so the dataset is in the source; all in ONNX Runtime."""

    name = "features"
    plots = (
        *("accuracy_bytes", "accuracy_zoomed", "accuracy_by_split", "accuracy_ratio"),
        *("accuracy_bars", "codec_bars", "latency"),
    )
    tables = ("latency",)
    source_rule, sink_rule = "extract_features", "infer_features"
    uncompressed = "input_size"
    source_on_gpu = True
    keeps_outputs = True

    def runtime(self, family: Family) -> str:
        """Parts are ONNX files."""
        return "onnx"

    def sources(
        self, context: Context, key: str, given: Mapping[str, Any], anchor: Anchor
    ) -> list[tuple[str, Split | None, Operation | None]]:
        """Return one source a split."""
        if context.sheets.family(anchor.model).stateful:
            reason = (
                f"{anchor.model} carries state from run to run: it can be compressed, not split"
            )
            context.fail(f"{key}.model", reason)
        splits = _splits(context, f"{key}.splits", given["splits"], anchor.model)
        where = {"model": anchor.model, "data": anchor.data.id}
        where["part1"] = at(given["providers"]["part1"])
        return [
            (paths.fill(paths.FEATURES, split=split.id, **where), split, None) for split in splits
        ]

    def providers(self, given: Mapping[str, Any]) -> Providers:
        """Return what the study says of both parts."""
        return Providers(**given["providers"])

    def latency(self, context: Context, key: str, given: Mapping[str, Any]) -> Latency:
        """Return what latencies are reckoned for."""
        task = str(context.sheets.models[given["model"]].task)
        return latency(context, key, given["latency"], task)

    def point(
        self,
        anchor: Anchor,
        source: tuple[str, Split | None, Operation | None],
        codec: Operation,
    ) -> Point:
        """Return a point; its shards are the dataset's."""
        folder, split, _ = source
        shards, own = tuple(anchor.data.shards), f"{folder}/{codec.id}{at(anchor.provider)}"
        return Point(self.name, folder, own, shards, anchor, codec, split)


def _split(context: Context, key: str, entry: Any) -> Split:
    """Return a split: a rank, a named node and its side, or tensors."""
    if isinstance(entry, int):
        return Split(rank=entry)
    if ("name" in entry) == ("tensors" in entry):
        context.fail(key, "give name or tensors, one of the two")
    if "name" in entry:
        return Split(name=entry["name"], where=entry["where"])
    return Split(tensors=tuple(entry["tensors"]))


def _splits(context: Context, key: str, given: list[Any], model: str) -> list[Split]:
    """Return the splits, each of which cuts elsewhere, as far as the graph is known yet."""
    graph = context.graphs.of(model)
    found: dict[str, Split] = {}
    cuts: dict[int, int] = {}
    for i, entry in enumerate(given):
        split = _split(context, f"{key}[{i}]", entry)
        if split.id in found:
            context.fail(f"{key}[{i}]", f"{entry!r} is given twice")
        found[split.id] = split
        if graph is None or split.tensors:  # what tensors cut is known when the model is there
            continue
        try:
            rank = graph.cut(split)
        except UserError as error:
            context.fail(f"{key}[{i}]", str(error))
        if rank in cuts:
            context.fail(f"{key}[{i}]", f"cuts before rank {rank}, as splits[{cuts[rank]}] does")
        cuts[rank] = i
    return list(found.values())
