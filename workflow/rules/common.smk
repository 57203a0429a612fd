# Configuration, sheets, wildcards, and the input functions that several stages share.
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from nnrd import codecs, points
from nnrd.config import load
from nnrd.errors import UserError
from nnrd.source_hash import source_hash

try:
    SETTINGS = load(config, str(workflow.configfiles[-1]), workflow.basedir)
except UserError as error:
    sys.exit(f"error: {error}")

MODELS, DATASETS = SETTINGS.models, SETTINGS.datasets
STUDIES = SETTINGS.studies
SPLITS = {(p.model, p.split.id): p.split for s in STUDIES.values() for p in s.points}
SHARDS = {study.dataset: study.shards for study in STUDIES.values()}
ITEMS = {study.dataset: study.items for study in STUDIES.values()}
RECORDS = {record.folder: record for study in STUDIES.values() for record in study.records}


wildcard_constraints:
    asset="[A-Za-z0-9_]+",
    study="[A-Za-z0-9_]+",
    model="[A-Za-z0-9_]+",
    dataset="[A-Za-z0-9_]+",
    split="[A-Za-z0-9_.-]+",
    shard=r"\d+-of-\d+",
    source="features/[^/]+/[^/]+/[^/]+",
    codec="[A-Za-z0-9_]+",
    parameters=r"[A-Za-z0-9_.,=+-]+",
    folder="(anchor|features)/.+",


def job_hash(program):
    """Hash a program together with the codec and the detector that a job's wildcards name."""

    def hashed(wildcards):
        modules = []
        if "codec" in wildcards.keys():
            modules.append(codecs.module(wildcards.codec))
        if "model" in wildcards.keys():
            modules.append(f"nnrd.detectors.{MODELS[wildcards.model]['detector']}")
        return source_hash(program, *modules)

    return hashed


def parameters_json(wildcards):
    """Return the codec's parameters as a program takes them."""
    return json.dumps(points.parse(wildcards.parameters))


def model_of(column):
    """Return a function that looks up a column of the job's model."""
    return lambda wildcards: MODELS[wildcards.model][column]


def asset_folder(sheet, column):
    """Return a function that gives the folder of the asset of the job's model or dataset."""
    return lambda wildcards: f"resources/{sheet[wildcards[column]]['asset']}"


def annotations(dataset):
    """Return a dataset's ground truth: a file of the checkout, or one within an asset."""
    path = DATASETS[dataset]["annotations"]
    return f"resources/{path}" if path.split("/")[0] in SETTINGS.assets else path


def annotations_input(dataset):
    """Return what must exist for a dataset's ground truth to be there: the file or its asset."""
    path = annotations(dataset)
    return "/".join(path.split("/")[:2]) if path.startswith("resources/") else path


# Timed steps are given all cores where they have to run alone; they use one all the same.
ISOLATED = SETTINGS.config["isolated"]
TIMED_CORES = (workflow.cores or 1) if ISOLATED else 1
TIMING = "--threads 1 --isolated" if ISOLATED else "--threads 1"
