"""What a cluster's queue sees of a point: which of its jobs are one."""

from pathlib import Path

import pytest

from nnrd.study import config, paths
from nnrd.study.jobs import Jobs

ROOT = Path(__file__).parents[3]
STUDIES = {
    "features": {
        "kind": "features",
        "model": "ssdlite300_mobilenet_v2",
        "dataset": "demo_images",
        "splits": [10],
        "codecs": ["raw"],
        "file_codecs": ["stored"],
    },
    "weights": {
        "kind": "weights",
        "model": "mobilenet_v2",
        "dataset": "imagenet_images",
        "codecs": ["float16"],
    },
}
DETECTOR = {"model": "ssdlite300_mobilenet_v2", "data": "demo_images", "provider": ""}
OF_ONE = {"codec": "raw", "parameters": "default", "shard": "0-of-1"}
WEIGHTS = {"source": "weights/mobilenet_v2", "data": "imagenet_images"}
# Outputs by the wildcards of the rule that makes them, and the record that they are for.
OUTPUTS = [
    (paths.ANCHOR_PREDICTIONS, DETECTOR | {"runtime": "onnx"}, "anchor/{model}/{data}/onnx"),
    (
        paths.FILES_PREDICTIONS,
        DETECTOR | {"runtime": "onnx", "codec": "stored", "parameters": "default"},
        "files/{model}/{data}/onnx/stored/default",
    ),
    (
        paths.FEATURES_PREDICTIONS,
        DETECTOR | OF_ONE | {"split": "rank10", "part1": ""},
        "features/{model}/{data}/rank10/raw/default",
    ),
    *(
        (pattern, WEIGHTS | OF_ONE | {"codec": "float16"}, "{source}/float16/default/{data}")
        for pattern in (paths.DECODED, paths.WEIGHTS_PREDICTIONS)
    ),
]


def jobs(**given):
    studies = {name: study | given for name, study in STUDIES.items()}
    return Jobs(config.load({"run": list(studies), "studies": studies}, "config.yaml", ROOT))


@pytest.mark.parametrize("pattern, wildcards, record", OUTPUTS)
def test_decoding_running_and_scoring_is_one_job(pattern, wildcards, record):
    found, record = jobs(), record.format(**wildcards)
    group = found.group(pattern, wildcards)
    assert group == found.group(paths.RECORD, {"folder": record})
    assert group.startswith(record.replace("/", "-")[:80])


@pytest.mark.parametrize("pattern, wildcards, record", OUTPUTS)
def test_shards_are_spread_over_a_cluster(pattern, wildcards, record):
    found, record = jobs(shard_size=5), record.format(**wildcards)
    assert found.group(pattern, wildcards) is None
    assert found.group(paths.RECORD, {"folder": record}) is None


def test_every_record_has_a_group_of_its_own_whose_name_is_a_file_s():
    found = jobs()
    groups = [found.group(paths.RECORD, {"folder": folder}) for folder in found.records]
    assert len(set(groups)) == len(groups) > 4
    assert all("/" not in group and len(group) <= 93 for group in groups)
