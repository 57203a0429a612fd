"""NanoDet-g: the published graph's weights and numbers, and boxes out of distributions."""

import json

import numpy as np
import pytest
import torch
from model_rows import MODELS, ROOT, network, pipeline

from nnrd import UserError
from nnrd.assets import cache, fetch, rows
from nnrd.datasets.index import Item
from nnrd.models import export
from nnrd.models.nanodet.network import BIASES, NanoDet
from nnrd.models.nanodet.pipeline import STRIDES, cells, decode, placement
from nnrd.split import cut, load

ROW = MODELS["nanodet_g"]
ITEM = Item("a", "a.png", "", {"width": 832, "height": 416})
COUNT = 52**2 + 26**2 + 13**2


def kernels():
    return [m for m in NanoDet().modules() if isinstance(m, torch.nn.Conv2d)]


def published(folder, change=lambda entry: None):
    """Write weights in TensorFlow.js's form: names by number, kernels (H, W, I, O), float16."""
    entries, data = [], b""
    for i, (kernel, bias) in enumerate(zip(kernels(), BIASES, strict=True)):
        names = (f"PartitionedCall/split{f'_{i}' if i else ''}", f"unknown_{bias}")
        tensors = (kernel.weight.detach().permute(2, 3, 1, 0), kernel.bias.detach())
        for name, tensor in zip(names, tensors, strict=True):
            half = {"dtype": "float16", "original_dtype": "float32"}
            entry = {"name": name, "shape": [*tensor.shape], "dtype": "float32"}
            entries.append(entry | {"quantization": half})
            data += tensor.half().numpy().tobytes()
    change(entries)
    manifest = {"weightsManifest": [{"paths": ["nanodet.bin"], "weights": entries}]}
    (folder / "nanodet.json").write_text(json.dumps(manifest))
    (folder / "nanodet.bin").write_bytes(data)
    return folder


def test_weights_of_the_published_form_fill_it(tmp_path):
    torch.manual_seed(0)
    expected = [kernel.weight for kernel in kernels()]
    torch.manual_seed(0)
    model = network(ROW).load(published(tmp_path))
    found = [m.weight for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sum(t.numel() for t in model.state_dict().values()) == ROW.values
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(ours, theirs.half().float())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.pop(), "no tensor 'unknown_72'"),
        (lambda e: e[0]["quantization"].update(dtype="uint8"), "split' is quantised to uint8"),
        (lambda e: e[-1].update(shape=[10**6]), "the shards are too short"),
    ],
)
def test_weights_of_another_form_are_refused(tmp_path, change, message):
    with pytest.raises(UserError, match=message) as caught:
        network(ROW).load(published(tmp_path, change))
    assert "\n" not in str(caught.value)


def test_a_shard_that_is_missing_is_named(tmp_path):
    (published(tmp_path) / "nanodet.bin").unlink()
    with pytest.raises(UserError, match=r"nanodet\.bin: No such file"):
        network(ROW).load(tmp_path)


# The published graph, run by TensorFlow.js 4 on `noise`: row, largest score, its label, their
# sum, largest distance logit and its place.
KNOWN = [
    (0, 0.015080006, 0, 0.42929453, 3.2565665, 0),
    (1352, 0.015742185, 32, 0.4312423, 4.600942, 0),
    (2703, 0.029079648, 58, 0.78564554, 3.5684474, 23),
    (2704, 0.00841743, 27, 0.47912383, 0.71450275, 4),
    (3042, 0.009401299, 0, 0.45071068, 0.71754265, 1),
    (3379, 0.010116349, 0, 0.531613, 0.77852845, 37),
    (3380, 0.012878724, 38, 0.7981523, 0.80595654, 12),
    (3464, 0.06521999, 74, 1.5148773, 2.5786777, 18),
    (3548, 0.012913104, 56, 0.71275437, 1.1395228, 12),
]


def noise():
    fine = np.random.default_rng(0).normal(size=(1, 3, 416, 416)).astype(np.float32)
    coarse = fine[:, :, ::16, ::16]
    return np.ascontiguousarray(coarse.repeat(16, axis=2).repeat(16, axis=3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets") / "nanodet_g"
    files = [r for r in rows.read_sheet(ROOT / "config/assets.tsv") if r.asset == "nanodet_g"]
    fetch.fetch(files, folder, cache.Cache(cache.default_folder()), ROOT)
    torch.set_num_threads(1)
    return network(ROW).load(folder)


@pytest.mark.slow
def test_it_gives_the_numbers_of_the_published_graph(trained):
    with torch.inference_mode():
        scores, distances = (t[0].numpy() for t in trained(torch.from_numpy(noise())))
    for row, score, label, total, distance, place in KNOWN:
        assert scores[row].max() == pytest.approx(score, rel=1e-4)
        assert scores[row].sum() == pytest.approx(total, rel=1e-4)
        assert distances[row].max() == pytest.approx(distance, rel=1e-4)
        assert (scores[row].argmax(), distances[row].argmax()) == (label, place)


@pytest.mark.slow
def test_the_pyramid_s_three_levels_cut_it(trained, tmp_path):
    of = network(ROW)
    export.write(of.graph(trained), of.export, tmp_path / "nanodet.onnx")
    assert export.check(of.graph(trained), of.export, tmp_path / "nanodet.onnx") < 1e-4
    levels = [f"/pan/Add_{i}_output_0" for i in (1, 2, 3)]
    assert sorted(cut(load(tmp_path / "nanodet.onnx"), tensors=levels).crossing) == levels


def test_centres_are_in_the_middle_of_their_cells():
    assert cells().shape == (COUNT, 3)
    assert cells()[:2].tolist() == [[4, 4, 8], [12, 4, 8]]
    assert cells()[-1].tolist() == [400, 400, 32]
    assert [int((cells()[:, 2] == stride).sum()) for stride in STRIDES] == [2704, 676, 169]


def test_distances_are_the_means_of_their_distributions():
    logits = np.full((COUNT, 4, 11), -1e3)
    logits[:, 0, 1] = logits[:, 1, 2] = logits[:, 2, 3] = 0
    logits[:, 3, 4] = logits[:, 3, 5] = 0  # as likely: the distance is between them
    found = decode(logits.reshape(COUNT, 44))
    np.testing.assert_allclose(found[0], [4 - 8, 4 - 16, 8 * 4, 8 * 6.5])
    np.testing.assert_allclose(found[-1], [400 - 32, 400 - 64, 32 * 4, 32 * 6.5])


def detection(cell, score=0.9, label=0):
    scores = np.zeros((1, COUNT, 80), np.float32)
    distances = np.zeros((1, COUNT, 4, 11), np.float32)
    scores[0, cell, label] = score
    distances[0, cell, :, 2] = 99
    return {"scores": scores, "distances": distances.reshape(1, COUNT, 44)}


def test_boxes_are_placed_in_the_image():
    # The image is twice as wide as high: scaled by a half, with 104 black rows above.
    np.testing.assert_allclose(placement(832, 416), [[0.5, 0, 0], [0, 0.5, 104]])
    cell = 52 * 26 + 26  # centre (212, 212)
    (found,) = pipeline(ROW).postprocess(detection(cell, label=79), ITEM)["detections"]
    assert found["category_id"] == 90
    np.testing.assert_allclose(found["bbox"], [392, 184, 64, 64], atol=1e-6)


def test_the_input_is_letterboxed_and_blue_comes_first():
    image = np.zeros((416, 832, 3), np.uint8)
    image[:, :, 0] = 255
    (found,) = pipeline(ROW).preprocess(image, ITEM).values()
    assert found.shape == (1, 3, 416, 416) and found.dtype == np.float32
    blue, _, red = found[0, :, 208, 208]
    assert (blue, red) == pytest.approx((-103.53 / 57.375, (255 - 123.675) / 58.395), rel=1e-5)
    assert found[0, 2, 50, 208] == pytest.approx(-123.675 / 58.395, rel=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_damaged_outputs_are_finite_boxes(bad):
    given = detection(100)
    given["distances"][0, ::3] = given["distances"][0, 100] = bad
    given["scores"][0, ::5, 3] = np.nan
    found = pipeline(ROW).postprocess(given, ITEM)["detections"]
    assert found and np.isfinite([n for one in found for n in one["bbox"]]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros((1, COUNT, 81))}, "output 'scores' is 1x3549x81; .* 1x3549x80"),
        ({"distances": np.zeros((1, 2125, 44))}, "output 'distances' is 1x2125x44"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused_in_one_line(change, message):
    with pytest.raises(UserError, match=message):
        pipeline(ROW).postprocess(detection(0) | change, ITEM)
