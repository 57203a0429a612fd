"""A flipped bit anywhere on the way is one line that names the file, and never a number."""

import json
import shutil

import cv2
import numpy as np
import pytest
import soundfile
from small_run import SIDE, stage, write_net

from nnrd import UserError
from nnrd.core import files, program
from nnrd.stages import (
    convert_model,
    decode_weights,
    encode_tensors,
    extract_features,
    extract_outputs,
    index_dataset,
    infer_anchor,
    infer_features,
    infer_weights,
    score_point,
    split_model,
    tabulate_points,
)
from nnrd.stages import extract_weights as weights

CODEC = {"codec": "nnc", "parameters": '{"qp": -30}'}


def flip(path, share=0.6):
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 4
    path.write_bytes(data)


IMAGES = json.dumps({"model": "m", "family": "resnet56_cifar100", "weights": "asset"})
# The family whose models are ONNX files: of them only the taking is tested.
FILE = json.dumps({"model": "m", "family": "onnx_file", "weights": "asset", "file": "m.onnx"})


def names(at):
    return {"model": IMAGES, "index": at / "index.json", "shard": "0-of-1"}


def onnx_model(at):
    return {"runtime": "onnx", "onnx": at / "model.onnx", "facts": at / "facts.json"}


def take(at):
    stage(convert_model, model=FILE, assets=at, out=at / "model.onnx", facts=at / "facts.json")


def index(at):
    options = {"format": "labelled_images", "annotations": at / "images/cifar100", "items": 3}
    stage(index_dataset, **options, folder=at / "images", out=at / "index.json")


def anchor(at, out="anchor"):
    made = {"predictions": at / f"{out}.json", "times": at / f"{out}.times.json"}
    stage(infer_anchor, **names(at), **onnx_model(at), **made)


def split(at):
    facts = {"facts": at / "facts.json", "rank": 2, "out": at / "split"}
    stage(split_model, str(at / "model.onnx"), **facts)


def features(at):
    parts = {"part1": at / "split/part1.onnx", "split": at / "split/split.json"}
    stage(extract_features, **parts, **names(at), out=at / "tensors", times=at / "source.json")


def keep_outputs(at):
    made = {"out": at / "outputs", "times": at / "reference.json"}
    stage(extract_outputs, **names(at), onnx=at / "model.onnx", facts=at / "facts.json", **made)


def encode(at):
    given = {"tensors": at / "tensors", "source": at / "source.json"}
    stage(encode_tensors, **given, **CODEC, out=at / "bits", times=at / "encoded.json")


def infer(at):
    parts = {"part2": at / "split/part2.onnx", "split": at / "split/split.json"}
    coded = {"bitstreams": at / "bits", "encoded": at / "encoded.json"}
    coded |= {"outputs": at / "outputs", "reference": at / "reference.json"}
    made = {"predictions": at / "point.json", "times": at / "point.times.json"}
    stage(infer_features, **parts, **coded, **CODEC, **names(at), **made)


def take_weights(at):
    made = {"out": at / "w/tensors", "times": at / "w/source.json"}
    stage(weights, model=IMAGES, **onnx_model(at), **made)


def encode_weights(at):
    given = {"tensors": at / "w/tensors", "source": at / "w/source.json"}
    stage(encode_tensors, **given, **CODEC, out=at / "w/bits", times=at / "w/encoded.json")


def decode_bitstream(at):
    coded = {"bitstreams": at / "w/bits", "encoded": at / "w/encoded.json"}
    made = {"out": at / "w/arrived", "times": at / "w/decoded.json"}
    stage(decode_weights, **coded, **CODEC, source=at / "w/source.json", **made)


def received(at):
    arrived = {"weights": at / "w/arrived", "decoded": at / "w/decoded.json"}
    made = {"predictions": at / "w/point.json", "times": at / "w/point.times.json"}
    stage(infer_weights, **names(at), **onnx_model(at), **arrived, **made)


LABEL = {"model": "m", "dataset": "d", "codec": "anchor", "parameters": {}, "runtime": "onnx"}


def score_anchor(at):
    found = {"anchor": at / "anchor.json", "predictions": at / "anchor.json"}
    found |= {"inferred": at / "anchor.times.json", "out": at / "anchor_record.json"}
    label = json.dumps(LABEL)
    stage(score_point, task="classification", point=label, index=at / "index.json", **found)


def score(at):
    found = {"anchor": at / "anchor.json", "predictions": at / "point.json"}
    found |= {"source": at / "source.json", "encoded": at / "encoded.json"}
    found |= {"inferred": at / "point.times.json", "anchor_record": at / "anchor_record.json"}
    found |= {"split": at / "split/split.json", "out": at / "record.json"}
    label = json.dumps(LABEL | {"codec": "nnc", "parameters": {"qp": -30}})
    stage(score_point, task="classification", point=label, index=at / "index.json", **found)


def tabulate(at):
    (at / "list.txt").write_text(f"{at / 'anchor_record.json'}\n{at / 'record.json'}\n")
    made = {"points": at / "points.csv", "items": at / "items.csv"}
    stage(tabulate_points, study="s", records=at / "list.txt", uncompressed="input_size", **made)


STEPS = [take, index, anchor, split, features, keep_outputs, encode, infer, take_weights]
STEPS += [encode_weights, decode_bitstream, received, score_anchor, score, tabulate]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder in which all steps were made, on three images."""
    at = tmp_path_factory.mktemp("whole") / "run"
    (at / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(3):
        image = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        cv2.imwrite(str(at / f"images/cifar100_{number:02}_{number}.png"), image)
    write_net(at / "m.onnx")
    for step in STEPS:
        step(at)
    return at


@pytest.fixture
def at(done):
    """The same folder, put back as it was afterwards; the files name each other by their paths."""
    kept = done.with_name("kept")
    shutil.copytree(done, kept)
    yield done
    shutil.rmtree(done)
    kept.rename(done)


def test_the_steps_give_a_table(done):
    anchor_row, row = (done / "points.csv").read_text().splitlines()[1:]
    assert ",anchor," in anchor_row and ",nnc," in row
    record = files.read_record(done / "record.json")["point"]
    assert record["anc_size"] == 3 * 4 * 8 * 16 * 16 and record["split"] == 2
    assert 0 < record["compress_ratio"] < 1 and record["items"] == 3
    assert 0 < record["output_nmse"] < 0.1
    assert list(json.loads(record["output_nmse_by_output"])) == ["output"]
    for name in ("anc_eval_time", "rec_eval_time", "enc_time", "dec_time", "part1_time"):
        assert record[name] > 0, name


def test_without_compression_the_outputs_are_the_whole_model_s(at, monkeypatch):
    """Bit for bit: part I and part II are the whole."""
    monkeypatch.setitem(CODEC, "codec", "raw")
    monkeypatch.setitem(CODEC, "parameters", "{}")
    shutil.rmtree(at / "bits")
    encode(at)
    infer(at)
    rows = files.read_record(at / "point.times.json")["rows"]
    assert len(rows) == 3
    for row in rows:
        error, power = row["output_errors"]["output"]
        assert error == 0.0 < power


# The file that is damaged, and the step that reads it.
DAMAGED = [
    ("images/cifar100_01_1.png", anchor),
    ("images/cifar100_01_1.png", features),
    ("images/cifar100_01_1.png", received),
    ("model.onnx", anchor),
    ("model.onnx", split),
    ("model.onnx", take_weights),
    ("model.onnx", received),
    ("facts.json", anchor),
    ("facts.json", split),
    ("index.json", anchor),
    ("index.json", features),
    ("index.json", infer),
    ("index.json", score),
    ("split/part1.onnx", features),
    ("split/part2.onnx", infer),
    ("split/split.json", features),
    ("split/split.json", infer),
    ("split/split.json", score),
    ("tensors/cifar100_01_1.safetensors", encode),
    ("source.json", encode),
    ("source.json", score),
    ("bits/cifar100_01_1.bin", infer),
    ("encoded.json", infer),
    ("outputs/cifar100_01_1.safetensors", infer),
    ("reference.json", infer),
    ("model.onnx", keep_outputs),
    ("encoded.json", score),
    ("w/tensors/weights.safetensors", encode_weights),
    ("w/source.json", decode_bitstream),
    ("w/bits/weights.bin", decode_bitstream),
    ("w/encoded.json", decode_bitstream),
    ("w/arrived/weights.safetensors", received),
    ("w/decoded.json", received),
    ("anchor.json", score),
    ("anchor.times.json", score_anchor),
    ("anchor_record.json", score),
    ("anchor_record.json", tabulate),
    ("point.json", score),
    ("point.times.json", score),
    ("record.json", tabulate),
]


@pytest.mark.parametrize(
    ("file", "step"), DAMAGED, ids=[f"{file}-{step.__name__}" for file, step in DAMAGED]
)
@pytest.mark.parametrize("damage", ["flipped", "missing", "cut"])
def test_damage_is_one_line_that_names_the_file(at, file, step, damage):
    path = at / file
    if damage == "flipped":
        flip(path)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(UserError) as caught:
        step(at)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("step", "made"),
    [
        (anchor, ["anchor.json", "anchor.times.json"]),
        (features, ["tensors", "source.json"]),
        (infer, ["point.json", "point.times.json"]),
    ],
)
def test_a_step_that_fails_leaves_no_half_of_its_output(at, step, made):
    for name in made:
        path = at / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (at / "images/cifar100_02_2.png").unlink()
    (at / "bits/cifar100_02_2.bin").unlink()
    with pytest.raises(UserError, match="cifar100_02_2"):
        step(at)
    assert not [name for name in made if (at / name).exists()]
    assert not [path.name for path in at.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_bit_flipped_anywhere_in_a_bitstream_is_found(at, share):
    flip(at / "bits/cifar100_00_0.bin", share)
    with pytest.raises(UserError, match=r"cifar100_00_0\.bin"):
        infer(at)


def test_a_model_that_changed_after_it_was_taken_needs_no_facts_of_a_user(at):
    """Without facts nothing is known of a file: a user's own model is split as it is."""
    stage(split_model, str(at / "model.onnx"), rank=2, out=at / "own")
    assert (at / "own/split.json").is_file()


def test_an_altered_recording_is_refused(tmp_path):
    """The pipelines of recognisers, by the index that a stage wrote."""
    from nnrd.datasets import audio
    from nnrd.datasets import index as datasets

    wave = np.random.default_rng(0).normal(0, 0.1, 16000)
    soundfile.write(tmp_path / "a.wav", wave, 16000)
    table = tmp_path / "transcripts.tsv"
    table.write_text("file\ttext\na.wav\tsome words\n")
    options = {"format": "transcripts", "annotations": table, "folder": tmp_path, "items": 1}
    stage(index_dataset, **options, out=tmp_path / "index.json")
    (item,) = datasets.read(tmp_path / "index.json").shard("0-of-1")
    assert audio.read_item(item).shape == (16000,)
    flip(tmp_path / "a.wav")  # another sample, and still a recording
    with pytest.raises(UserError, match=r"a\.wav: damaged"):
        audio.read_item(item)


def test_the_program_ends_with_one_line(at):
    flip(at / "model.onnx")

    class Anchor:
        __doc__ = infer_anchor.__doc__
        add_arguments = staticmethod(lambda parser: None)
        main = staticmethod(lambda args: anchor(at))

    with pytest.raises(SystemExit) as caught:
        program.run(Anchor, [])
    assert str(caught.value).startswith(f"error: {at / 'model.onnx'}: damaged")
