"""A features study of a small classifier on four images, made stage by stage as its jobs do."""

import argparse
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nnrd.core.files import complete_file, read_record
from nnrd.stages import (
    convert_model,
    encode_tensors,
    extract_features,
    extract_outputs,
    fetch_asset,
    index_dataset,
    infer_anchor,
    infer_features,
    infer_files,
    join_tables,
    score_point,
    split_model,
    tabulate_latency,
    tabulate_points,
    write_provenance,
)
from nnrd.study import config, inputs, jobs, paths
from nnrd.study.config import Settings
from nnrd.study.declared import shown
from nnrd.study.points import FilePoint, Point, Record

SIDE, ITEMS = 32, 4
QPS = (-30, 6)
STUDY = {
    "kind": "features",
    "model": "net",
    "dataset": "pictures",
    "shard_size": 2,
    "splits": [2],
    "codecs": [{"nnc": {"qp": list(QPS)}}],
}
CONFIG = {"run": ["small"], "studies": {"small": STUDY}}
NET = ["net", "classification", "resnet56_cifar100", "asset", "net"]
PICTURES = ["pictures", "classification", "test", "labelled_images", "pictures", "pictures/set"]
SHEETS = {
    "models": ("model task family weights asset", [NET]),
    "datasets": (
        "dataset task part format asset annotations items",
        [[*PICTURES, ITEMS]],
    ),
}
# The family takes a network; the file of this one is an ONNX file already.
TAKEN = {"model": "net", "family": "onnx_file", "weights": "asset", "file": "net.onnx"}
ROW = {"model": "net", "family": "resnet56_cifar100", "weights": "asset"}


def write_net(file: Path) -> None:
    """Write a small graph of the form that ResNet-56's pipeline feeds: (1, 3, 32, 32) to 100."""
    rng = np.random.default_rng(0)
    stored = {
        "w": rng.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "v": rng.normal(0, 0.3, (8, 100)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["input", "w"], ["a"], "conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("GlobalAveragePool", ["b"], ["c"], "pool"),
        helper.make_node("Flatten", ["c"], ["d"], "flat"),
        helper.make_node("MatMul", ["d", "v"], ["output"], "dense"),
    ]
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("input", [1, 3, SIDE, SIDE]), ("output", [1, 100]))
    ]
    weights = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    graph = helper.make_graph(nodes, "small", values[:1], values[1:], initializer=weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), file)


def prepare() -> Settings:
    """Write the files of one's own and the sheets into this folder; return the settings."""
    Path("own").mkdir()
    Path("config").mkdir()
    rng = np.random.default_rng(0)
    write_net(Path("own/net.onnx"))
    for number in range(ITEMS):
        image = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        cv2.imwrite(f"own/set_{number:02}_{number}.png", image)
    rows = [_asset(file) for file in sorted(Path("own").iterdir())]
    sheets = SHEETS | {"assets": ("asset file source sha256 bytes license", rows)}
    for name, (header, cells) in sheets.items():
        lines = ["\t".join(header.split()), *("\t".join(map(str, row)) for row in cells)]
        Path(f"config/{name}.tsv").write_text("\n".join(lines) + "\n")
    Path("config/config.yaml").write_text(json.dumps(CONFIG))
    return config.load(CONFIG, "config.yaml", Path())


def _asset(file: Path) -> list:
    data = file.read_bytes()
    asset = "net" if file.suffix == ".onnx" else "pictures"
    digest = hashlib.sha256(data).hexdigest()
    return [asset, file.name, f"file:{file}", digest, len(data), "mine"]


def stage(module, *words, **options):
    """Run a stage as its program does, with its errors as they are."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    given = list(map(str, words))
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        given += [f"--{name.replace('_', '-')}", *map(str, values)]
    module.main(parser.parse_args(given))


class Run:
    """The jobs of the study, by the names of their rules; ``at`` is a shard or a point."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        (self.study,) = settings.studies.values()
        self.shards, self.points = self.study.data.shards, self.study.points
        self.split = {"model": "net", "split": "rank2"}
        self.data = {"index": self._path(paths.INDEX, data=self.study.data.id)}
        self.model = {"model": json.dumps(ROW), "assets": "resources/net"}

    @staticmethod
    def _path(pattern: str, **values: object) -> str:
        return paths.fill(pattern, **values)

    def all(self) -> None:
        """Run every job, with pictures that nothing was drawn in."""
        for asset in ("net", "pictures"):
            self.fetch_asset(asset)
        self.index_dataset()
        self.convert_model()
        self.split_model()
        for shard in self.shards:
            self.infer_anchor(shard)
            self.extract_features(shard)
            self.extract_outputs(shard)
            for point in self.points:
                self.encode_tensors(point, shard)
                self.infer_features(point, shard)
        for record in self.study.records:
            for shard in self.shards if isinstance(record, FilePoint) else ():
                self.infer_files(record, shard)
            self.score_point(record)
        self.report()

    def report(self) -> None:
        """Make what is made of the records."""
        self.tabulate_points()
        self.tabulate_latency()
        self.join_tables()
        for file in shown(self.settings):
            if not Path(file).exists():
                with complete_file(file) as temporary:
                    temporary.write_text(file)
        self.write_provenance()

    def fetch_asset(self, asset: str) -> None:
        rows = self.settings.sheets.assets[asset]
        kept = [{key: row[key] for key in jobs.ASSET_COLUMNS if key in row} for row in rows]
        Path("rows.json").write_text(json.dumps(kept))
        where = {"out": f"resources/{asset}", "cache": "cache"}
        stage(fetch_asset, "--sums", asset=asset, rows="rows.json", **where)

    def index_dataset(self) -> None:
        given = {"annotations": "resources/pictures/set", "folder": "resources/pictures"}
        options = {"format": "labelled_images", "items": ITEMS, "out": self.data["index"]}
        stage(index_dataset, **given, **options)

    def _onnx(self) -> dict:
        return {key: self._path(p, model="net") for key, p in self._model_paths().items()}

    @staticmethod
    def _model_paths() -> dict:
        return {"onnx": paths.MODEL, "facts": paths.FACTS}

    def convert_model(self) -> None:
        where = self._onnx()
        given = {"model": json.dumps(TAKEN), "assets": "resources/net"}
        stage(convert_model, **given, out=where["onnx"], facts=where["facts"])

    def split_model(self) -> None:
        where = self._onnx()
        folder = str(Path(self._path(paths.PLAN, **self.split)).parent)
        stage(split_model, where["onnx"], facts=where["facts"], rank=2, out=folder)

    def _predictions(self, record: Record, shard: str) -> dict:
        (file,) = paths.predictions(record.folder, [shard])
        return {"predictions": file, "times": paths.times(file)}

    def infer_anchor(self, shard: str) -> None:
        given = {**self.model, "runtime": "onnx", **self._onnx(), **self.data, "shard": shard}
        stage(infer_anchor, **given, **self._predictions(self.study.anchor, shard))

    def infer_files(self, record: FilePoint, shard: str) -> None:
        given = {**self.model, "runtime": "onnx", **self._onnx(), **self.data, "shard": shard}
        parameters = json.dumps(dict(record.codec.parameters))
        coded = {"codec": record.codec.name, "parameters": parameters}
        stage(infer_files, **given, **coded, **self._predictions(record, shard))

    def _part(self, number: int) -> dict:
        pattern = paths.PART1 if number == 1 else paths.PART2
        plan = self._path(paths.PLAN, **self.split)
        return {f"part{number}": self._path(pattern, **self.split), "split": plan}

    def _step(self, folder: str, step: str, shard: str) -> tuple[str, str]:
        made = f"results/{folder}/{step}/{shard}"
        return made, paths.times(made)

    def extract_features(self, shard: str) -> None:
        out, times = self._step(self.points[0].source, "tensors", shard)
        given = {**self._part(1), **self.model, **self.data, "shard": shard}
        stage(extract_features, **given, out=out, times=times)

    @staticmethod
    def _codec(point: Point) -> dict:
        parameters = json.dumps(dict(point.codec.parameters))
        return {"codec": point.codec.name, "parameters": parameters, "of": point.source}

    def encode_tensors(self, point: Point, shard: str) -> None:
        tensors, source = self._step(point.source, "tensors", shard)
        out, times = self._step(point.encoded, "bitstreams", shard)
        given = {"tensors": tensors, "source": source}
        stage(encode_tensors, **given, **self._codec(point), out=out, times=times)

    def extract_outputs(self, shard: str) -> None:
        out, times = self._step(self.study.anchor.folder, "outputs", shard)
        given = {**self._onnx(), **self.model, **self.data, "shard": shard}
        stage(extract_outputs, **given, out=out, times=times)

    def infer_features(self, point: Point, shard: str) -> None:
        bitstreams, encoded = self._step(point.encoded, "bitstreams", shard)
        given = {**self._part(2), **self.model, **self.data, "shard": shard}
        coded = {"bitstreams": bitstreams, "encoded": encoded, **self._codec(point)}
        whole, reference = self._step(self.study.anchor.folder, "outputs", shard)
        coded |= {"outputs": whole, "reference": reference}
        stage(infer_features, **given, **coded, **self._predictions(point, shard))

    def score_point(self, record: Record) -> None:
        given = inputs.record_inputs(record)
        out = self._path(paths.RECORD, folder=record.folder)
        label = {"task": "classification", "point": json.dumps(record.label)}
        stage(score_point, **label, **given, out=out)

    def tabulate_points(self) -> None:
        records = [self._path(paths.RECORD, folder=r.folder) for r in self.study.records]
        Path("records.txt").write_text("\n".join(records))
        pattern = paths.STUDY_TABLE.replace("{study}", "small")
        made = {table: self._path(pattern, table=table) for table in paths.TABLES}
        given = {"study": "small", "uncompressed": self.study.kind.uncompressed}
        stage(tabulate_points, "--sums", **given, records="records.txt", **made)

    def tabulate_latency(self) -> None:
        where = {table: paths.table_of("small", table) for table in (*paths.TABLES, "latency")}
        stage(tabulate_latency, "--sums", *self.study.latency.options(), **where)

    def join_tables(self) -> None:
        for table in paths.TABLES:
            one = self._path(paths.STUDY_TABLE, study="small", table=table)
            stage(join_tables, one, "--sums", out=self._path(paths.TABLE, table=table))

    def write_provenance(self) -> None:
        run = {"config": CONFIG, "assets": {}, "results": shown(self.settings)}
        run["records"] = [self._path(paths.RECORD, folder=r.folder) for r in self.study.records]
        Path("run.json").write_text(json.dumps(run))
        stage(write_provenance, run="run.json", out=paths.PROVENANCE)


def edited(file: str, change) -> None:
    """Edit a record as somebody does who writes a checksum that fits."""
    from nnrd.core.files import write_record

    content = read_record(file)
    change(content)
    write_record(file, content)
