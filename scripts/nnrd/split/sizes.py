"""Branches and bytes at every split of a model, from one pass over the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx

from nnrd.core.errors import UserError
from nnrd.core.links import latency_ms
from nnrd.split.checks import LARGEST
from nnrd.split.graph import Graph, Life
from nnrd.split.macs import before_each
from nnrd.split.parts import extract
from nnrd.split.plan import cut
from nnrd.split.shapes import rank_bytes, static_bytes, static_types

if TYPE_CHECKING:  # what cuts a model makes no table of it
    import pandas as pd

AT_TENSORS = "tensors"  # the operator of a cut at tensors, which is behind no one node
PART_BYTES = ("part1_bytes", "part2_bytes")
# Operators whose outputs are as long as the values of their inputs let them be.
SELECTING = {"NonZero", "NonMaxSuppression", "Compress", "Unique"}


class TensorSize(NamedTuple):
    """Bytes of a tensor, and of its shape as int64s; None where only inference can tell."""

    value: int | None
    shape: int | None


def static_sizes(graph: Graph) -> dict[str, TensorSize]:
    """Return the size of each tensor as far as shape inference knows it.

    Raises UserError for a size below 0, or that no machine holds.
    """
    kinds = static_types(graph)
    return possible(
        {n: TensorSize(static_bytes(kinds.get(n)), rank_bytes(kinds.get(n))) for n in graph.maker}
    )


def possible(sizes: dict[str, TensorSize]) -> dict[str, TensorSize]:
    """Return sizes; UserError for one below 0, or that no machine holds."""
    for name, size in sizes.items():
        if not 0 <= (size.value or 0) <= LARGEST:
            raise UserError(f"tensor {name!r}: {size.value} bytes cannot be")
    return sizes


def table(
    model: onnx.ModelProto | Graph,
    sizes: Mapping[str, TensorSize] | None = None,
    rates: Mapping[str, float] | None = None,
    first: int = 1,
) -> pd.DataFrame:
    """Return one row per split of ``model``: what crosses before each rank from ``first`` to N−1.

    ``sizes`` are the tensors' sizes measured on an input (``nnrd.split.measuring``); without
    them, those that shape inference finds. Columns: ``rank, node_name, op_type``, then by the
    lean rule ``branches, bytes, needs_inference`` and, for each of ``rates`` (in bit/s, by
    name), ``latency_ms_NAME`` (TR 26.847, clause 5.3.9.6), the same by the TR's rule as
    ``plain_branches, plain_bytes, plain_needs_inference`` and ``plain_captured``, those of the
    plain branches that are read only inside control-flow bodies, ``plain_selected``, those that
    are made from what an operator of `SELECTING` lets pass; ``macs``, the multiply-accumulates of
    part I (`nnrd.split.macs`), NA where a size is unknown; then ``names``, the lean rule's,
    separated by spaces (with ":shape" where just the shape crosses). ``needs_inference`` counts
    the branches whose size is unknown; where it isn't 0, bytes and latency are NA. With ``first``
    0 the first row is the anchor's: the model's inputs, sent whole.
    """
    import pandas as pd

    graph = model if isinstance(model, Graph) else Graph(model)
    sizes = static_sizes(graph) if sizes is None else sizes
    ranks = range(len(graph.nodes))
    columns: dict[str, Any] = {
        "rank": ranks,
        "node_name": [graph.label(rank) for rank in ranks],
        "op_type": [graph.nodes[rank].op_type for rank in ranks],
    }
    columns |= _sums("", _spans(graph, graph.lean_lives, sizes), len(graph.nodes))
    for name, rate in (rates or {}).items():
        columns[f"latency_ms_{name}"] = latency_ms(columns["bytes"].astype("Float64"), rate)
    columns |= _sums("plain_", _spans(graph, graph.plain_lives, sizes), len(graph.nodes))
    columns["plain_captured"] = _captured(graph)
    columns["plain_selected"] = _selected(graph)
    values = {name: size.value for name, size in sizes.items()}
    columns["macs"] = pd.Series(before_each(graph, values), dtype="Int64")
    columns["names"] = _names(graph)
    return pd.DataFrame(columns)[first:].reset_index(drop=True)


def row_at(
    model: onnx.ModelProto | Graph,
    tensors: Sequence[str],
    name: str,
    sizes: Mapping[str, TensorSize],
) -> pd.DataFrame:
    """Return the row of a table for a cut at tensors, whose operator is `AT_TENSORS`.

    ``name`` stands where a node's does, behind "at"; both rules send the same.
    """
    import pandas as pd

    graph = model if isinstance(model, Graph) else Graph(model)
    plan = cut(graph, tensors=tensors)
    shapes = dict(zip(plan.shape_names, plan.shape_only, strict=True))
    unknown = TensorSize(None, None)
    found = [
        sizes.get(shapes[n], unknown).shape if n in shapes else sizes.get(n, unknown).value
        for n in plan.crossing
    ]
    missing = found.count(None)
    size = pd.NA if missing else sum(filter(None, found))
    counts = {"branches": plan.branches, "bytes": size, "needs_inference": missing}
    row = {"rank": plan.rank, "node_name": f"at {name}", "op_type": AT_TENSORS} | counts
    row |= {f"plain_{column}": value for column, value in counts.items()}
    row |= {
        "plain_captured": 0,
        "plain_selected": 0,
        "macs": pd.NA,
        "names": " ".join(plan.crossing),
    }
    return pd.DataFrame([row]).astype({"bytes": "Int64", "plain_bytes": "Int64", "macs": "Int64"})


def part_bytes(model: onnx.ModelProto | Graph, tensors: Sequence[str]) -> dict[str, int]:
    """Return ``part1_bytes`` and ``part2_bytes`` of a cut at tensors, whatever the input.

    They are the sizes of both parts as ONNX files, external data not counted.
    """
    graph = model if isinstance(model, Graph) else Graph(model)
    parts = extract(graph, cut(graph, tensors=tensors))
    return dict(zip(PART_BYTES, (part.ByteSize() for part in parts), strict=True))


class Span(NamedTuple):
    """``size`` bytes (None: unknown) cross the splits before ranks ``first`` to ``last``."""

    name: str
    first: int
    last: int
    size: int | None


def _spans(graph: Graph, lives: Mapping[str, Life], sizes: Mapping[str, TensorSize]) -> list[Span]:
    spans = []
    for name, life in lives.items():
        size = sizes.get(name, TensorSize(None, None))
        first, turn = life.made + 1, max(life.made, life.last_value)
        if first <= turn:
            spans.append(Span(name, first, turn, size.value))
        if turn < life.last:
            spans.append(Span(graph.shape_name(name), turn + 1, life.last, size.shape))
    return spans


def _sums(prefix: str, spans: list[Span], count: int) -> dict[str, pd.Series]:
    """Return branches, bytes and unknown sizes of each rank, summed by differences."""
    import pandas as pd

    steps = np.zeros((3, count + 2), np.int64)
    for span in spans:
        change = np.array([1, span.size or 0, span.size is None])
        steps[:, span.first] += change
        steps[:, span.last + 1] -= change
    branches, size, unknown = steps.cumsum(axis=1)[:, :count]
    return {
        f"{prefix}branches": pd.Series(branches),
        f"{prefix}bytes": pd.Series(size, dtype="Int64").mask(pd.Series(unknown > 0)),
        f"{prefix}needs_inference": pd.Series(unknown),
    }


def _captured(graph: Graph) -> np.ndarray:
    last = {name: len(graph.nodes) for name in graph.outputs}
    for rank, node in reversed(list(enumerate(graph.nodes))):
        for name in node.input:
            last.setdefault(name, rank)
    steps = np.zeros(len(graph.nodes) + 2, np.int64)
    for name, life in graph.plain_lives.items():
        direct = max(last.get(name, -1), life.made)
        if direct < life.last:
            steps[direct + 1] += 1
            steps[life.last + 1] -= 1
    return steps.cumsum()[: len(graph.nodes)]


def _selected(graph: Graph) -> np.ndarray:
    made: set[str] = set()
    for node, read in zip(graph.nodes, graph.reads, strict=True):
        if node.op_type in SELECTING or not made.isdisjoint(read):
            made.update(filter(None, node.output))
    lives = {name: life for name, life in graph.plain_lives.items() if name in made}
    return _sums("", _spans(graph, lives, {}), len(graph.nodes))["branches"].to_numpy()


def _names(graph: Graph) -> list[str]:
    found: list[list[str]] = [[] for _ in range(len(graph.nodes) + 1)]
    for span in _spans(graph, graph.lean_lives, {}):
        for rank in range(span.first, span.last + 1):
            found[rank].append(span.name)
    return [" ".join(names) for names in found[: len(graph.nodes)]]
