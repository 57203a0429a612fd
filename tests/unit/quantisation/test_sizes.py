"""The sizes of a quantised model: what is packed comes back, and sizes follow what is in it."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from small_graphs import Closeness, Images, OneRun, convolutions, saved

from nnrd.core.errors import BitstreamError
from nnrd.quantisation import graphs, process, sizes
from nnrd.quantisation.settings import Settings

KINDS = ("ort_static", "nncf_openvino")


@pytest.fixture(scope="module", params=KINDS)
def quantised(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    graph = saved(convolutions(), folder / "graph.onnx")
    metric = Closeness(OneRun(), {"model": graphs.open_graph(graph)}, Images())
    settings = Settings.of({"backend": request.param})
    return process.quantise(
        {"model": graph}, OneRun(), Images(), metric, settings, folder / "out"
    ).files["model"]


def test_what_is_packed_comes_back(quantised):
    packed = sizes.pack([quantised])
    found = sizes.unpack(packed)
    assert found == {part.name: part.read_bytes() for part in sizes.parts(quantised)}
    assert len(found) == (2 if quantised.suffix == ".xml" else 1)
    told = sizes.sizes([quantised])
    assert told["nnc_size"] == len(packed) < told["rec_size"]
    assert told["rec_size"] == sum(map(len, found.values()))
    assert told["zstd_size"] < told["rec_size"]


def test_weights_that_say_nothing_take_nothing(quantised, tmp_path):
    """Absurd values: zeros for all weights leave the file's length and nothing of the others'."""
    before = sizes.sizes([quantised])
    for part in sizes.parts(quantised):
        data = bytearray(part.read_bytes())
        for tensor in sizes.tensors(part, bytes(data)):
            data[tensor.offset : tensor.end] = bytes(tensor.end - tensor.offset)
        (tmp_path / part.name).write_bytes(data)
    after = sizes.sizes([tmp_path / quantised.name])
    assert after["rec_size"] == before["rec_size"]
    values = sizes.integers(quantised)
    for name in ("zstd_size", "nnc_size"):
        assert before[name] - after[name] > 0.7 * values


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("shape", [(64,), (3, 5, 7), (1, 1000), (2, 0)])
def test_any_tensor(tmp_path, dtype, shape):
    values = np.random.default_rng(0).integers(*np.iinfo(dtype).min + np.array([0, 256]), shape)
    held = numpy_helper.from_array(values.astype(dtype), "w")
    twice = numpy_helper.from_array(values.astype(dtype), "v")
    out = helper.make_tensor_value_info(
        "w", helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
    )
    graph = helper.make_graph([], "g", [], [out], initializer=[held, twice])
    file = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, ir_version=8), file)
    assert sizes.unpack(sizes.pack([file])) == {"model.onnx": file.read_bytes()}
    large = values.size >= sizes.FEW
    assert sizes.integers(file) == (2 * values.size if large else 0)


@pytest.mark.parametrize("cut", [0, 8, 20, -1])
def test_bytes_that_are_cut_short(quantised, cut):
    with pytest.raises(BitstreamError):
        sizes.unpack(sizes.pack([quantised])[:cut])
