"""The weights study in a checkout: what it makes, and what another point or dataset costs."""

import pandas
import pytest

from .conftest import Checkout, copy_of_project

STUDY = {
    "kind": "weights",
    "model": "mobilenet_v2",
    "dataset": "imagenet_photos",
    "items": 4,
    "shard_size": 2,
    "codecs": ["float16", {"nnc": {"qp": [-20], "use_dq": True}}],
}
DOWNSTREAM = {"join_tables": 2, "write_provenance": 1}


@pytest.fixture(scope="module")
def finished_weights(tmp_path_factory):
    checkout = copy_of_project(tmp_path_factory.mktemp("weights"))
    checkout.configure({"run": ["small"], "studies": {"small": STUDY}})
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@pytest.fixture
def weights(finished_weights: Checkout, tmp_path) -> Checkout:
    return finished_weights.copy_to(tmp_path / "checkout")


@pytest.mark.slow
def test_the_table_is_complete(finished_weights):
    table = pandas.read_csv(finished_weights.folder / "results/tables/points.csv")
    assert list(table["codec"]) == ["anchor", "float16", "nnc"]
    assert table["rec_perf"].between(0, 100).all()
    measured = ["anc_size", "rec_size", "compress_ratio", "enc_time", "dec_time"]
    assert table[["anc_perf", "anc_eval_time", "rec_eval_time", "top5"]].notna().all(axis=None)
    assert table.loc[1:, measured].notna().all(axis=None)
    half = table.loc[1]
    bitstream = "results/weights/mobilenet_v2/float16/default/bitstreams/0-of-1/weights.bin"
    assert half["rec_size"] == (finished_weights.folder / bitstream).stat().st_size
    assert half["anc_size"] == 14_156_352
    assert half["agreement"] == 100
    assert set(table["items"]) == {4}
    for suffix in ("pdf", "svg", "png"):
        for name in ("small", "all"):
            assert (
                finished_weights.folder / f"results/plots/{name}/accuracy_size.{suffix}"
            ).exists()


@pytest.mark.slow
def test_another_qp_is_only_that(weights):
    codecs = ["float16", {"nnc": {"qp": [-20, -10], "use_dq": True}}]
    weights.configure({"run": ["small"], "studies": {"small": STUDY | {"codecs": codecs}}})
    assert weights.plan().rules == DOWNSTREAM | {
        "encode_tensors": 1,
        "infer_weights": 2,
        "score_point": 1,
        "tabulate_points": 1,
        "plot_points": 2,
    }


@pytest.mark.slow
def test_another_dataset_encodes_nothing(weights):
    other = STUDY | {"dataset": "cifar100_photos", "items": 2}
    weights.configure({"run": ["small", "two"], "studies": {"small": STUDY, "two": other}})
    assert weights.plan().rules == DOWNSTREAM | {
        "index_dataset": 1,
        "infer_weights_anchor": 1,
        "infer_weights": 2,
        "score_point": 3,
        "tabulate_points": 1,
        "plot_points": 2,
    }


@pytest.mark.slow
def test_an_edited_network_runs_again_and_codecs_do_not(weights):
    weights.edit("scripts/nnrd/networks/mobilenet_v2.py", ".eval()", ".eval().eval()")
    rules = weights.plan().rules
    assert rules["infer_weights"] == 4
    assert "index_dataset" not in rules
