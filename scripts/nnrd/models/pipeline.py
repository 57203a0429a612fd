"""What stands before and behind a model's graph, whatever runs the graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nnrd.core.errors import UserError
from nnrd.datasets.index import Item
from nnrd.models.row import ModelRow
from nnrd.runtime.stopwatch import Stopwatch

if TYPE_CHECKING:  # what predicts depends on none of it
    from nnrd.models.inputs import Inputs

Arrays = dict[str, np.ndarray]
Run = Callable[[Arrays], Arrays]
Times = dict[str, float]  # seconds, and the bytes of what the graph was given


class Pipeline(ABC):
    """The steps around a graph. Subclass it to add a model; it needs no torch.

    ``task``: the name of the task that scores its predictions. ``network``: the PyTorch module,
    where the family says that the pipeline needs it. ``graphs``: what runs the family's graphs, by
    their names, where no PyTorch does. ``inputs``: those that it makes to measure by, as its family
    says. A file is read by `load`, whose time is not counted.
    """

    task: ClassVar[str]
    inputs: Inputs | None = None
    network: Any = None
    graphs: Mapping[str, Run] | None = None

    def __init__(self, row: ModelRow) -> None:
        self.row = row

    def open(self, assets: Path | None) -> None:
        """Read what it needs of the model's files, such as a vocabulary; by default nothing."""
        del assets

    @abstractmethod
    def load(self, item: Item) -> np.ndarray:
        """Return an item's file, read and decoded; UserError where it was altered."""

    @abstractmethod
    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return the graph's inputs by name."""

    @abstractmethod
    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return the prediction, JSON as the task scores it, from the graph's outputs by name."""

    def infer(self, run: Run, feeds: Arrays) -> Arrays:
        """Return what `postprocess` takes of what `preprocess` returned; by default one run.

        A graph that carries state is run several times an item, see `nnrd.models.family.Family`.
        """
        return run(feeds)

    def counts(self, feeds: Arrays) -> dict[str, int]:
        """Return what is counted of an item beside its times; by default ``input_size``."""
        return input_size(feeds)

    # Inputs that are made, to measure by.

    def check_example(self, size: int | None, batch: int) -> None:
        """Raise UserError for a size or a batch that it cannot make; see `Inputs.check`."""
        if self.inputs is None:
            raise UserError(f"family {self.row.family} makes no inputs to measure by")
        self.inputs.check(size, batch)

    def made(self, size: int | None, seed: int) -> np.ndarray:
        """Return what `load` might have: noise, the same for a seed."""
        raise UserError(f"family {self.row.family} makes no inputs to measure by")

    def example_item(self, size: int | None) -> Item:
        """Return the item that made inputs are of."""
        del size
        return Item("made", "", "", facts={"width": 640, "height": 480})

    def example(self, size: int | None, batch: int = 1) -> Arrays:
        """Return made inputs as `preprocess` returns them, each of a batch another.

        ``size``: as `Inputs` counts it, None where there is but one. Raises UserError for a
        size or a batch that the model cannot take.
        """
        self.check_example(size, batch)
        item = self.example_item(size)
        feeds = [self.preprocess(self.made(size, seed), item) for seed in range(batch)]
        if batch == 1:
            return feeds[0]
        return {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}

    def postprocess_batch(self, outputs: Arrays, item: Item, batch: int) -> list[dict[str, Any]]:
        """Return the prediction of each input of a batch, one after the other."""
        if batch == 1:
            return [self.postprocess(outputs, item)]
        parts = [{n: a[i : i + 1] for n, a in outputs.items()} for i in range(batch)]
        return [self.postprocess(part, item) for part in parts]

    def predict_one(self, run: Run, item: Item) -> dict[str, Any]:
        """Return an item's prediction, nothing timed."""
        return self.postprocess(self.infer(run, self.preprocess(self.load(item), item)), item)

    def predict(self, run: Run, items: Iterable[Item]) -> Iterator[tuple[dict[str, Any], Times]]:
        """Yield each item's prediction, with its name in ``item``, and its times.

        ``run`` is the graph. The times, in seconds of wall time: ``pre_time``, ``run_time``,
        ``post_time``; beside them what `counts` returns. The first
        item is run twice; the first time warms up and is not counted.
        """
        warm = False
        for item in items:
            loaded = self.load(item)
            if not warm:
                self.postprocess(self.infer(run, self.preprocess(loaded, item)), item)
                warm = True
            watch = Stopwatch()
            with watch("pre_time"):
                feeds = self.preprocess(loaded, item)
            with watch("run_time"):
                outputs = self.infer(run, feeds)
            with watch("post_time"):
                prediction = self.postprocess(outputs, item)
            yield {"item": item.name} | prediction, watch.seconds | self.counts(feeds)


def input_size(feeds: Arrays) -> dict[str, int]:
    """Return ``input_size``, the bytes of the graph's inputs: what would be sent uncompressed."""
    return {"input_size": sum(array.nbytes for array in feeds.values())}


def output(outputs: Arrays, name: str, *shape: int | None) -> np.ndarray:
    """Return an output of the graph; UserError where it is missing or has another shape.

    ``shape``: its dimensions, None where any will do.
    """
    if name not in outputs:
        raise UserError(f"the graph has no output {name!r}; it has {', '.join(outputs)}")
    found = outputs[name].shape
    fits = len(found) == len(shape) and all(
        b is None or a == b for a, b in zip(found, shape, strict=True)
    )
    if not fits:
        expected = "x".join("?" if side is None else str(side) for side in shape)
        given = "x".join(map(str, found)) or "a scalar"
        raise UserError(f"output {name!r} is {given}; the row's family takes {expected}")
    return outputs[name]
