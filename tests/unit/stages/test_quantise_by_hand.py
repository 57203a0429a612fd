"""nnrd quantise: what it prints, writes and refuses; real models and photos are slow."""

import re
from pathlib import Path

import pandas
import pytest
from by_hand_programs import nnrd, refused
from small_detector import OPTIONS, detector, folder

CHECKOUT = Path(__file__).parents[3]
SMALL = ("--options", str(OPTIONS).replace("'", '"'))


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    detector(tmp_path / "detector.onnx")
    folder(tmp_path / "photos", *range(100, 250, 15))
    return ("detector.onnx", *SMALL, "--folder", CHECKOUT, "--data", "photos")


def number(text, name):
    return float(re.search(rf"^{name}.*?([\d.,]+) before", text, re.MULTILINE)[1])


@pytest.mark.parametrize("backend", ["ort_static", "nncf_onnx"])
def test_a_detector_and_a_folder(small, capsys, backend):
    nnrd("quantise", *small, "--backend", backend, "--out", "int8", "--csv", "layers.csv")
    said = capsys.readouterr()
    assert number(said.out, "F1") == 100 and "items scored: 5" in said.out
    assert "calibrates with 5 items" in said.err
    assert [path.name for path in Path("int8").iterdir()] == ["model.onnx"]
    table = pandas.read_csv("layers.csv")
    assert list(table) == ["graph", "layer", "type", "nmse", "sqnr_db"]
    assert table["layer"].tolist() == ["stem"] and 0 < table["nmse"][0] < 0.05


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backend", "ort_statik"], "did you mean ort_static"),
        (["--backend", "ort_static", "--parameters", '{"subset_size": 0}'], "subset_size: 0 is"),
        (["--backend", "ort_static", "--calibration", "photos"], "0 is also scored"),
        (["--backend", "ort_static", "--calibration-items", "10"], "none is left to score"),
        (["--backend", "ort_static", "--metric", "F2"], "unknown metric 'F2'"),
        (["--backend", "ort_static", "--metric", "AP"], "no ground truth"),
        (["--backend", "ort_static", "--data", "nothing"], "unknown dataset 'nothing'"),
        (["--backend", "ort_dynamic"], "has no operator that is quantised"),
        (
            ["--backend", "nncf_onnx", "--parameters", '{"ignored": {"names": ["stemm"]}}'],
            "did you mean stem",
        ),
    ],
)
def test_what_is_refused(small, words, says):
    assert says in refused("quantise", *small, *words, "--out", "int8")
    assert not Path("int8").exists()


@pytest.mark.slow  # 1 min
@pytest.mark.parametrize("backend", ["nncf_onnx", "nncf_openvino", "ort_static"])
@pytest.mark.parametrize(
    ("model", "data", "metric", "least", "layers"),
    [
        ("mobilenet_v2", "imagenet_images", "agreement", 60, 53),
        ("ssdlite300_mobilenet_v2", "demo_images", "F1", 80, 88),
    ],
)
def test_real_models(tmp_path, capsys, backend, model, data, metric, least, layers):
    words = ("--data", data, "--metric", metric, "--folder", CHECKOUT, "--csv", tmp_path / "a.csv")
    nnrd("quantise", model, *words, "--backend", backend, "--out", tmp_path / "int8")
    said = capsys.readouterr().out
    assert number(said, metric) == 100
    after = float(re.search(r"before, ([\d.]+) after", said)[1])
    assert least <= after <= 100
    ratio = float(re.search(r"^rec_size: .* bytes, ([\d.]+) of", said, re.MULTILINE)[1])
    assert 0.25 < ratio < 0.33
    assert len(pandas.read_csv(tmp_path / "a.csv")) == layers


@pytest.mark.slow  # 2 min
def test_a_model_of_several_graphs(tmp_path, capsys):
    data = ("--data", "librivox_utterances", "--calibration", "asterisk_prompts")
    words = (*data, "--calibration-items", 2, "--folder", CHECKOUT, "--csv", tmp_path / "a.csv")
    nnrd("quantise", "whisper_tiny_en", *words, "--backend", "ort_dynamic", "-o", tmp_path / "int8")
    said = capsys.readouterr().out
    assert number(said, "WER") < 10 and "items scored: 5" in said
    assert {file.name for file in (tmp_path / "int8").iterdir()} == {"encoder.onnx", "decoder.onnx"}
    assert number(said, "ms a run of graph encoder") > number(said, "ms a run of graph decoder") > 0
    assert set(pandas.read_csv(tmp_path / "a.csv")["graph"]) == {"encoder", "decoder"}
