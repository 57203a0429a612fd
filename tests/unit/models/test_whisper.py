"""Whisper comes from CTranslate2's file, which is read by its layout."""

import struct

import numpy as np
import pytest
from model_rows import MODELS, family, network, pipeline, row

from nnrd import UserError
from nnrd.models.whisper import ctranslate2


def ctranslate2_file(path, tensors, version=6):
    def text(value):
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    out = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(tensors))
    for name, tensor in tensors.items():
        out += text(name) + struct.pack("<B", tensor.ndim)
        out += struct.pack(f"<{tensor.ndim}I", *tensor.shape)
        codes = {np.dtype(dtype): code for code, dtype in ctranslate2.DTYPES.items()}
        out += struct.pack("<BI", codes[tensor.dtype], tensor.nbytes) + tensor.tobytes()
    path.write_bytes(out)
    return path


def test_ctranslate2(tmp_path):
    tensors = {
        "a/weight": np.arange(6, dtype=np.float16).reshape(2, 3),
        "scale": np.array([1, 2], np.int32),
        "one": np.float32(3).reshape(()),
    }
    file = ctranslate2_file(tmp_path / "model.bin", tensors)
    found = ctranslate2.read(file)
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype
    data = file.read_bytes()
    for size in (0, 3, 20, len(data) - 1):
        file.write_bytes(data[:size])
        with pytest.raises(UserError, match="not a CTranslate2 model"):
            ctranslate2.read(file)
    with pytest.raises(UserError, match="binary version 99"):
        ctranslate2.read(ctranslate2_file(tmp_path / "new.bin", tensors, version=99))
    with pytest.raises(UserError, match=r"none\.bin: no such file"):
        ctranslate2.read(tmp_path / "none.bin")


def test_a_file_that_is_not_whisper_tiny(tmp_path):
    ctranslate2_file(tmp_path / "model.bin", {"scale": np.array([1, 2], np.int32)})
    with pytest.raises(UserError, match="not Whisper tiny: it has no variable 'encoder/"):
        network(row("whisper")).read(tmp_path)


def test_the_pipeline_needs_the_models_files():
    with pytest.raises(UserError, match="model whisper: its files are needed"):
        pipeline(row("whisper")).open(None)


@pytest.mark.slow
def test_size_of_whisper():
    from nnrd.models.network import tensors

    sent = tensors(network(MODELS["whisper_tiny_en"]).bare())
    assert sum(tensor.size for tensor in sent.values()) == MODELS["whisper_tiny_en"].values


def test_two_graphs_without_torch_give_what_the_network_gives():
    """Random weights: the scores of each step, from the same spectrogram, for the same tokens."""
    import torch

    from nnrd.models.whisper import pipeline as whisper

    torch.manual_seed(0)
    of = network(MODELS["whisper_tiny_en"])
    model = of.bare()
    features = torch.rand(1, 80, 3000)
    graphs = {name: graph for name, (graph, _) in of.graphs(model).items()}
    assert tuple(graphs) == family(MODELS["whisper_tiny_en"]).graphs
    with torch.inference_mode():
        states = of.graph(model)(features).numpy()
        cross = dict(zip(whisper.CROSS, graphs["encoder"](features), strict=True))

    given = (whisper.TOKEN, *whisper.PAST, *whisper.CROSS)
    taken = (whisper.SCORES, *(f"new_{name}" for name in whisper.PAST))

    @torch.inference_mode()
    def run(feeds):
        found = graphs["decoder"](*(torch.from_numpy(np.asarray(feeds[name])) for name in given))
        return {name: tensor.numpy() for name, tensor in zip(taken, found, strict=True)}

    ours = whisper._by_graph(run, {name: tensor.numpy() for name, tensor in cross.items()})
    theirs = whisper._by_network(model, states)
    for tokens in ([whisper.START, whisper.NO_TIMESTAMPS], [11], [4711]):
        np.testing.assert_allclose(ours(tokens), theirs(tokens), atol=1e-4)
