"""What each job of a run is told: its inputs and options, by its wildcards."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from nnrd.assets import rows as asset_rows
from nnrd.core.errors import UserError
from nnrd.models.family import WHOLE, Family
from nnrd.models.row import ModelRow
from nnrd.runtime.cuda import CPU, CUDA, has_cuda
from nnrd.study import inputs, paths
from nnrd.study.config import Settings
from nnrd.study.kinds.coded import CodedStudy
from nnrd.study.lists import listed
from nnrd.study.places import as_input
from nnrd.study.points import AUTO, NOTHING, Anchor, Point, Record, Selection, Split, parsed

WORKERS = 4  # of the coder, at most: more of them gain little
LONGEST_GROUP = 80  # characters of a record's folder in the name of a cluster's job
ASSET_COLUMNS = ("asset", "file", "source", "sha256", "bytes")


class Wildcards(Protocol):
    """The wildcards of a job, as Snakemake has them."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return a wildcard's value."""


class Jobs:
    """Look-ups in the settings by a job's wildcards; the methods are input and params functions."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.studies = settings.studies
        self.coded = {n: s for n, s in self.studies.items() if isinstance(s, CodedStudy)}
        coded = self.coded.values()
        self.records = {r.folder: r for study in self.studies.values() for r in study.scored}
        points = [point for study in coded for point in study.points]
        codings = {point.codec.id: point.codec for point in points}
        codings |= {point.codec.id: point.codec for study in coded for point in study.sent}
        codings |= {p.codec.id: p.codec for s in self.studies.values() for p in s.quantised}
        # Sorted, so that the order of the YAML is in no bitstream.
        self.operations = {
            name: json.dumps(codec.parameters, sort_keys=True) for name, codec in codings.items()
        }
        self.sources: dict[str, tuple[CodedStudy, Point]] = {}
        for study in coded:
            for point in study.points:
                self.sources.setdefault(point.source, (study, point))
        self.splits: dict[tuple[str, str], Split] = {
            (point.model, point.split.id): point.split for point in points if point.split
        }
        found = [data for study in self.studies.values() for data in study.selections]
        self.selections: dict[str, Selection] = {data.id: data for data in found}

    def parameters(self, wildcards: Wildcards) -> str:
        """Return a codec's parameters as JSON; a path may hold only their hash."""
        return self.operations[f"{wildcards.get('codec')}/{wildcards.get('parameters')}"]

    # Which model a job is about, and what it is told of it.

    def model_name(self, wildcards: Wildcards) -> str:
        """Return the model of a job, from whichever of its wildcards says it."""
        if wildcards.get("model"):
            return wildcards.get("model")
        if wildcards.get("source"):
            return wildcards.get("source").split("/")[1]
        return self.records[wildcards.get("folder")].label["model"]

    def family(self, wildcards: Wildcards) -> Family:
        """Return the family of a job's model."""
        return self.settings.sheets.family(self.model_name(wildcards))

    def model(self, wildcards: Wildcards) -> list[str]:
        """Return a job's model as options: its row, and the folder of its files."""
        return self._model_options(self.settings.sheets.models[self.model_name(wildcards)])

    def graph_model(self, wildcards: Wildcards) -> list[str]:
        """Return the same for a job that looks at nothing but the graph and its tensors."""
        row = self.settings.sheets.models[self.model_name(wildcards)]
        return self._model_options(self.family(wildcards).graph_row(row))

    def input_model(self, wildcards: Wildcards) -> list[str]:
        """Return the same for a job that makes the graph's inputs, and reads no outputs."""
        row = self.settings.sheets.models[self.model_name(wildcards)]
        return self._model_options(self.family(wildcards).input_row(row))

    def _model_options(self, row: ModelRow) -> list[str]:
        folder = inputs.model_folder(self.settings, row.model)
        packages = inputs.package_folder(self.settings, row.model)
        words = ["--model", json.dumps(row.columns), *(["--assets", *folder] if folder else [])]
        return words + (["--packages", *packages] if packages else [])

    def model_files(self, wildcards: Wildcards) -> list[str]:
        """Return the folders of a job's model's files and packages, and their sums; mostly one."""
        name = self.model_name(wildcards)
        folders = inputs.model_folder(self.settings, name)
        folders += inputs.package_folder(self.settings, name)
        return [*folders, *map(paths.sums, folders)]

    def runtime(self, wildcards: Wildcards) -> str:
        """Return what runs a job's model: what a path says, or what its family's models are."""
        if wildcards.get("split"):
            return "onnx"
        return wildcards.get("runtime") or self.family(wildcards).runtime

    def provider(self, wildcards: Wildcards) -> str:
        """Return what a job's graph is to run on, which its path says: `Providers` of its study."""
        if wildcards.get("runs"):  # of a measurement, which runs on a GPU only where it says so
            return parsed(wildcards.get("runs"))["device"]
        own = wildcards.get("provider")
        return (wildcards.get("part1", "") if own is None else own).removeprefix("@") or AUTO

    def run_on(self, wildcards: Wildcards) -> list[str]:
        """Return the same as options; none where any will do."""
        given = self.provider(wildcards)
        return [] if given == AUTO else ["--provider", given]

    def may_take_gpu(self, wildcards: Wildcards) -> bool:
        """Say whether a job that runs a model is not to keep to the CPU."""
        return self.provider(wildcards) != CPU

    def refuse_missing_gpu(self, asked: Iterable[Wildcards]) -> None:
        """Raise UserError where jobs that are to be done here need a GPU that is not there."""
        if not has_cuda() and any(self.provider(wildcards) == CUDA for wildcards in asked):
            named = [
                f"studies.{n}.{key}" for n, s in self.studies.items() for key in s.keys_for(CUDA)
            ]
            raise UserError(
                f"{', '.join(named)}: cuda: this machine has no NVIDIA GPU that can be used"
            )

    def input_shape(self, wildcards: Wildcards) -> list[str]:
        """Return the random input, as options, on which a model's sizes have to be measured."""
        shape = self.settings.sheets.models[self.model_name(wildcards)].input_shape
        return ["--shape", *shape.split()] if shape else []

    def onnx(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the ONNX file, and the facts of it, where the model runs in ONNX Runtime."""
        if self.runtime(wildcards) != "onnx":
            return {}
        name = self.model_name(wildcards)
        return {
            "onnx": paths.fill(paths.MODEL, model=name),
            "facts": paths.fill(paths.FACTS, model=name),
        }

    def run_by(self, wildcards: Wildcards) -> list[str]:
        """Return what runs a job's model as options."""
        given = self.onnx(wildcards)
        by = ["--runtime", self.runtime(wildcards)]
        return [*by, *self.options(given), *self.run_on(wildcards)]

    def split(self, wildcards: Wildcards) -> list[str]:
        """Return a split point as options."""
        split = self.splits[wildcards.get("model"), wildcards.get("split")]
        if split.rank is not None:
            return ["--rank", str(split.rank)]
        if split.tensors:
            return ["--tensors", *split.tensors]
        return ["--name", str(split.name), "--where", split.where]

    def source(self, wildcards: Wildcards) -> tuple[CodedStudy, Point]:
        """Return a study and a point of it that have a job's source of tensors."""
        given = wildcards.get("source")
        if given is None:  # the rule that makes the source names its parts
            parts = ("model", "transform", "settings")
            given = "/".join(["weights", *(wildcards.get(part) for part in parts)])
        return self.sources[given]

    def workers(self, wildcards: Wildcards, cores: int | None) -> int:
        """Return by how many processes a job's tensors are coded: those that would be idle.

        ``cores`` are the run's; None on a cluster, where each job gets cores of its own.
        """
        if not self.source(wildcards)[0].kind.one_bundle:
            return 1
        if cores is None:
            return WORKERS
        return max(1, min(WORKERS, cores // max(1, len(self.bundles_to_code))))

    @cached_property
    def bundles_to_code(self) -> set[str]:
        """The bitstreams of large bundles that are not there yet."""
        coded = [study for study in self.coded.values() if study.kind.one_bundle]
        points = [point for study in coded for point in study.points]
        files = {paths.step(p.encoded, "bitstreams", p.source_shards)[0] for p in points}
        return {file for file in files if not Path(file).exists()}

    def transform(self, wildcards: Wildcards) -> list[str]:
        """Return a source's transform as options; none where it has none."""
        _, point = self.source(wildcards)
        if point.transform is None:
            return []
        parameters = json.dumps(dict(point.transform.parameters))
        return ["--transform", point.transform.name, "--transform-parameters", parameters]

    def calibration(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the index of the items that a transform looks at, where the study gives some."""
        study, _ = self.source(wildcards)
        data = study.calibration
        return {"calibration": paths.fill(paths.INDEX, data=data.id)} if data else {}

    def options(self, given: Mapping[str, str]) -> list[str]:
        """Return some of a job's inputs as options of its program."""
        return [word for key, file in given.items() for word in (f"--{key}", file)]

    # Models that a codec takes as a whole.

    def graphs(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return the graphs of a job's model, and the facts of them, in the family's order."""
        name, family = self.model_name(wildcards), self.family(wildcards)
        whose = self.settings.sheets.models.with_graph_of(name)
        pairs = [paths.graph_files(whose, graph, WHOLE) for graph in family.graphs]
        return {"graphs": [file for file, _ in pairs], "facts": [facts for _, facts in pairs]}

    def looked_at(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the index of the items that such a codec looks at, where it looks at some."""
        data = wildcards.get("calibration")
        return {} if data == NOTHING else {"calibration": paths.fill(paths.INDEX, data=data)}

    def looked_at_folder(self, wildcards: Wildcards) -> list[str]:
        """Return where the files of these items are."""
        data = wildcards.get("calibration")
        if data == NOTHING:
            return []
        return [inputs.items_folder(self.settings, self.selections[data].dataset)]

    # Datasets and assets.

    def selection(self, wildcards: Wildcards) -> Selection:
        """Return the dataset of a job, whole or in part."""
        return self.selections[wildcards.get("data")]

    def dataset_files(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """Return what a dataset's index is made of."""
        data = self.selection(wildcards)
        apart = {"without": paths.fill(paths.INDEX, data=data.without)} if data.without else {}
        return inputs.dataset_files(self.settings, data.dataset) | apart

    def items_folder(self, wildcards: Wildcards) -> str:
        """Return where the files of a job's items are."""
        return inputs.items_folder(self.settings, self.selection(wildcards).dataset)

    def dataset(self, wildcards: Wildcards) -> list[str]:
        """Return a dataset as options of index_dataset."""
        data = self.selection(wildcards)
        row = self.settings.sheets.datasets[data.dataset]
        where = inputs.annotations(self.settings, data.dataset)
        folder = inputs.files_folder(self.settings, data.dataset)
        words = ["--format", row.format, "--annotations", where, "--folder", folder]
        words += ["--items", str(data.count)]
        if row.selection:
            words += ["--selection", as_input(self.settings.places.located(row.selection))]
        words += ["--skip-bad"] if row.bad_items == "skip" else []
        words += ["--without", paths.fill(paths.INDEX, data=data.without)] if data.without else []
        return words if data.items is None else [*words, "--seed", str(data.seed)]

    def asset(self, wildcards: Wildcards) -> str:
        """Return a file of an asset's rows: file, source, sum, all that fetching depends on.

        Its name is that of its content, so that another row fetches again; and so does a file of
        this machine that is taken as it is, without a sum, when it changes. Such a file is no
        input of the rule, for in that a brace would be a wildcard.
        """
        asset = wildcards.get("asset")
        rows = self.settings.sheets.assets[asset]
        kept = [{key: row[key] for key in ASSET_COLUMNS if key in row} for row in rows]
        for row, given in zip(kept, rows, strict=True):
            if "only" in given:
                row["names"] = asset_rows.chosen(asset_rows.AssetFile(**given)).names
        text = json.dumps(kept, indent=1)
        states = [_state(row["source"]) for row in kept if "sha256" not in row]
        digest = hashlib.sha256(json.dumps([text, states]).encode()).hexdigest()[:16]
        return listed(f"fetch_asset/{asset}-{digest}.json", text)

    # Records and pictures.

    def record_inputs(self, wildcards: Wildcards) -> Mapping[str, str | list[str]]:
        """Return what a point or an anchor was measured by."""
        return inputs.record_inputs(self.records[wildcards.get("folder")])

    def record(self, wildcards: Wildcards) -> list[str]:
        """Return a point or an anchor as options of score_point."""
        record = self.records[wildcards.get("folder")]
        return ["--task", self.task(record), "--point", json.dumps(record.label)]

    def task(self, record: Record) -> str:
        """Return the task of a point or an anchor."""
        return str(self.settings.sheets.models[record.label["model"]].task)

    def group(self, output: str, wildcards: Mapping[str, str]) -> str | None:
        """Return the cluster's job that makes an output: its name, short and without a slash.

        What comes behind a point's bitstreams is one job, and what comes behind an anchor's
        nothing. Where several shards share that work, each of its jobs is one; then None.
        """
        folder = paths.record_folder(output).format(**dict(wildcards.items()))
        record = self.records[folder]
        held = record if isinstance(record, Anchor) else record.anchor
        if len(held.data.shards) > 1:
            return None
        digest = hashlib.sha256(folder.encode()).hexdigest()
        return f"{folder.replace('/', '-')[:LONGEST_GROUP]}-{digest[:12]}"

    def latency(self, wildcards: Wildcards) -> list[str]:
        """Return what a study's latencies are reckoned for, as options."""
        found = self.coded[wildcards.get("study")].latency
        return found.options() if found else []

    def max_loss(self, wildcards: Wildcards) -> list[str]:
        """Return what a study's points may lose, as options; none where it does not say."""
        found = self.coded[wildcards.get("study")].max_loss
        return [] if found is None else ["--max-loss", f"{found:g}"]

    def overlay_inputs(self, wildcards: Wildcards) -> Mapping[str, str | list[str]]:
        """Return what an overlay is drawn from."""
        names = ("study", "split", "codec", "parameters")
        picture = paths.fill(paths.OVERLAY, **{name: wildcards.get(name) for name in names})
        return inputs.overlay_inputs(self.coded[wildcards.get("study")], picture)


def _state(source: str) -> list[int]:
    """Return size and time of a file of this machine; nothing where it is another source."""
    path = Path(source.removeprefix("file:").partition("#")[0])
    if not source.startswith("file:") or not path.is_file():
        return []
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
