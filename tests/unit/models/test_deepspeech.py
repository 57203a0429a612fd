"""DeepSpeech: its features, its graph, and the state that goes from package to package."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
import torch
from model_rows import MODELS, family, network, pipeline, row
from scipy.fft import dct

from nnrd.core.files import checksum
from nnrd.core.schema import first_mistake
from nnrd.datasets.index import Item
from nnrd.models import export
from nnrd.models.ctc import best_path
from nnrd.models.deepspeech import features
from nnrd.models.deepspeech.pipeline import BLANK, LABELS
from nnrd.models.network import tensors
from nnrd.runtime import sessions

NARROW = row("deepspeech", weights="random", options={"width": 12})
ITEM = Item("a", "a.wav", "")
SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return network(NARROW).load(None)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    of = network(NARROW)
    export.write(of.graph(model), of.export, path)
    assert export.check(of.graph(model), of.export, path) < 1e-6
    return path


@pytest.fixture(scope="module")
def run(file):
    return sessions.Run(sessions.session(file))


def band(frequency):
    """The place of a frequency among the 42 edges of the bands, in equal steps of mel."""
    low, high = (1127 * np.log(1 + f / 700) for f in (20, 8000))
    return (1127 * np.log(1 + frequency / 700) - low) / (high - low) * 41


def mel_energies(amplitudes):
    """TensorFlow's loop: each bin falls upon two triangles, in shares that add up to one."""
    found = np.zeros(40)
    for number, amplitude in enumerate(amplitudes):
        if number < 2:  # int(1.5 + 20 / 31.25)
            continue
        at = band(31.25 * number)
        below, share = int(np.floor(at)) - 1, at - np.floor(at)
        for channel, weight in ((below, 1 - share), (below + 1, share)):
            if 0 <= channel < 40:
                found[channel] += weight * amplitude
    return found


def test_cepstra_are_what_tensorflow_computes():
    wave = noise(2000)
    found = features.cepstra(wave)
    assert found.dtype == np.float32 and found.shape == (1 + (2000 - 512) // 320, 26)
    for number, ours in enumerate(found):
        frame = wave[320 * number : 320 * number + 512] * np.hanning(513)[:512]
        logarithms = np.log(np.maximum(mel_energies(np.abs(np.fft.rfft(frame))), 1e-12))
        theirs = dct(logarithms, type=2, norm="ortho")[:26]
        theirs[0] *= np.sqrt(2)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("frequency", [200, 1000, 4000])
def test_a_tone_is_loudest_in_its_band(frequency):
    wave = np.sin(2 * np.pi * frequency * np.arange(512) / 16000)
    cepstra = features.cepstra(wave)[0].astype(float)
    cepstra[0] /= np.sqrt(2)
    loudest = np.argmax(dct(np.pad(cepstra, (0, 14)), type=3, norm="ortho"))
    assert abs(loudest + 1 - band(frequency)) < 1.5


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 1), (1, 1), (511, 1), (512, 1), (831, 1), (832, 2), (16000, 49)]
)
def test_how_many_frames_a_recording_has(samples, frames):
    found, count = features.packages(noise(samples))
    assert count == frames
    assert found.shape == (-(-frames // 16), 16, 19, 26) and found.dtype == np.float32
    assert np.isfinite(found).all()
    assert not found.reshape(-1, 19, 26)[frames:].any()


def test_a_frame_stands_between_its_neighbours():
    frames = np.arange(1, 31, dtype=np.float32)[:, None] * np.ones(26, np.float32)
    found = features.in_context(frames)[:, :, 0]
    assert found[0].tolist() == [0] * 9 + list(range(1, 11))
    assert found[15].tolist() == list(range(7, 26))
    assert found[29].tolist() == list(range(21, 31)) + [0] * 9


def test_features_need_numpy_only():
    code = "import sys; from nnrd.models.deepspeech import features; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    heavy = {"torch", "scipy", "soundfile", "librosa", "onnxruntime", "onnx"}
    assert not heavy & set(done.stdout.split())


def test_the_graph_has_the_published_names_and_the_lstm_its_weights(file):
    graph = onnx.load(file).graph
    shapes = [
        {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
        for values in (graph.input, graph.output)
    ]
    state = [1, 12]
    assert list(shapes[0].items()) == [
        ("input_node", [1, 16, 19, 26]), ("previous_state_c", state), ("previous_state_h", state),
    ]  # fmt: skip
    assert list(shapes[1].items()) == [
        ("logits", [16, 1, 29]), ("new_state_c", state), ("new_state_h", state),
    ]  # fmt: skip
    stored = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    (lstm,) = [node for node in graph.node if node.op_type == "LSTM"]
    assert [stored.get(name) for name in lstm.input[1:4]] == [[1, 48, 12], [1, 48, 12], [1, 96]]


def test_packages_in_turn_equal_the_whole_recording(model, run):
    """The state is handed on: not so, each package would begin anew."""
    feeds = pipeline(NARROW).preprocess(noise(40_000), ITEM)
    frames = torch.from_numpy(feeds["packages"]).reshape(-1, 1, 19, 26)[: int(feeds["frames"])]
    with torch.inference_mode():
        expected = model.scores(frames, None)[0].softmax(-1)[:, 0].numpy()
    found = pipeline(NARROW).infer(run, feeds)["logits"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    forgetful = pipeline(NARROW).infer(lambda given: run(anew(given)), feeds)["logits"]
    np.testing.assert_allclose(forgetful[:16], found[:16], atol=1e-6)
    assert np.abs(forgetful[16:] - found[16:]).max() > 1e-4


def anew(feeds):
    """Return a package with the state forgotten."""
    return {n: a if n == "input_node" else np.zeros_like(a) for n, a in feeds.items()}


def test_torch_runs_the_same_pipeline(model, run):
    feeds = pipeline(NARROW).preprocess(noise(9000), ITEM)
    by_torch = pipeline(NARROW).infer(network(NARROW).run(model), feeds)["logits"]
    np.testing.assert_allclose(by_torch, pipeline(NARROW).infer(run, feeds)["logits"], atol=1e-6)


def test_predictions_and_times(run, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(16_000), 16_000)
    item = Item("a", str(tmp_path / "a.wav"), checksum(tmp_path / "a.wav"))
    runs = []
    given = lambda feeds: runs.append(feeds) or run(feeds)  # noqa: E731
    ((prediction, times),) = pipeline(NARROW).predict(given, [item])
    assert prediction["item"] == "a" and set(prediction["text"]) <= set(LABELS)
    assert set(times) == {"pre_time", "run_time", "post_time", "input_size", "packages"}
    assert times["packages"] == 4 and times["input_size"] == 4 * 16 * 19 * 26 * 4
    assert len(runs) == 2 * 4  # once to warm up
    assert not runs[4]["previous_state_c"].any() and runs[5]["previous_state_c"].any()


def test_text():
    spoken = [BLANK, 0, 1, 1, BLANK, 1, 2, 0, 0, 27, BLANK, 0]
    scores = np.eye(29)[spoken]
    assert pipeline(NARROW).postprocess({"logits": scores}, ITEM) == {"text": "aab '"}
    assert best_path(scores, LABELS, BLANK) == " aab ' "


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, ("width", "0 is below 1")),
        ({"width": 99999}, ("width", "99999 is above 8192")),
        ({"width": "wide"}, ("width", "'wide' is not an integer")),
        ({"height": 3}, ("", "unknown key 'height'; known: width")),
    ],
)
def test_options_are_checked(options, said):
    assert first_mistake(family(NARROW).options, options) == said
    assert first_mistake(family(NARROW).options, {"width": 2048}) is None


def test_the_row_is_as_large_as_the_published_network():
    of = MODELS["deepspeech"]
    with torch.device("meta"):
        parts = network(of).build()
    parameters = sum(tensor.numel() for tensor in parts.parameters())
    assert round(parameters / 1e6, 1) == 47.2
    assert of.values == parameters + 2 * 26
    narrow = tensors(network(NARROW).bare())
    assert {"mean", "deviation"} < set(narrow)
