"""What is recorded, quantised and evaluated, with small graphs; see test_real_models for others."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from small_graphs import (
    IMAGE,
    Closeness,
    Distance,
    Images,
    OneRun,
    Packages,
    Steps,
    convolutions,
    lstm,
    nothing_to_multiply,
    recurrent,
    saved,
)

from nnrd.core import extras
from nnrd.core.errors import UserError
from nnrd.quantisation import graphs, packages, process, sizes
from nnrd.quantisation.backends import REGISTRY
from nnrd.quantisation.settings import Settings

BACKENDS = ("nncf_onnx", "nncf_openvino", "ort_dynamic", "ort_static")
SEQUENCE = [6, 1, 32]  # steps of a recurrent graph


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> Path:
    return saved(convolutions(), tmp_path_factory.mktemp("graphs") / "convolutions.onnx")


@pytest.fixture(scope="module")
def steps(tmp_path_factory) -> Path:
    return saved(recurrent(), tmp_path_factory.mktemp("graphs") / "recurrent.onnx")


def made(graph, out, parameters, engine=None, loader=None, metric=Closeness):
    """Quantise a graph; return what came of it, and its evaluation."""
    engine, loader = engine or OneRun(), Images() if loader is None else loader
    held = metric(engine, {"model": graphs.open_graph(graph)}, loader)
    settings = Settings.of(parameters)
    found = process.quantise({"model": graph}, engine, loader, held, settings, out)
    run = {"model": graphs.open_graph(found.files["model"])}
    return found, process.evaluate(engine, run, loader, held)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_quantises(graph, tmp_path, backend):
    found, after = made(graph, tmp_path, {"backend": backend})
    assert 90 < after.avg < 100
    assert len(after.per_sample) == 8 and after.ms["model"] > 0
    of = [layer.layer.removesuffix("/WithoutBiases") for layer in found.layers]
    assert len(of) == (1 if backend == "ort_dynamic" else 3)  # whose convolutions stay float
    assert all(0 < layer.nmse < 0.1 for layer in found.layers)
    worst = found.layers[0]
    assert worst.sqnr_db == pytest.approx(-10 * math.log10(worst.nmse))
    assert [layer.nmse for layer in found.layers] == sorted(
        (n.nmse for n in found.layers), reverse=True
    )
    assert found.sizes == sizes.sizes(found.files.values())
    assert found.report["model"].reverted == ()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_state_is_carried_while_the_float_model_is_recorded(steps, tmp_path, backend):
    _, after = made(steps, tmp_path, {"backend": backend}, Steps(), Images(4, SEQUENCE))
    assert 90 < after.avg < 100
    assert len(after.seconds["model"]) == 4 * SEQUENCE[0]
    run = graphs.open_graph(steps)
    fed = process.record(Steps(), {"model": run}, Images(4, SEQUENCE), 8)["model"]
    assert len(fed) == 8
    assert not fed[0]["h"].any() and fed[1]["h"].any()  # steps 0 and 3 of the first item
    second = Images(4, SEQUENCE)[1][1]
    np.testing.assert_array_equal(fed[2]["x"], second[0])


@pytest.mark.parametrize(
    ("backend", "ignored", "quantised"),
    [
        ("ort_dynamic", [], {"LSTM", "MatMul"}),
        ("ort_dynamic", ["LSTM"], {"MatMul"}),
        ("ort_static", [], {"MatMul"}),
        ("nncf_onnx", [], {"MatMul"}),
        ("nncf_openvino", [], {"LSTMSequence", "MatMul"}),
        ("nncf_openvino", ["LSTMSequence"], {"MatMul"}),
    ],
)
def test_an_lstm(tmp_path, backend, ignored, quantised):
    file, loader = saved(lstm(), tmp_path / "lstm.onnx"), Images(4, [5, 4, 1, 32])
    given = {"backend": backend, "ignored": {"types": ignored}}
    found, after = made(file, tmp_path / "out", given, Packages(), loader)
    assert {layer.type for layer in found.layers} == quantised
    assert 99 < after.avg < 100


def test_what_a_graph_is_given_is_kept_as_it_was(steps):
    class Reuses(Steps):
        def predict(self, graphs, data):
            given = np.zeros([1, 32], np.float32)
            for step in data:
                given[:] = step
                graphs["model"]({"x": given, "h": given})

    run = {"model": graphs.open_graph(steps)}
    fed = process.record(Reuses(), run, Images(2, SEQUENCE), 12)["model"]
    assert len({sample["x"].tobytes() for sample in fed}) == 12


@pytest.mark.parametrize(
    ("backend", "parameters"),
    [
        *((backend, {"per_channel": False}) for backend in BACKENDS),
        *((backend, {"preset": "mixed"}) for backend in BACKENDS if "nncf" in backend),
        *((backend, {"subset_size": 1}) for backend in BACKENDS if backend != "ort_dynamic"),
    ],
)
def test_every_parameter_changes_the_file(graph, tmp_path, backend, parameters):
    plain, _ = made(graph, tmp_path / "a", {"backend": backend})
    other, _ = made(graph, tmp_path / "b", {"backend": backend} | parameters)
    files = [sizes.unpack(sizes.pack(one.files.values())) for one in (plain, other)]
    assert files[0] != files[1]


@pytest.mark.parametrize(
    ("backend", "ignored"),
    [
        ("ort_static", {"names": ["/c"]}),
        ("ort_static", {"types": ["Conv"]}),
        ("ort_dynamic", {"names": ["/b"]}),
        ("nncf_onnx", {"names": ["/c"]}),
        ("nncf_onnx", {"types": ["Conv"]}),
        ("nncf_openvino", {"types": ["Convolution"]}),
        ("nncf_openvino", {"names": ["/y/WithoutBiases"]}),
    ],
)
def test_ignored_layers_stay_float(graph, steps, tmp_path, backend, ignored):
    of = steps if backend == "ort_dynamic" else graph
    engine = (Steps(), Images(4, SEQUENCE)) if of == steps else (OneRun(), Images())
    plain, _ = made(of, tmp_path / "a", {"backend": backend}, *engine)
    some, _ = made(of, tmp_path / "b", {"backend": backend, "ignored": ignored}, *engine)
    left = {(row.layer, row.type) for row in plain.layers} - {
        (row.layer, row.type) for row in some.layers
    }
    assert left and all(
        name in ignored.get("names", ()) or kind in ignored.get("types", ()) for name, kind in left
    )
    assert sizes.integers(some.files["model"]) < sizes.integers(plain.files["model"])


@pytest.mark.parametrize("metric", [Closeness, Distance])
@pytest.mark.parametrize("backend", ["nncf_onnx", "nncf_openvino"])
def test_accuracy_control_puts_layers_back_and_names_them(graph, tmp_path, backend, metric):
    """Of this graph nothing may be lost, so all that costs anything goes back."""
    plain, lossy = made(graph, tmp_path / "a", {"backend": backend}, metric=metric)
    control = {"max_drop": abs(lossy.avg - (100 if metric is Closeness else 0)) / 2}
    found, after = made(
        graph, tmp_path / "b", {"backend": backend, "accuracy_control": control}, metric=metric
    )
    reverted = found.report["model"].reverted
    assert reverted and all("/" in name for name in reverted)
    assert len(found.layers) < len(plain.layers)
    loss = 100 - after.avg if metric is Closeness else after.avg
    assert loss <= control["max_drop"] * 1.05
    assert not {layer.layer for layer in found.layers} & {*reverted}


class Nothing(Closeness):
    avg_value = float("nan")


def refusal(tmp_path, graph, parameters, engine=None, loader=None, metric=Closeness):
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        made(graph, tmp_path / "out", parameters, engine, loader, metric)
    assert not (tmp_path / "out").exists()
    return str(caught.value)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"of": nothing_to_multiply, "loader": Images()}, ("has no operator", "nothing in it")),
        ({"ignored": {"names": ["/C"]}}, ("ignored.names: unknown layer '/C'",)),
        ({"ignored": {"types": ["Convolve"]}}, ("ignored.types: unknown layer 'Convolve'",)),
    ],
    ids=["operators", "name", "type"],
)
def test_what_is_refused(graph, tmp_path, backend, how, says):
    of = saved(how["of"](), tmp_path / "odd.onnx") if "of" in how else graph
    given = {"backend": backend} | ({"ignored": how["ignored"]} if "ignored" in how else {})
    said = refusal(tmp_path, of, given, loader=how.get("loader"))
    assert any(words in said for words in says), said


def test_items_are_needed_by_what_is_calibrated(graph, tmp_path):
    for backend in set(BACKENDS) - {"ort_dynamic"}:
        said = refusal(tmp_path, graph, {"backend": backend}, loader=Images(0))
        assert "no calibration items" in said
    given = (OneRun(), Images(0), Closeness(OneRun(), {}, Images(0)))
    settings = Settings.of({"backend": "ort_dynamic"})
    found = process.quantise({"model": graph}, *given, settings, tmp_path / "out")
    assert found.files["model"].exists() and not found.layers  # errors are reckoned on items


@pytest.mark.parametrize("backend", ["nncf_onnx", "nncf_openvino", "ort_static"])
@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (
            {"x": np.zeros([1, 3, 8, 8], np.float32)},
            "'x' is float32 1x3x8x8, not float32 1x3x16x16",
        ),
        ({"x": np.zeros(IMAGE)}, "'x' is float64 1x3x16x16, not float32 1x3x16x16"),
        ({"y": np.zeros(IMAGE, np.float32)}, "calibration data: no input 'x'; it has y"),
        (None, "no calibration items"),
    ],
    ids=["shape", "dtype", "name", "none"],
)
def test_calibration_data_that_does_not_fit(graph, tmp_path, backend, sample, says):
    settings = Settings.of({"backend": backend})
    samples = [] if sample is None else [sample]
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        REGISTRY.get(backend)().quantise(graph, samples, settings, tmp_path / "out.onnx")
    assert says in str(caught.value)


def test_a_metric_that_is_nan(graph, tmp_path):
    engine, loader, run = OneRun(), Images(), {"model": graphs.open_graph(graph)}
    metric = Nothing(engine, run, loader)
    with pytest.raises(UserError, match="metric closeness: is nan over 8 items"):
        process.evaluate(engine, run, loader, metric)
    given = {"backend": "nncf_onnx", "accuracy_control": {"max_drop": 1}}
    assert "metric closeness: is nan" in refusal(tmp_path, graph, given, metric=Nothing)


def test_a_graph_that_the_engine_does_not_run(graph):
    run = graphs.open_graph(graph)
    with pytest.raises(UserError, match="graph decoder: the engine does not run it"):
        process.record(OneRun(), {"model": run, "decoder": run}, Images(), 4)


@pytest.mark.parametrize("package", ["nncf", "openvino"])
def test_a_backend_that_is_not_installed(graph, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    said = refusal(tmp_path, graph, {"backend": "nncf_openvino"})
    assert said == (
        f"backend nncf_openvino: package {package} is missing: pip install 'nnrd[int8]'"
    )
    assert extras.EXTRAS[package] == "int8"


def test_accuracy_control_where_the_backend_has_none(graph, tmp_path):
    settings = Settings.of({"backend": "nncf_onnx", "accuracy_control": {"max_drop": 1}})
    held = Closeness(OneRun(), {"model": graphs.open_graph(graph)}, Images())
    odd = Settings("ort_static", accuracy_control=settings.accuracy_control)
    with pytest.raises(UserError, match="accuracy_control: backend ort_static has none"):
        process.quantise({"model": graph}, OneRun(), Images(), held, odd, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.onnx", None, "no such file"),
        ("bad.onnx", b"no model", "ONNX Runtime cannot open it"),
        ("bad.xml", b"<net", "OpenVINO cannot open it"),
    ],
)
def test_files_that_cannot_be_opened(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says):
        graphs.open_graph(tmp_path / name)


@pytest.mark.parametrize("runtime", graphs.RUNTIMES)
def test_inputs_that_a_run_cannot_take(graph, runtime):
    run = graphs.open_graph(graph, runtime=runtime)
    with pytest.raises(UserError, match="the model cannot run on"):
        run({"x": np.zeros([1, 3, 4], np.float32)})


def test_the_runtimes_agree_in_float(graph):
    image = {"x": Images()[0][1]}
    ours = graphs.open_graph(graph)(image)
    theirs = graphs.open_graph(graph, precision="float32", runtime="openvino")(image)
    assert list(ours) == list(theirs) == ["y"]
    np.testing.assert_allclose(ours["y"], theirs["y"], atol=1e-5)


@pytest.mark.parametrize("backend", ["nncf_openvino", "ort_static"])
def test_destroyed_weights_move_the_metric_and_the_errors(graph, tmp_path, backend):
    """Absurd values: what is measured is of the file, and not of something beside it."""
    found, good = made(graph, tmp_path / "good", {"backend": backend})
    file, layer = found.files["model"], found.layers[0]
    weights = sizes.parts(file)[-1]
    data = bytearray(weights.read_bytes())
    for tensor in sizes.tensors(weights, bytes(data)):
        data[tensor.offset : tensor.end] = bytes(tensor.end - tensor.offset)
    weights.write_bytes(data)
    loader, engine = Images(), OneRun()
    held = Closeness(engine, {"model": graphs.open_graph(graph)}, loader)
    bad = process.evaluate(engine, {"model": graphs.open_graph(file)}, loader, held)
    assert bad.avg < good.avg - 20
    from nnrd.quantisation import layers

    worst = layers.errors("model", graph, file, [{"x": loader[0][1]}])[0]
    assert worst.nmse > 10 * layer.nmse and worst.sqnr_db < 3


QUIET = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from small_graphs import *
from nnrd.quantisation import graphs, process
from nnrd.quantisation.settings import Settings
folder = Path({folder!r})
file = saved(convolutions(), folder / "graph.onnx")
metric = Closeness(OneRun(), {{"model": graphs.open_graph(file)}}, Images())
given = {{"backend": "nncf_openvino", "accuracy_control": {{"max_drop": 0.0001}}}}
process.quantise({{"model": file}}, OneRun(), Images(), metric, Settings.of(given), folder / "out")
import nncf.telemetry.wrapper
assert type(nncf.telemetry.wrapper.telemetry).__name__ == "MagicMock"
assert not any(sys.modules[name] for name in sys.modules if name.startswith("openvino_telemetry"))
"""


def test_nncf_neither_prints_nor_tells_anyone(tmp_path):
    paths = [str(Path(__file__).parents[1]), str(Path(process.__file__).parents[2])]
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", QUIET.format(paths=paths, folder=str(tmp_path))],
        env=os.environ | {"HOME": str(home)},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert [path.name for path in home.rglob("*") if "telemetry" in path.name] == []
    assert packages.TELEMETRY == "openvino_telemetry"


def test_a_file_of_the_float_model_is_four_times_as_large(graph, tmp_path):
    found, _ = made(graph, tmp_path, {"backend": "ort_static"})
    held = onnx.load(graph).graph.initializer
    floats = sum(numpy_helper.to_array(tensor).nbytes for tensor in held)
    assert sizes.integers(found.files["model"]) == pytest.approx(floats / 4, rel=0.02)


@pytest.mark.parametrize("backend", ["nncf_onnx", "nncf_openvino", "ort_static"])
def test_progress_of_calibration_is_shown(graph, tmp_path, backend, capsys, monkeypatch):
    monkeypatch.setattr("nnrd.core.progress.PERIOD", {False: 0.0})
    made(graph, tmp_path / "out", {"backend": backend})
    said = capsys.readouterr().err.splitlines()
    assert f"{len(Images())} inputs of graph model looked at" in said
