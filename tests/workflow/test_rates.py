"""A bound on the rate has rows without accuracy; long parameters have a hash in their path."""

import json

import pandas
import pytest

from .conftest import CONFIG, Checkout

BOUND = {"entropy": {"qp": [-20, -10]}}
FINE = {"nnc": {"qp": -20, "use_dq": True, "lambda_scale": 1e-5}}
TENSOR = {"nnc": {"qp": -20, "qp_per_tensor": {"classifier.1.weight": -30}}}
STUDIES = {
    "only_bounds": CONFIG["studies"]["small"] | {"codecs": [BOUND], "overlays": []},
    "bounds": CONFIG["studies"]["small"] | {"codecs": ["raw", BOUND], "overlays": []},
    "weights": CONFIG["studies"]["weights"] | {"codecs": [BOUND, FINE, TENSOR]},
}


@pytest.fixture(scope="module")
def ran(finished: Checkout, tmp_path_factory) -> Checkout:
    """A checkout in which the studies were run."""
    checkout = finished.copy_to(tmp_path_factory.mktemp("rates") / "checkout")
    checkout.configure({"run": list(STUDIES), "studies": STUDIES})
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


@pytest.mark.parametrize(("study", "count"), [("only_bounds", 4), ("bounds", 4), ("weights", 2)])
def test_a_bound_has_sizes_and_no_accuracy(ran, study, count):
    table = pandas.read_csv(ran.folder / f"results/tables/{study}/points.csv")
    bound = table[table.codec == "entropy"]
    assert len(bound) == count
    measured = ["anc_size", "rec_size", "compress_ratio", "anc_perf", "enc_time"]
    assert bound[measured].notna().all(axis=None)
    assert bound[["rec_perf", "dec_time", "rec_eval_time"]].isna().all(axis=None)
    assert bound["compress_ratio"].between(0, 0.5).all()
    others = table[table.codec != "entropy"]
    assert others["rec_perf"].notna().all()
    plots = "accuracy_size" if study == "weights" else "codec_bars"
    assert (ran.folder / f"results/plots/{study}/{plots}.svg").is_file()


def test_items_of_a_bound(ran):
    items = pandas.read_csv(ran.folder / "results/tables/only_bounds/items.csv")
    rows = items[items.codec == "entropy"]
    assert len(rows) == 4 * 4 and rows["rec_size"].notna().all()


def test_parameters_in_a_path_and_beside_it(ran):
    table = pandas.read_csv(ran.folder / "results/tables/weights/points.csv")
    parameters = [json.loads(text) for text in table.parameters]
    assert FINE["nnc"] in parameters and TENSOR["nnc"] in parameters
    folder = ran.folder / "results/weights/mobilenet_v2/nnc"
    names = {path.name.partition("hash-")[0] for path in folder.iterdir()}
    assert {"lambda_scale=1e-05,qp=-20,use_dq=true", "qp=-20,"} <= names
    (hashed,) = folder.glob("qp=-20,hash-*")
    said = json.loads((hashed / "bitstreams/0-of-1.times.json").read_text())
    assert said["parameters"] == TENSOR["nnc"]
    assert ran.plan().rules == {}
