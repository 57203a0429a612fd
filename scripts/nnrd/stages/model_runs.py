"""A family's pipeline and a dataset's items, as quantisation takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnrd.datasets.index import Item
from nnrd.models.pipeline import Pipeline, Run
from nnrd.quantisation.interface import Engine


class Items:
    """The items of a dataset as a `DataLoader`: the annotation is in the item."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> tuple[Item, Item]:
        return self.items[place], self.items[place]


class PipelineEngine(Engine):
    """Runs a model of a family over an item, by what its pipeline does around the graphs."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    def predict(self, graphs: Mapping[str, Run], data: Item) -> dict[str, Any]:
        """Return the prediction of an item as its task scores it."""
        self.pipeline.graphs = graphs
        first = next(iter(graphs.values()))
        return {"item": data.name} | self.pipeline.predict_one(first, data)
