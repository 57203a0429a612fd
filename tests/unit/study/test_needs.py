"""What jobs ask of a cluster follows the model's size, the items of a shard, and the attempt."""

from pathlib import Path

import pytest

from nnrd.study import config, needs
from nnrd.study.estimate import EVALUATE
from nnrd.study.jobs import Jobs

ROOT = Path(__file__).parents[3]
STUDIES = {
    "features": {
        "kind": "features",
        "model": "ssdlite300_mobilenet_v2",
        "dataset": "demo_images",
        "splits": [10],
        "codecs": ["raw"],
    },
    "weights": {
        "kind": "weights",
        "model": "whisper_tiny_en",
        "dataset": "asterisk_prompts",
        "items": 40,
        "codecs": ["float16"],
    },
}
PROFILED = {"measured": "batch=2,power_seconds=60,repeats=5,samples=100,warm_up=10"}
FEATURES = {"model": "ssdlite300_mobilenet_v2", "data": "demo_images", "split": "rank10"}


@pytest.fixture(scope="module")
def found():
    given = {"run": list(STUDIES), "studies": STUDIES}
    return needs.Needs(Jobs(config.load(given, "config.yaml", ROOT)))


@pytest.mark.parametrize("rule", needs.OF_RULE)
def test_a_try_more_gets_more(found, rule):
    wildcards = FEATURES | {"runtime": "onnx", "folder": "x"} | PROFILED
    for resource in found.of(rule).values():
        first, third = resource(wildcards, attempt=1), resource(wildcards, attempt=3)
        assert isinstance(first, int) and third == 3 * first > 0


def test_memory_follows_the_model_and_what_runs_it(found):
    small = FEATURES | {"runtime": "onnx"}
    large = {"model": "whisper_tiny_en", "data": "asterisk_prompts-40", "runtime": "torch"}
    assert found.megabytes("infer_anchor", small) < 700
    assert found.megabytes("infer_anchor", large) > 1_251  # its measured peak, in MB
    assert found.megabytes("encode_tensors", large) > 2.3 * 4 * 37.76


def test_time_follows_items_and_values(found):
    large = {"model": "whisper_tiny_en", "data": "asterisk_prompts-40", "runtime": "torch"}
    seconds = EVALUATE * 37_760_256 * 40
    assert found.minutes("infer_anchor", large) == round(10 + 5 * seconds / 60)


def test_time_of_a_measurement_follows_its_runs(found):
    seconds = EVALUATE * 4_475_504 * 550 * 2 + 60 / 5
    assert found.minutes("profile_model", FEATURES | PROFILED) == round(10 + 5 * seconds / 60)
