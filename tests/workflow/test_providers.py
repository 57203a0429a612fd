"""What runs each part of a split model: run on the CPU that is named, refused without a GPU."""

import copy
import csv

import pytest

from nnrd.runtime.cuda import has_cuda

from .conftest import CONFIG


def configured(checkout, **providers):
    config = copy.deepcopy(CONFIG)
    config["run"] = ["small"]
    config["studies"]["small"] |= {"codecs": ["raw"], "overlays": [], "providers": providers}
    checkout.configure(config)


def table(checkout):
    with (checkout.folder / "results/tables/small/points.csv").open() as lines:
        return list(csv.DictReader(lines))


@pytest.mark.slow
def test_parts_on_providers_that_are_named_give_the_same_numbers_beside(checkout):
    before = table(checkout)
    configured(checkout, part1="cpu", part2="cpu")
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    cpu = "CPUExecutionProvider"
    rows = table(checkout)
    assert {row["provider"] for row in rows} == {cpu}
    assert [row["part1_provider"] for row in rows if row["split"]] == [cpu, cpu]
    whole = checkout.folder / "results/anchor/ssdlite300_mobilenet_v2/demo_images-4"
    assert sorted(path.name for path in whole.iterdir()) == ["onnx", "onnx@cpu"]
    if not has_cuda():
        same = {(row["split"], row["codec"]): row["rec_perf"] for row in before}
        assert all(row["rec_perf"] == same[row["split"], row["codec"]] for row in rows)


@pytest.mark.skipif(has_cuda(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said_before_the_first_job(checkout):
    configured(checkout, part1="cpu", part2="cuda")
    assert checkout.plan().rules["infer_features"] == 4  # a dry run says what would be done
    done = checkout.run()
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in said
    assert said.count("studies.small.providers: cuda: this machine has no NVIDIA GPU") == 1
    features = checkout.folder / "results/features/ssdlite300_mobilenet_v2/demo_images-4"
    assert sorted(path.name for path in features.iterdir()) == ["rank50", "rank84"]
