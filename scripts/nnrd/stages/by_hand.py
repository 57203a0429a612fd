"""A model of the sheets by its name, or an ONNX file of one's own, for a program by hand."""

import argparse
from argparse import Namespace
from functools import cached_property
from pathlib import Path

from nnrd.assets import cache, exports, fetch
from nnrd.assets.rows import AssetFile
from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import read_record
from nnrd.core.options import json_object, whole_number
from nnrd.core.packages import lay_beside
from nnrd.core.schema import first_mistake, unknown
from nnrd.models import REGISTRY, Family, ModelRow
from nnrd.models.family import WHOLE
from nnrd.models.pipeline import Pipeline
from nnrd.split import files
from nnrd.stages import convert_graph, convert_model, planning, steps

OWN = "onnx_detectors"  # the family of an ONNX file of one's own
TASK = "detection"
MODEL_WORDS = "a row of the sheets by its name, or an ONNX file of a detector"
# As the workflow has them, without the suffix of the file and of what is known of it.
MODEL, GRAPH = "results/models/{model}", "results/models/{model}/{graph}"


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model and where the sheets are."""
    parser.add_argument("--model", required=True, metavar="NAME|FILE.onnx", help=MODEL_WORDS)
    add_sheets(parser)


def add_sheets(parser: argparse.ArgumentParser) -> None:
    """Add what is to know of the model, and where the sheets are."""
    about = f"of an ONNX file, what family {OWN} takes (config/README.md), as JSON"
    parser.add_argument("--options", type=json_object, metavar="JSON", help=about)
    parser.add_argument("--folder", type=Path, default=Path(), help="the checkout with the sheets")
    rows = "YAML files with rows of one's own, beside the sheets"
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help=rows)
    threads = "compute threads (default 1)"
    parser.add_argument("--threads", type=whole_number, default=1, metavar="N", help=threads)


class Model:
    """The model that the options name; ``work`` is a folder for what has to be made of it.

    ``task``: what it has to be for; None: whatever.
    """

    def __init__(self, args: argparse.Namespace, work: Path, task: str | None = TASK) -> None:
        self.args, self.work, self.task = args, work, task
        self.is_file = args.model.endswith(".onnx")
        self.row = self._own() if self.is_file else self._named()
        if not self.is_file and args.options is not None:
            raise UserError(f"--options is of an ONNX file; {args.model} has those of its row")

    @property
    def family(self) -> Family:
        """The family of the model, its packages laid beside what is installed."""
        if self.packages is not None:
            lay_beside(self.packages)
        return REGISTRY.get(self.row.family)

    @cached_property
    def pipeline(self) -> Pipeline:
        """What stands around its graph; UserError for a model of another task."""
        found = self.around
        if self.family.needs_network:
            found.network = self.family.load_network(self.row).load(self.assets)
        return found

    @cached_property
    def around(self) -> Pipeline:
        """What stands around its `graphs`, which no network helps; UserError as `pipeline`."""
        found = self.family.load_pipeline(self.row)
        if self.task not in (None, found.task):
            raise UserError(f"model {self.row.model}: is for {found.task}, not for {self.task}")
        found.open(self.assets)
        return found

    @cached_property
    def graphs(self) -> dict[str, Path]:
        """The ONNX files that it consists of where no PyTorch runs, by their family's names."""
        several = self.family.graphs != (WHOLE,)
        return {name: self._graph(name) if several else self.onnx for name in self.family.graphs}

    def _graph(self, name: str) -> Path:
        return self._made(GRAPH.format(model=self.row.model, graph=name)) or self._exported(name)

    @cached_property
    def onnx(self) -> Path:
        """Its ONNX file: one's own, checked, the workflow's, the cache's, or made in ``work``."""
        if self.is_file:
            files.load(self.args.model)  # what ONNX Runtime would not end with, or read elsewhere
            return Path(self.args.model)
        made = self._made(MODEL.format(model=self.row.model))
        return made or (self._exported() if self.family.network else self._converted())

    @cached_property
    def assets(self) -> Path | None:
        """The folder of its files, out of the cache; None where it has none."""
        return None if self.is_file else self._fetched(self.row.asset, "assets")

    @cached_property
    def packages(self) -> Path | None:
        """The folder of the packages that only its family needs; mostly None."""
        asset = None if self.is_file else self.sheets.packages(self.row.model)
        return self._fetched(asset, "packages")

    @cached_property
    def sheets(self) -> planning.Sheets:
        """The rows of the sheets."""
        return planning.sheets(self.args)

    def _fetched(self, asset: str | None, name: str) -> Path | None:
        if asset is None:
            return None
        rows = [AssetFile(**row) for row in self.sheets.assets[asset]]
        folder = self.work / name
        fetch.fetch(rows, folder, cache.Cache(cache.default_folder()), self.args.folder)
        return folder

    def _own(self) -> ModelRow:
        path, options = Path(self.args.model), self.args.options or {}
        if not path.is_file():
            raise UserError(f"{path}: no such ONNX file")
        mistake = first_mistake(dict(REGISTRY.get(OWN).options or {}), options)
        if mistake:
            raise UserError(f"--options: {': '.join(part for part in mistake if part)}")
        return ModelRow(path.stem, OWN, "asset", TASK, options=options)

    def _named(self) -> ModelRow:
        models = self.sheets.models
        if self.args.model not in models:
            raise UserError(f"--model: {unknown('model', self.args.model, models)}")
        return models[self.args.model]

    def _made(self, place: str) -> Path | None:
        """Return the file that the workflow made of the same row, if there is one."""
        onnx, facts = (self.args.folder / f"{place}{suffix}" for suffix in (".onnx", ".json"))
        if not (onnx.is_file() and facts.is_file()):
            return None
        if read_record(facts).get("row") != self.family.graph_row(self.row).columns:
            return None
        lineage.verify_made(onnx, facts)
        steps.say(f"{onnx}: the workflow's is used")
        return onnx

    def _exported(self, graph: str = WHOLE) -> Path:
        """Return what was exported before, else what is now, which takes importing PyTorch."""
        kept = exports.Exports(cache.default_folder(), self.row.model)
        key = planning.export_key(self.row, self.family, self.assets, graph)
        found = kept.take(key)
        if found:
            steps.say(f"{found}: exported before, is used")
            return found
        out = self._converted(graph)
        kept.keep(key, out, out.with_suffix(".json"))
        return out

    def _converted(self, graph: str = WHOLE) -> Path:
        out = self.work / graph / exports.FILE
        out.parent.mkdir()
        facts, row = out.with_suffix(".json"), self.family.graph_row(self.row)
        given = Namespace(
            model=row, assets=self.assets, packages=self.packages, graph=graph, out=out,
            facts=facts, threads=self.args.threads,
        )  # fmt: skip
        (convert_model if graph == WHOLE else convert_graph).main(given)
        return out
