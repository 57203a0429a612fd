"""Inputs that are made, to measure by, and the parts that a network names."""

import numpy as np
import pytest
from model_rows import MODELS, family, network, pipeline, row

from nnrd import UserError
from nnrd.models import made

BASE = row("torchaudio_recognisers", weights="random", variant="WAV2VEC2_ASR_BASE_960H")
DEEP = row("deepspeech", weights="random", options={"width": 8})
CLASSIFIER = MODELS["mobilenet_v2"]
DETECTOR = MODELS["ssdlite300_mobilenet_v2"]
WHISPER = MODELS["whisper_tiny_en"]
# The model, size, batch, and the shape of each input.
EXAMPLES = [
    (BASE, 100, 1, {"waveform": (1, 16000)}),
    (BASE, 1, 2, {"waveform": (2, 400)}),
    (DEEP, 100, 1, {"packages": (4, 16, 19, 26), "frames": ()}),
    (CLASSIFIER, None, 3, {"input": (3, 3, 224, 224)}),
    (DETECTOR, None, 2, {"image": (2, 3, 300, 300)}),
    (WHISPER, None, 2, {"features": (2, 80, 3000)}),
]


@pytest.mark.parametrize(("of", "size", "batch", "shapes"), EXAMPLES)
def test_inputs_are_as_preprocessing_returns_them(of, size, batch, shapes):
    found = pipeline(of).example(size, batch)
    assert {name: array.shape for name, array in found.items()} == shapes
    again = pipeline(of).example(size, batch)
    for name, array in found.items():
        np.testing.assert_array_equal(array, again[name])
        if batch > 1:
            assert not np.array_equal(array[0], array[1])


@pytest.mark.parametrize(
    ("of", "size", "batch", "message"),
    [
        (BASE, None, 1, "say how many frames"),
        (BASE, 0, 1, "0 frames: at least 1"),
        (BASE, 100, 0, "a batch of 0"),
        (DEEP, 100, 2, "a batch of 2: it takes one input at a time"),
        (CLASSIFIER, 100, 1, "its input has one size"),
        (WHISPER, 3000, 1, "its input has one size"),
    ],
)
def test_sizes_and_batches_that_a_model_cannot_take(of, size, batch, message):
    with pytest.raises(UserError, match=message):
        pipeline(of).example(size, batch)


def test_a_family_that_makes_none_says_so():
    with pytest.raises(UserError, match="family nanodet makes no inputs to measure by"):
        pipeline(MODELS["nanodet_g"]).example(None)


@pytest.mark.parametrize(
    ("of", "size", "seconds"),
    [(BASE, 250, 2.5), (WHISPER, None, 30.0), (CLASSIFIER, None, None)],
)
def test_a_recording_has_a_length(of, size, seconds):
    assert family(of).inputs.length(size) == seconds


@pytest.mark.parametrize(("of", "size"), [(CLASSIFIER, None), (DETECTOR, None), (DEEP, 20)])
def test_a_batch_gives_the_predictions_of_its_inputs(of, size):
    steps = pipeline(of)
    net = network(row(of.family, weights="built", variant=of.variant, options=of.options))
    run = net.run(net.load(None))
    batch = 2 if family(of).inputs.batched else 1
    item = steps.example_item(size)
    outputs = steps.infer(run, steps.example(size, batch))
    found = steps.postprocess_batch(outputs, item, batch)
    assert len(found) == batch
    alone = steps.postprocess(steps.infer(run, steps.example(size)), item)
    assert found[0].keys() == alone.keys()
    if of is CLASSIFIER:
        assert found[0] == alone


def test_noise_is_seeded_and_in_range():
    wave, picture = made.recording(0.5, 3), made.photo(3)
    assert wave.shape == (8000,) and wave.dtype == np.float32 and np.abs(wave).max() <= 1
    assert picture.shape == (480, 640, 3) and picture.dtype == np.uint8
    assert np.array_equal(wave, made.recording(0.5, 3))
    assert not np.array_equal(wave, made.recording(0.5, 4))


@pytest.mark.parametrize(
    ("of", "names"),
    [
        (CLASSIFIER, ["features", "classifier"]),
        (WHISPER, ["encoder", "decoder", "proj_out"]),
        (DEEP, ["dense1", "dense2", "dense3", "lstm", "dense5", "dense6"]),
    ],
)
def test_parts_have_names(of, names):
    net = family(of).load_network(of)
    model = net.build()
    parts = net.parts(model)
    assert list(parts) == names
    known = {id(p) for part in parts.values() for p in part.parameters()}
    assert known == {id(p) for p in model.parameters()}
