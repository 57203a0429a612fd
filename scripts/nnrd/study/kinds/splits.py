"""Splits studies: what crosses each split of some models, counted and not coded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnrd.core.options import named_shape
from nnrd.core.schema import unknown
from nnrd.datasets import published
from nnrd.study import paths
from nnrd.study.kinds.base import Context, Job, Kind, Study
from nnrd.study.places import as_input
from nnrd.study.points import Selection
from nnrd.study.sheets import Sheets
from nnrd.study.split_costs import SplitCosts

FLOAT = 4  # bytes
MODEL_FILES = {"model": paths.MODEL, "facts": paths.FACTS}


@dataclass(frozen=True)
class Comparison:
    """Tables of the study set beside a published one, or beside each other.

    ``how`` is a comparison of `nnrd.stages.compare_splits`; ``models`` those whose tables it
    takes; ``data``, ``items`` and ``shapes`` the inputs on which a model is measured for it;
    ``cuts`` are tensors by the name of a cut.
    """

    name: str
    how: str
    models: list[str]
    published: str | None = None
    data: Selection | None = None
    items: list[str] = field(default_factory=list)
    shapes: list[list[str]] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    cuts: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """Whether its model is measured on inputs of its own."""
        return bool(self.items or self.shapes)


@dataclass(frozen=True)
class SplitsStudy(Study):
    """Models whose splits are tabulated, and what their tables are compared with."""

    tabulated: list[str]
    rates: Mapping[str, float]  # bit/s
    comparisons: Mapping[str, Comparison]

    @property
    def models(self) -> list[str]:
        """The models that are tabulated."""
        return self.tabulated

    @property
    def selections(self) -> list[Selection]:
        """The datasets that images are taken of."""
        found = {c.data.id: c.data for c in self.comparisons.values() if c.data}
        return list(found.values())

    def pictures(self) -> list[str]:
        """Return tables, plots and pages."""
        models = [self._of_model(model) for model in self.tabulated]
        compared = [self._compared(name) for name in self.comparisons]
        page = paths.fill(paths.SPLIT_PAGE, study=self.name)
        return [page, *(file for files in [*models, *compared] for file in files)]

    @staticmethod
    def _of_model(model: str) -> list[str]:
        table = paths.fill(paths.SPLIT_TABLE, model=model)
        return [table, paths.fill(paths.SPLIT_PLOT, model=model, suffix="png")]

    def _compared(self, name: str) -> list[str]:
        where = {"study": self.name, "comparison": name}
        return [paths.fill(paths.COMPARISON, suffix=s, **where) for s in ("csv", "html", "png")]

    def files(self) -> list[str]:
        """Return those of its models and of its comparisons."""
        found = [paths.fill(paths.INDEX, data=data.id) for data in self.selections]
        plot, suffixes = paths.SPLIT_PLOT, ("csv", *paths.FORMATS)
        for model in self.tabulated:
            found += [paths.fill(pattern, model=model) for pattern in MODEL_FILES.values()]
            found += [paths.fill(plot, model=model, suffix=suffix) for suffix in suffixes]
        for name, comparison in self.comparisons.items():
            where = {"study": self.name, "comparison": name}
            found += [paths.fill(paths.COMPARISON, suffix=s, **where) for s in ("html", *suffixes)]
            found += [paths.fill(paths.SPLIT_INPUTS, **where)] if comparison.measured else []
        return [*found, paths.fill(paths.SPLIT_PAGE, study=self.name)]

    def tables(self) -> list[str]:
        """Return the tables of the models, in their order."""
        return [paths.fill(paths.SPLIT_TABLE, model=model) for model in self.tabulated]

    def rate_options(self) -> list[str]:
        """Return the rates as options."""
        words = [f"{name}={rate:g}" for name, rate in self.rates.items()]
        return ["--rates", *words] if words else []

    def compared(self, name: str) -> dict[str, str | list[str]]:
        """Return what a comparison reads: tables with their sums, and a published one."""
        found = self.comparisons[name]
        if found.measured:
            splits = [paths.fill(paths.SPLIT_INPUTS, study=self.name, comparison=name)]
            return {"splits": splits, "sums": [paths.sums(file) for file in splits]}
        splits = [paths.fill(paths.SPLIT_TABLE, model=model) for model in found.models]
        sums = [paths.sums(file) for file in splits]
        return {"splits": splits, "sums": sums, "published": as_input(str(found.published))}

    def comparing(self, name: str) -> list[str]:
        """Return what a comparison is told beside its files, as options of compare_splits."""
        found = self.comparisons[name]
        words = [found.how, "--title", f"{self.name}: {name}"]
        words += ["--published", found.published] if found.published else []
        words += self.rate_options() if found.how == "ranks" else []
        return words + (["--ranks", *map(str, found.ranks)] if found.ranks else [])

    def data(self, name: str) -> list[Selection]:
        """Return the dataset, if any, of whose items a model is measured for a comparison."""
        found = self.comparisons[name].data
        return [found] if found else []

    def measured(self, name: str) -> dict[str, str]:
        """Return what is read to measure on inputs: the model, and the dataset's index."""
        found = self.comparisons[name]
        files = {key: paths.fill(p, model=found.models[0]) for key, p in MODEL_FILES.items()}
        return files | (
            {"index": paths.fill(paths.INDEX, data=found.data.id)} if found.data else {}
        )

    def measuring(self, name: str) -> list[str]:
        """Return the inputs to measure on, as options of tabulate_images."""
        found = self.comparisons[name]
        words = [word for shape in found.shapes for word in ("--shape", *shape)]
        if found.data:
            index = paths.fill(paths.INDEX, data=found.data.id)
            words += ["--index", index, "--items", *found.items]
        return words + (["--cuts", json.dumps(found.cuts)] if found.cuts else [])

    def jobs(self, sheets: Sheets, splits: SplitCosts) -> list[Job]:
        """Return the conversion and the table of each model."""
        del splits
        found = []
        for model in self.tabulated:
            stored = FLOAT * (sheets.models[model].values or 0)
            found += [
                Job("convert_model", "convert_model", f"models/{model}.onnx", stored=stored),
                Job("tabulate_splits", "tabulate_splits", f"splits/{model}.csv"),
            ]
        return found


class Splits(Kind):
    """Branches and bytes at every rank."""

    name = "splits"

    def study(self, context: Context, name: str, given: Mapping[str, Any]) -> SplitsStudy:
        """Return the study; every file that it compares with is read, and checked, here."""
        return _Checks(context, f"studies.{name}", given).study(name, self)


class _Checks:
    """Expands a study; ``key`` is its path in the configuration."""

    def __init__(self, context: Context, key: str, given: Mapping[str, Any]) -> None:
        self.context, self.key, self.given = context, key, given
        self.models: list[str] = given["models"]

    def study(self, name: str, kind: Splits) -> SplitsStudy:
        for i, model in enumerate(self.models):
            where = f"{self.key}.models[{i}]"
            self.known(where, "model", model, self.context.sheets.models)
            if model in self.models[:i]:
                self.context.fail(where, f"{model} is given twice")
        return SplitsStudy(name, kind, list(self.models), self.given["rates"], self.comparisons())

    def known(self, key: str, word: str, name: str, names: Any) -> None:
        if name not in names:
            self.context.fail(key, unknown(word, name, names))

    def comparisons(self) -> dict[str, Comparison]:
        found: dict[str, Comparison] = {}
        makers = {"ranks": self.ranks, "branches": self.branches, "inputs": self.inputs}
        for how, make in makers.items():
            for name, entry in self.given["comparisons"][how].items():
                key = f"{self.key}.comparisons.{how}.{name}"
                if name in found:
                    self.context.fail(key, f"{name} is given twice")
                found[name] = make(key, name, entry)
        return found

    def ranks(self, key: str, name: str, entry: Mapping[str, Any]) -> Comparison:
        self.known(f"{key}.model", "model", entry["model"], self.models)
        file = self.context.places.file(entry["published"])
        self.context.tried(f"{key}.published", published.read_ranks, file, self.given["rates"])
        return Comparison(name, "ranks", [entry["model"]], self.published(entry))

    def branches(self, key: str, name: str, entry: Mapping[str, Any]) -> Comparison:
        file = self.context.places.file(entry["published"])
        rows = self.context.tried(f"{key}.published", published.read_branches, file, self.models)
        models = list(dict.fromkeys(row["ours"] for row in rows))
        return Comparison(name, "branches", models, self.published(entry))

    def published(self, entry: Mapping[str, Any]) -> str:
        return self.context.places.located(entry["published"])

    def inputs(self, key: str, name: str, entry: Mapping[str, Any]) -> Comparison:
        self.known(f"{key}.model", "model", entry["model"], self.models)
        if not entry["items"] and not entry["shapes"]:
            self.context.fail(key, "give items of a dataset, or shapes")
        shapes = [text.split() for text in entry["shapes"]]
        for i, words in enumerate(shapes):
            for word in words:
                self.context.tried(f"{key}.shapes[{i}]", named_shape, word)
        self.check_ranks(key, entry)
        data = self.data(key, entry)
        models, items = [entry["model"]], entry["items"]
        ranks, cuts = entry["ranks"], entry["cuts"]
        return Comparison(name, "inputs", models, None, data, items, shapes, ranks, cuts)

    def check_ranks(self, key: str, entry: Mapping[str, Any]) -> None:
        graph = self.context.graphs.of(entry["model"])
        for i, rank in enumerate(entry["ranks"]):
            if graph and rank >= len(graph.nodes):
                where = f"0..{len(graph.nodes) - 1} of {graph.file}"
                self.context.fail(f"{key}.ranks[{i}]", f"rank {rank} is out of range {where}")

    def data(self, key: str, entry: Mapping[str, Any]) -> Selection | None:
        """Return the dataset that the items are of, whole, so that they are found by name."""
        if ("dataset" in entry) != bool(entry["items"]):
            self.context.fail(key, "give both dataset and items, or neither")
        if "dataset" not in entry:
            return None
        sheets = self.context.sheets
        self.known(f"{key}.dataset", "dataset", entry["dataset"], sheets.datasets)
        row, model = sheets.datasets[entry["dataset"]], sheets.models[entry["model"]]
        if row.task != model.task:
            reason = f"is for {row.task}, the model for {model.task or 'no task'}"
            self.context.fail(f"{key}.dataset", reason)
        for i, item in enumerate(entry["items"]):
            if item in entry["items"][:i]:
                self.context.fail(f"{key}.items[{i}]", f"{item} is given twice")
        return Selection(entry["dataset"], row.items)
