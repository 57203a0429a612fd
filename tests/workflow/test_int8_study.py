"""INT8 beside other codecs of the same weights: quantised, run where it can be, and judged."""

import json

import pandas
import pytest

from nnrd.study.check import DAMAGED

from .conftest import Checkout
from .test_check import check, named

STUDY = {
    "kind": "weights",
    "model": "mobilenet_v2",
    "dataset": "imagenet_images",
    "items": 4,
    "calibration": {"dataset": "imagenet_images", "items": 3},
    "max_loss": 5,
    "codecs": [
        *("float16", {"intn": {"bits": 4}}),
        {"unquantised": {"runtime": ["onnxruntime", "openvino"]}},
        {"int8_ptq": {"backend": ["ort_static", "nncf_openvino"]}},
        {"int8_ptq": {"backend": "ort_dynamic"}},
    ],
}


@pytest.mark.slow(minutes=4)
@pytest.mark.fault("a quantised model, one bit")
def test_int8_in_a_study(checkout: Checkout):
    checkout.configure({"run": ["int8"], "studies": {"int8": STUDY}})
    checkout.run()
    points = pandas.read_csv(checkout.folder / "results/tables/int8/points.csv")
    rows = {(row.codec, row.parameters): row for row in points.itertuples()}
    anchor = rows["anchor", "{}"]
    static = rows["int8_ptq", '{"backend":"ort_static"}']
    for row in points[points.codec == "int8_ptq"].itertuples():
        assert row.anc_size == anchor.rec_size and row.zstd_size < row.rec_size
        assert row.nnc_size < row.rec_size and row.rec_eval_time > 0
    # All of the weights in 8 bits, scales and the graph beside them; convolutions stay float.
    assert 0.25 < static.compress_ratio < 0.3
    assert rows["int8_ptq", '{"backend":"ort_dynamic"}'].compress_ratio > 0.6
    assert rows["int8_ptq", '{"backend":"nncf_openvino"}'].runtime == "openvino"
    # What only changes the runtime changes no class; what ruins the model is beyond.
    unquantised = points[points.codec == "unquantised"]
    assert set(unquantised.runtime) == {"onnxruntime", "openvino"}
    assert (unquantised.agreement == 100).all()
    assert rows["intn", '{"bits":4}'].within_loss == "no"
    for plot in ("accuracy_size", "accuracy_time"):
        assert (checkout.folder / f"results/plots/int8/{plot}.png").stat().st_size > 10_000
    assert not checkout.plan().rules
    # Another loss judges again and quantises nothing.
    checkout.configure({"run": ["int8"], "studies": {"int8": STUDY | {"max_loss": 1}}})
    assert not {"quantise_model", "infer_quantised", "score_point"} & set(checkout.plan().rules)
    checkout.configure({"run": ["int8"], "studies": {"int8": STUDY}})
    damage(checkout)


def damage(checkout: Checkout) -> None:
    """Flip a bit of a quantised model: it is found, and no number is made of it."""
    folder = checkout.folder / "results/quantised/mobilenet_v2"
    (model,) = folder.rglob("int8_ptq/backend=ort_static/graphs/0-of-1/model.onnx")
    whole = model.read_bytes()
    looked_at = json.loads(next(folder.rglob("backend=ort_static/graphs/*.json")).read_text())
    assert any("without-imagenet_images-4" in name for name in looked_at["inputs"])
    model.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    code, said = check(checkout)
    damaged = [path for path, state in named(said).items() if state == DAMAGED]
    assert code and damaged == [str(model.relative_to(checkout.folder))]
    assert check(checkout, "--repair")[0] == 0
    assert model.read_bytes() == whole
