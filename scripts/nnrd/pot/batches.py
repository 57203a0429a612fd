"""Items of a loader in batches, and a batch as the inputs of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from nnrd.core.errors import UserError
from nnrd.pot.interface import DataLoader


class BatchSampler:
    """Batches of ``batch_size`` items of a loader, those at ``indices`` or all, in that order.

    Iterating gives lists of ``((number, annotation), data)``, with metadata behind where the
    loader has them, whichever order it gives an item in (see `DataLoader`).
    """

    def __init__(
        self, loader: DataLoader, batch_size: int = 1, indices: Iterable[int] | None = None
    ) -> None:
        self._loader, self.batch_size = loader, batch_size
        self._indices = list(range(len(loader)) if indices is None else indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[list[tuple]]:
        for start in range(0, len(self._indices), self.batch_size):
            numbers = self._indices[start : start + self.batch_size]
            yield [_ordered(self._loader[n], n) for n in numbers]


def _ordered(item: Any, number: int) -> tuple:
    """Return an item as ``((number, annotation), data, …)``."""
    if not isinstance(item, tuple) or len(item) not in (2, 3):
        raise UserError(f"item {number} of the data loader: not (data, annotation)")
    first, second, *metadata = item
    if isinstance(first, dict) and len(first) == 1 and isinstance(second, np.ndarray):
        first = next(iter(first.items()))  # {number: annotation}, as POT first had it
    if isinstance(first, tuple):
        return (first, second, *metadata)
    return ((number, second), first, *metadata)


def parted(batch: Sequence[tuple]) -> tuple[list, list, list]:
    """Return the annotations of a batch, ``(number, annotation)``, its data and its metadata."""
    lengths = {len(item) for item in batch}
    if len(lengths) > 1:
        raise UserError("the data loader: some items have metadata, and some do not")
    metadata = [item[2] if len(item) > 2 else {} for item in batch]
    return [item[0] for item in batch], [item[1] for item in batch], metadata


def fill_input(model: Any, batch: Sequence[Any], batch_dim: int = 0) -> dict[str, np.ndarray]:
    """Return the inputs of a model by name: of arrays where it has one, else of mappings by name.

    A dimension for the batch is put before arrays that lack one. Raises UserError: a model with
    several inputs and data without their names, data that do not fit the input's shape.
    """
    ports = {name: port for port in model.inputs for name in _names(port)}
    if isinstance(batch[0], dict):
        columns = {name: [data[name] for data in batch] for name in batch[0]}
    elif len(model.inputs) == 1:
        columns = {model.inputs[0].get_any_name(): list(batch)}
    else:
        raise UserError(
            f"the model has {len(model.inputs)} inputs: give data as a mapping from their names,"
            " or write _fill_input in the engine"
        )
    return {
        name: _stacked(_known(name, ports), arrays, batch_dim) for name, arrays in columns.items()
    }


def _known(name: str, ports: dict[str, Any]) -> Any:
    if name not in ports:
        raise UserError(f"the data have an input {name!r}; the model has {', '.join(ports)}")
    return ports[name]


def _stacked(port: Any, arrays: Sequence[Any], batch_dim: int) -> np.ndarray:
    """Return the arrays of a batch as one that an input takes."""
    rank = len(port.partial_shape)
    found = [np.asarray(a) for a in arrays]
    one = all(a.ndim == rank for a in found)
    stack = np.concatenate(found, batch_dim) if one else np.stack(found, batch_dim)
    fits = stack.ndim == rank and all(
        side.is_dynamic or side.get_length() == length
        for side, length in zip(port.partial_shape, stack.shape, strict=True)
    )
    if not fits:
        shape, name = "x".join(map(str, stack.shape)), port.get_any_name()
        raise UserError(
            f"input {name}: data of {shape}, where the model takes {port.partial_shape}"
        )
    return stack


def _names(port: Any) -> set[str]:
    return {*port.get_names(), port.get_node().get_friendly_name()}
