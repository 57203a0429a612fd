# Configuration, sheets, wildcards, and the input functions that several stages share.
import json
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from nnrd import architectures, codecs, layout, points
from nnrd.config import load
from nnrd.errors import UserError
from nnrd.source_hash import source_hash

try:
    SETTINGS = load(config, str(workflow.configfiles[-1]), workflow.basedir)
except UserError as error:
    sys.exit(f"error: {error}")
for study, reason in SETTINGS.left_out.items():
    print(f"study {study} is left out: {reason}", file=sys.stderr)

MODELS, DATASETS = SETTINGS.models, SETTINGS.datasets
STUDIES = SETTINGS.studies
SPLITS = {(p.model, p.split.id): p.split for s in STUDIES.values() for p in s.points if p.split}
ITEMS = {study.dataset: study.items for study in STUDIES.values()}
RECORDS = {record.folder: (study, record) for study in STUDIES.values() for record in study.records}


wildcard_constraints:
    asset="[A-Za-z0-9_]+",
    study="[A-Za-z0-9_]+",
    model="[A-Za-z0-9_-]+",
    dataset="[A-Za-z0-9_]+",
    split="[A-Za-z0-9_.-]+",
    shard=r"\d+-of-\d+",
    source="|".join(kind.source_pattern for kind in points.KINDS.values()),
    codec="[A-Za-z0-9_]+",
    parameters=r"[A-Za-z0-9_.,=+-]+",
    folder="(anchor|" + "|".join(points.KINDS) + ")/.+",


def job_hash(program):
    """Hash a program with the codec, detector and network that a job's wildcards name."""

    def hashed(wildcards):
        modules = []
        if "codec" in wildcards.keys():
            modules.append(codecs.module(wildcards.codec))
        if "model" in wildcards.keys():
            row = MODELS[wildcards.model]
            parts = {"detector": "detectors", "network": "networks"}
            modules += [f"nnrd.{parts[part]}.{row[part]}" for part in parts if part in row]
        return source_hash(program, *modules)

    return hashed


def parameters_json(wildcards):
    """Return the codec's parameters as a program takes them."""
    return json.dumps(points.parse(wildcards.parameters))


def model_of(column):
    """Return a function that looks up a column of the job's model."""
    return lambda wildcards: MODELS[wildcards.model][column]


def asset_folder(sheet, column):
    """Return a function that gives the folder of the files of the job's model or dataset."""
    return lambda wildcards: layout.folder(sheet, wildcards[column]) or []


def asset_option(wildcards):
    """Return the folder of the job's model's files as an option; nothing where it has none."""
    folder = layout.folder(MODELS, wildcards.model)
    return f"--assets {folder}" if folder else ""


def models_with(column):
    """Return a pattern of the models that have a column; it matches nothing if none has it."""
    return "|".join(name for name, row in MODELS.items() if column in row) or "(?!)"


def model_hash(wildcards):
    """Hash convert_model together with the architecture that it builds."""
    name = MODELS[wildcards.model]["architecture"]
    return source_hash("convert_model", *([] if name == "onnx" else [architectures.module(name)]))


def model_options(wildcards, input):
    """Return a model's row as convert_model takes it."""
    row = MODELS[wildcards.model]
    weights = str(Path(str(input), row.get("file", ""))) if input else "random"
    options = f"--weights {shlex.quote(weights)}"
    return options + (f" --nodes {row['nodes']}" if "nodes" in row else "")


def split_options(wildcards):
    """Return a split point as split_model takes it."""
    split = SPLITS[wildcards.model, wildcards.split]
    if split.rank is not None:
        return f"--rank {split.rank}"
    return f"--name {shlex.quote(split.name)} --where {split.where}"


def shape_option(wildcards):
    """Return the random input on which a model's splits are measured; nothing: static sizes."""
    shape = MODELS[wildcards.model].get("input_shape")
    return f"--shape {shape}" if shape else ""


def record_inputs(wildcards):
    """Return what a point or an anchor was measured by; names are options of score_point."""
    return layout.record_inputs(SETTINGS, *RECORDS[wildcards.folder])


def overlay_inputs(wildcards):
    """Return what an overlay is drawn from; names are options of draw_overlays."""
    picture = "results/plots/{study}/overlays/{split}/{codec}/{parameters}.png"
    study = STUDIES[wildcards.study]
    return layout.overlay_inputs(SETTINGS, study, picture.format(**dict(wildcards.items())))


def input_options(wildcards, input):
    """Return a job's inputs as options of its program; ground truth has its own."""
    given = {key: value for key, value in input.items() if key != "truth"}
    return " ".join(f"--{key.replace('_', '-')} {value}" for key, value in given.items())


def record_task(wildcards):
    """Return the task of a point or an anchor."""
    return MODELS[RECORDS[wildcards.folder][1].model]["task"]


def kept_tensors(path):
    """Keep the tensors by default, so that a new operating point does not run part I again."""
    return path if SETTINGS.config["keep_tensors"] else temp(path)


# Timed steps are given all cores where they have to run alone; they use one all the same.
ISOLATED = SETTINGS.config["isolated"]
TIMED_CORES = (workflow.cores or 1) if ISOLATED else 1
TIMING = "--threads 1 --isolated" if ISOLATED else "--threads 1"
PRECISION = "--mixed" if SETTINGS.config["mixed_precision"] else ""
