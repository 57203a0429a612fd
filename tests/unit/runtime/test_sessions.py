"""ONNX Runtime as nnrd runs it: what is wrong is one line."""

import numpy as np
import onnx
import pytest
from onnx import helper
from small_models import FLOAT, X, feeds, model, node, residual

from nnrd import UserError
from nnrd.runtime import sessions

EP = "ExecutionProvider"


def test_a_file_and_its_bytes_run_alike(tmp_path):
    small = residual()
    onnx.save(small, tmp_path / "m.onnx")
    given = feeds(small)
    found = [
        sessions.Run(sessions.session(source))(given)
        for source in (tmp_path / "m.onnx", str(tmp_path / "m.onnx"), small.SerializeToString())
    ]
    assert all(list(outputs) == ["y"] for outputs in found)
    assert all(np.array_equal(outputs["y"], found[0]["y"]) for outputs in found)


def unknown_operator():
    nodes = [helper.make_node("Sine", ["x"], ["y"], "/y")]
    return model(nodes, X, {"y": (FLOAT, None)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "ONNX Runtime cannot open it"),
        (b"not a model", "ONNX Runtime cannot open it"),
        (unknown_operator().SerializeToString(), "ONNX Runtime cannot open it: .*Sine"),
    ],
)
def test_a_model_that_cannot_be_opened(tmp_path, content, said):
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=rf"m\.onnx: {said}") as caught:
        sessions.session(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"z": np.zeros((1, 4, 6, 6), np.float32)},
        {"x": np.zeros((1, 4, 6, 7), np.float32)},
        {"x": np.zeros((1, 4, 6, 6), np.float64)},
        {"x": np.zeros((1, 4, 6, 6), np.float32), "z": np.zeros(1)},
    ],
)
def test_inputs_that_do_not_fit(given):
    session = sessions.session(
        model([node("Sin", "x", "y")], X, {"y": (FLOAT, None)}).SerializeToString()
    )
    with pytest.raises(UserError, match="the model cannot run on ") as caught:
        sessions.run(session, given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("tf32", "option"), [(False, "0"), (True, "1")])
def test_a_gpu_multiplies_in_float32_unless_it_is_told_otherwise(monkeypatch, tf32, option):
    monkeypatch.setattr(sessions, "has_cuda", lambda: True)
    first, second = sessions.providers(tf32)
    assert first == ("CUDAExecutionProvider", {"use_tf32": option})
    assert second == ("CPUExecutionProvider", {})


@pytest.mark.parametrize("tf32", [False, True])
def test_a_session_gets_these_options_and_says_how_it_ran(monkeypatch, tf32):
    asked = []
    monkeypatch.setattr(
        sessions, "providers", lambda given, device: asked.append(given) or ["CPU" + EP]
    )
    found = sessions.session(residual().SerializeToString(), tf32=tf32)
    assert asked == [tf32]
    assert sessions.how(found, tf32) == {"provider": "CPU" + EP, "precision": "float32"}


def test_a_device_that_is_asked_for(monkeypatch):
    source = residual().SerializeToString()
    assert sessions.session(source, device="cpu").get_providers() == [sessions.CPU]
    monkeypatch.setattr(sessions, "has_cuda", lambda: False)
    with pytest.raises(UserError, match="device cuda: this machine has no NVIDIA GPU"):
        sessions.session(source, device="cuda")
    monkeypatch.setattr(sessions, "has_cuda", lambda: True)
    assert [name for name, _ in sessions.providers(device="cpu")] == [sessions.CPU]
    assert [name for name, _ in sessions.providers(device="cuda")] == [sessions.CUDA, sessions.CPU]
