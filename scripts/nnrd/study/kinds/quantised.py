"""Points of weights studies whose codec takes the model as a whole, such as INT8."""

from collections.abc import Mapping
from typing import Any

from nnrd.core.errors import UserError
from nnrd.quantisation import codecs
from nnrd.study.kinds.base import Context
from nnrd.study.kinds.operations import operations
from nnrd.study.points import Anchor, ModelPoint, Operation, Selection


def parted(given: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the codecs of a study that take tensors, and those that take the model as a whole."""
    names = codecs.REGISTRY.names()
    whole = [entry for entry in given if _name(entry) in names]
    return [entry for entry in given if _name(entry) not in names], whole


def model_points(
    context: Context,
    key: str,
    entries: list[Any],
    anchor: Anchor,
    calibration: Selection | None,
) -> list[ModelPoint]:
    """Return a point an operating point of the entries."""
    found = operations(context, key, entries, codecs.REGISTRY)
    return [_point(context, key, one, anchor, calibration) for one in found]


def _point(
    context: Context,
    key: str,
    operation: Operation,
    anchor: Anchor,
    calibration: Selection | None,
) -> ModelPoint:
    try:
        codec = codecs.make(operation.name, operation.parameters)
    except UserError as error:
        context.fail(f"{key}.{operation.name}", str(error))
    if codec.looks_at_items and calibration is None:
        reason = f"{operation.label} looks at items: say which in 'calibration'"
        context.fail(f"{key}.{operation.name}", reason)
    looked_at = calibration if codec.looks_at_items else None
    graphs = context.sheets.family(anchor.model).graphs
    return ModelPoint(anchor, operation, graphs, codec.runtime, looked_at)


def _name(entry: str | Mapping[str, Any]) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))
