"""Where every file of a run is: patterns with Snakemake's wildcards, and what fills them.

Rules name their outputs by these patterns, and input functions fill the same ones.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from nnrd.core.lineage import SUFFIX
from nnrd.core.sheets import schema
from nnrd.study.points import VARIANT

WHOLE = "0-of-1"
SLUG = "[A-Za-z0-9_.,=+-]+"  # what `nnrd.study.points.slug` makes
ALL = "all"  # stands in a path for "all studies of the run"

ASSET = "resources/{asset}"
INDEX = "results/datasets/{data}.json"
MODEL = "results/models/{model}.onnx"
FACTS = "results/models/{model}.json"
GRAPH = "results/models/{model}/{graph}.onnx"  # where a model is several graphs
GRAPH_FACTS = "results/models/{model}/{graph}.json"
PART1 = "results/split/{model}/{split}/part1.onnx"
PART2 = "results/split/{model}/{split}/part2.onnx"
PLAN = "results/split/{model}/{split}/split.json"

# Behind a name stands what ran it, where a study says so: part I's provider, or the step's own.
FEATURES = "features/{model}/{data}/{split}{part1}"
WEIGHTS = "weights/{model}"
TENSORS = "results/{source}/tensors/{shard}"
BITSTREAMS = "results/{source}/{codec}/{parameters}/bitstreams/{shard}"
FEATURES_TENSORS = f"results/{FEATURES}/tensors/{{shard}}"
FEATURES_BITSTREAMS = f"results/{FEATURES}/{{codec}}/{{parameters}}/bitstreams/{{shard}}"
FEATURES_PREDICTIONS = (
    f"results/{FEATURES}/{{codec}}/{{parameters}}{{provider}}/predictions/{{shard}}.json"
)
WEIGHTS_TENSORS = "results/weights/{model}/tensors/{shard}"
TRANSFORMED = "results/weights/{model}/{transform}/{settings}/tensors/{shard}"
DECODED = "results/{source}/{codec}/{parameters}/{data}/decoded/{shard}"
WEIGHTS_PREDICTIONS = "results/{source}/{codec}/{parameters}/{data}/predictions/{shard}.json"
FILES_PREDICTIONS = (
    "results/files/{model}/{data}/{runtime}{provider}/{codec}/{parameters}/predictions/{shard}.json"
)
QUANTISED = f"results/quantised/{{model}}/{{calibration}}/{{codec}}/{{parameters}}/graphs/{WHOLE}"
QUANTISED_PREDICTIONS = (
    "results/quantised/{model}/{calibration}/{codec}/{parameters}/{data}/predictions/{shard}.json"
)
ANCHOR_PREDICTIONS = "results/anchor/{model}/{data}/{runtime}{provider}/predictions/{shard}.json"
OUTPUTS = "results/anchor/{model}/{data}/onnx{provider}/outputs/{shard}"

PROFILED = "results/profile/{model}/{runs}/{measured}.json"
COUNTED = "results/profile/{model}/parameters.json"
PROFILE_PLOT = "results/plots/{study}/profile/{plot}.{suffix}"
FINDINGS = "results/plots/{study}/profile/findings.html"

RECORD = "results/{folder}/point.json"
STUDY_TABLE = "results/tables/{study}/{table}.csv"
TABLE = "results/tables/{table}.csv"
TABLES = ("points", "items")
PROFILE_TABLES = ("profile", "parameters")
PLOT = "results/plots/{study}/{plot}.{suffix}"
OVERLAY = "results/plots/{study}/overlays/{split}/{codec}/{parameters}.png"
SPLIT_TABLE = "results/splits/{model}.csv"
SPLIT_PLOT = "results/splits/{model}.{suffix}"
SPLIT_PAGE = "results/splits/{study}.html"
SPLIT_INPUTS = "results/splits/{study}/inputs/{comparison}.csv"
COMPARISON = "results/splits/{study}/{comparison}.{suffix}"
PROVENANCE = "results/provenance.json"
REPORT = "results/report.html"  # written by `snakemake --report`
FORMATS = ("png", "pdf", "svg")  # of plots


def fill(pattern: str, **values: object) -> str:
    """Return a pattern with its wildcards filled."""
    return pattern.format(**values)


def graph_files(model: str, graph: str, whole: str) -> tuple[str, str]:
    """Return a graph of a model and the facts of it; ``whole``: the one graph of most models."""
    if graph == whole:
        return fill(MODEL, model=model), fill(FACTS, model=model)
    return fill(GRAPH, model=model, graph=graph), fill(GRAPH_FACTS, model=model, graph=graph)


def whole(pattern: str) -> str:
    """Return a pattern with the one shard of what is not cut, its other wildcards left."""
    return pattern.replace("{shard}", WHOLE)


def name_patterns() -> dict[str, str]:
    """Return what the schemas let a name be, by its wildcard; so rules take what they take."""
    config = schema("config")
    comparisons = config["$defs"]["splits"]["properties"]["comparisons"]["properties"]
    rules: dict[str, Any] = {
        "asset": schema("assets")["properties"]["asset"],
        "model": schema("models")["properties"]["model"],
        "study": config["properties"]["studies"]["propertyNames"],
        "comparison": comparisons["ranks"]["propertyNames"],
    }
    found = {name: rule["pattern"].strip("^$") for name, rule in rules.items()}
    # Behind its name may stand what a study changes of a row.
    return found | {"model": rf"{found['model']}(\{VARIANT}{SLUG})?"}


def study_table(table: str) -> str:
    """Return the pattern of a table of one study, its study left open."""
    return STUDY_TABLE.replace("{table}", table)


def times(pattern: str) -> str:
    """Return the file, beside what a step makes, that says how the step ran."""
    return f"{pattern.removesuffix('.json')}.times.json"


def sums(pattern: str) -> str:
    """Return the file, beside a table or a folder that was fetched, with its checksums."""
    return f"{pattern}{SUFFIX}"


def record_folder(pattern: str) -> str:
    """Return the folder, under results/, of the record that an output of this pattern is for."""
    return re.sub(r"^results/|/(predictions|decoded)/.*|/point\.json$", "", pattern)


def log(rule: str, pattern: str) -> str:
    """Return the log of a rule whose output has this pattern."""
    return f"logs/{rule}/{_inner(pattern)}.log"


def benchmark(rule: str, pattern: str) -> str:
    """Return the benchmark file of a rule whose output has this pattern."""
    return f"benchmarks/{rule}/{_inner(pattern)}.tsv"


def _inner(pattern: str) -> str:
    """Return what tells a rule's jobs apart: the wildcards of its output, in their order."""
    parts = [part for part in pattern.split("/") if "{" in part]
    if not parts:
        return PurePosixPath(pattern).stem
    last = parts[-1].partition(".")[0] if parts[-1].count("}") == 1 else parts[-1]
    return "/".join([*parts[:-1], last])


def step(folder: str, name: str, shards: Iterable[str]) -> list[str]:
    """Return what a step makes of all shards, with its times: folders of a file an item."""
    made = [f"results/{folder}/{name}/{shard}" for shard in shards]
    return made + step_files(folder, name, shards)


def step_files(folder: str, step: str, shards: Iterable[str]) -> list[str]:
    """Return the times of a step of all shards; ``step``: tensors, bitstreams, predictions."""
    return [f"results/{folder}/{step}/{shard}.times.json" for shard in shards]


def predictions(folder: str, shards: Iterable[str]) -> list[str]:
    """Return the predictions of a point or an anchor, a file a shard."""
    return [f"results/{folder}/predictions/{shard}.json" for shard in shards]


def table_of(study: str, table: str) -> str:
    """Return a table of a study, or of all."""
    if study == ALL:
        return fill(TABLE, table=table)
    return fill(STUDY_TABLE, study=study, table=table)
