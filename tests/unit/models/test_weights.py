"""The weights study: what is sent of a model, and what becomes of it at the other end."""

import dataclasses
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
import torch
from torchaudio.pipelines import HUBERT_ASR_LARGE, WAV2VEC2_ASR_BASE_960H

from nnrd import UserError, codecs, ctc, ctranslate2, networks, tasks, weights
from nnrd.codecs import files as coding
from nnrd.core import bundles
from nnrd.datasets import audio as speech_module
from nnrd.datasets import formats

SCRIPTS = Path(__file__).parents[3] / "scripts"
SMALL = {
    "encoder_embed_dim": 48, "encoder_num_layers": 2, "encoder_num_heads": 4,
    "encoder_ff_interm_features": 64, "encoder_pos_conv_groups": 4,
}  # fmt: skip


def small(bundle):
    return dataclasses.replace(bundle, _params=bundle._params | SMALL)


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(5, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.out = torch.nn.Linear(3, 5, bias=False)
        self.out.weight = self.embed.weight


def test_tied_tensors_are_sent_once():
    sent = weights.tensors(Tied())
    assert "embed.weight" in sent
    assert "out.weight" not in sent
    assert sent["norm.num_batches_tracked"].dtype == np.int64
    assert bundles.size(sent) == 4 * (15 + 4 * 3) + 8  # float32, and one int64 buffer


def test_load_fills_tied_tensors():
    one, other = Tied(), Tied()
    weights.load(other, weights.tensors(one), "a bundle")
    assert torch.equal(other.out.weight, one.embed.weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("norm.bias"), r"x: .*missing: norm.bias \(3\)"),
        (lambda t: t.update(new=t["norm.bias"]), r"unknown: new \(3\)"),
        (
            lambda t: t.update({"norm.bias": np.zeros(4, np.float32)}),
            r"of another shape: norm.bias \(4\) for \(3\)",
        ),
    ],
)
def test_tensors_that_do_not_fit(change, message):
    sent = weights.tensors(Tied())
    change(sent)
    with pytest.raises(UserError, match=message):
        weights.load(Tied(), sent, "x")


@pytest.mark.parametrize("bundle", [WAV2VEC2_ASR_BASE_960H, HUBERT_ASR_LARGE])
def test_a_batch_equals_batches_of_one(bundle):
    torch.manual_seed(0)
    bundle = small(bundle)
    model = ctc.build(bundle)
    waves = [torch.randn(n) * 0.1 for n in (16000, 12345, 9000, 400, 10)]
    together = ctc.emissions(bundle, model, waves)
    for scores, wave in zip(together, waves, strict=True):
        alone = ctc.emissions(bundle, model, [wave])[0]
        torch.testing.assert_close(scores, alone, atol=1e-4, rtol=1e-4)
        labels = bundle.get_labels()
        assert ctc.greedy(scores, labels) == ctc.greedy(alone, labels)


@pytest.mark.parametrize("bundle", [WAV2VEC2_ASR_BASE_960H, HUBERT_ASR_LARGE])
def test_emissions_are_those_of_torchaudio(bundle):
    bundle = small(bundle)
    model, wave = ctc.build(bundle), torch.randn(8000) * 0.1
    given = wave
    if bundle._normalize_waveform:
        given = torch.nn.functional.layer_norm(wave, wave.shape)
    with torch.inference_mode():
        expected = model(given[None])[0][0]
    torch.testing.assert_close(ctc.emissions(bundle, model, [wave])[0], expected)


def test_a_checkpoint_as_torchaudio_publishes_it(tmp_path):
    bundle = small(WAV2VEC2_ASR_BASE_960H)
    model = ctc.build(bundle)
    state = dict(model.state_dict())
    for name in ("aux.weight", "aux.bias"):  # three rows more, which no label belongs to
        rows = state[name]
        state[name] = torch.cat([rows[:1], torch.full_like(rows[:3], 9), rows[1:]])
    torch.save(state, tmp_path / "checkpoint.pth")
    loaded = ctc.build(bundle, tmp_path)
    assert torch.equal(loaded.aux.weight, model.aux.weight)


def test_greedy_decoding():
    labels = ("-", "|", "A", "B")
    best = [0, 2, 2, 0, 2, 3, 1, 1, 0, 3, 1]
    assert ctc.greedy(torch.eye(4)[best], labels) == "AAB B"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "0 files"),
        ({"a.pt": {}, "b.pth": {}}, "2 files"),
        ({"a.pt": b"not a checkpoint"}, "not a checkpoint"),
        ({"a.pt": [1, 2]}, "not a state dict"),
        ({"a.pt": Tied()}, "not a checkpoint"),  # a pickled object: its code is not run
    ],
)
def test_checkpoints_that_are_wrong(tmp_path, files, message):
    for name, content in files.items():
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        else:
            torch.save(content, tmp_path / name)
    with pytest.raises(UserError, match=message) as caught:
        networks.read_checkpoint(tmp_path)
    assert "\n" not in str(caught.value)


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


@pytest.mark.slow
def test_a_file_that_is_not_whisper_tiny(tmp_path):
    ctranslate2_file(tmp_path / "model.bin", {"scale": np.array([1, 2], np.int32)})
    with pytest.raises(UserError, match="not Whisper tiny: it has no variable 'encoder/"):
        networks.find("whisper_tiny_en").build(tmp_path)


def test_networks_without_weights_say_so(tmp_path):
    with pytest.raises(UserError, match="resnet56_cifar100: its weights cannot be downloaded"):
        weights.extract(networks.find("resnet56_cifar100"), None, tmp_path)


def test_networks_whose_download_fails_say_so(tmp_path, monkeypatch):
    network = networks.find("mobilenet_v2")

    def download():
        raise OSError("name or service not known")

    monkeypatch.setattr(network, "download", download, raising=False)
    with pytest.raises(UserError, match=r"mobilenet_v2: its weights cannot be fetched: name or"):
        weights.extract(network, None, tmp_path)


def photos(folder, count=3):
    rng = np.random.default_rng(0)
    for number in range(count):
        photo = rng.integers(0, 255, (32, 32, 3), np.uint8)
        cv2.imwrite(str(folder / f"cifar100_{number:02}_{number * 7}.png"), photo)


def test_labelled_photos(tmp_path):
    photos(tmp_path)
    rows = formats.find("labelled_photos").index(tmp_path / "cifar100", tmp_path)
    assert [row["label"] for row in rows] == [0, 7, 14]
    with pytest.raises(UserError, match="no photos called mnist_NUMBER"):
        formats.find("labelled_photos").index(tmp_path / "mnist", tmp_path)
    (tmp_path / "cifar100_09_1.png").write_bytes(b"x")
    with pytest.raises(UserError, match="not an image"):
        formats.find("labelled_photos").index(tmp_path / "cifar100", tmp_path)


def test_classification_score():
    classification = tasks.find("classification")
    truth = {"a": 1, "b": 2}
    anchor = [{"item": "a", "classes": [1, 0]}, {"item": "b", "classes": [0, 2]}]
    ours = [{"item": "a", "classes": [3, 1]}, {"item": "b", "classes": [0, 9]}]
    metrics, rows = classification.score(truth, anchor, ours)
    assert metrics == {"top1": 0, "top5": 50, "agreement": 50}
    assert [row["top5"] for row in rows] == [100, 0]
    with pytest.raises(UserError, match="b: has no label"):
        classification.score({"a": 1}, anchor, ours)


def test_classification_end_to_end(tmp_path):
    """Bare ResNet-56: source, codec, sink, score; NaN weights are no reason to stop."""
    photos(tmp_path)
    network = networks.find("resnet56_cifar100")
    rows = formats.find("labelled_photos").index(tmp_path / "cifar100", tmp_path)
    torch.manual_seed(0)
    torch.save(network.build().state_dict(), tmp_path / "checkpoint.pt")
    folder = tmp_path / "tensors"
    (extracted,) = weights.extract(network, tmp_path, folder)
    assert extracted["tensors"] == 350
    codec = codecs.make("float16")
    (tmp_path / "bitstreams").mkdir()
    (encoded,) = coding.encode(codec, folder, tmp_path / "bitstreams")
    assert encoded["anc_size"] == 2_494_240
    assert encoded["rec_size"] == (tmp_path / "bitstreams/weights.bin").stat().st_size
    model, row = weights.decoded(network, codec, tmp_path / "bitstreams")
    assert row["dec_time"] > 0
    found = [prediction for prediction, _ in weights.infer(network, model, rows, None)]
    assert all(len(prediction["classes"]) == 5 for prediction in found)
    task = weights.Task(
        tasks.find("classification"), network, {"test": rows, "valid": rows[:1]},
        {row["name"]: row["label"] for row in rows}, tmp_path,
    )  # fmt: skip
    performance, seconds = task.evaluate(task.model(), "valid")
    assert 0 <= performance <= 100
    assert seconds > 0
    assert (task.metric, task.higher_is_better) == ("top1", True)
    with pytest.raises(UserError, match="part 'train' is not known; known: test, valid"):
        task.evaluate(model, "train")
    mixed = [found for found, _ in weights.infer(network, model, rows, None, mixed=True)]
    assert [found["item"] for found in mixed] == [row["name"] for row in rows]
    torch.nn.init.constant_(model.fc.weight, torch.nan)
    assert len(list(weights.infer(network, model, rows, None))) == 3


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("wav2vec2_asr_base_960h", 94_393_245), ("hubert_asr_large", 315_463_837)],
)
@pytest.mark.slow
def test_sizes_of_recognisers(name, parameters):
    sent = weights.tensors(networks.find(name).build())
    assert sum(tensor.size for tensor in sent.values()) == parameters


def program(name, *options):
    subprocess.run([sys.executable, SCRIPTS / f"{name}.py", *map(str, options)], check=True)


@pytest.mark.slow
def test_wav2vec2_end_to_end(tmp_path):
    """Random weights through every program: extract, encode, decode and evaluate, score."""
    torch.manual_seed(0)
    network = networks.find("wav2vec2_asr_base_960h")
    (tmp_path / "assets").mkdir()
    torch.save(network.build().state_dict(), tmp_path / "assets/checkpoint.pth")
    rng = np.random.default_rng(0)
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", rng.normal(0, 0.1, 8000 * (number + 1)), 16000)
    table = tmp_path / "transcripts.tsv"
    table.write_text("file\ttext\n" + "".join(f"{n}.wav\tsome words\n" for n in range(3)))
    index, at = tmp_path / "index.json", {"name": "wav2vec2_asr_base_960h"}
    program(
        "index_dataset", "--format", "transcripts", "--annotations", table, "--folder", tmp_path,
        "--items", 3, "--out", index,
    )  # fmt: skip
    program(
        "extract_weights", "--network", at["name"], "--assets", tmp_path / "assets",
        "--out", tmp_path / "tensors", "--times", tmp_path / "source.json",
    )  # fmt: skip
    codec = ["--codec", "nnc", "--parameters", '{"qp": -38, "use_dq": true, "opt_qp": true}']
    program(
        "encode_tensors", "--tensors", tmp_path / "tensors", *codec,
        "--out", tmp_path / "bitstreams", "--times", tmp_path / "encoded.json",
    )  # fmt: skip
    evaluated = ["--network", at["name"], "--items", index, "--shard", "0-of-1"]
    program(
        "infer_weights_anchor", "--tensors", tmp_path / "tensors", *evaluated,
        "--predictions", tmp_path / "anchor.json", "--times", tmp_path / "anchor_times.json",
    )  # fmt: skip
    program(
        "infer_weights", "--bitstreams", tmp_path / "bitstreams", *codec, *evaluated,
        "--predictions", tmp_path / "point.json", "--times", tmp_path / "times.json",
    )  # fmt: skip
    label = json.dumps({"model": at["name"], "codec": "nnc", "parameters": {"qp": -38}})
    common = ["--task", "asr", "--point", label, "--index", index, "--annotations", table]
    program(
        "score_point", *common, "--anchor", tmp_path / "anchor.json",
        "--predictions", tmp_path / "anchor.json", "--inferred", tmp_path / "anchor_times.json",
        "--out", tmp_path / "anchor_record.json",
    )  # fmt: skip
    program(
        "score_point", *common, "--anchor", tmp_path / "anchor.json",
        "--anchor-record", tmp_path / "anchor_record.json", "--source", tmp_path / "source.json",
        "--encoded", tmp_path / "encoded.json", "--predictions", tmp_path / "point.json",
        "--inferred", tmp_path / "times.json", "--out", tmp_path / "record.json",
    )  # fmt: skip
    point = json.loads((tmp_path / "record.json").read_text())["point"]
    assert point["anc_size"] == 4 * 94_393_245
    assert 0.03 < point["compress_ratio"] < 0.3
    assert point["items"] == 3
    for column in ("enc_time", "dec_time", "anc_eval_time", "rec_eval_time"):
        assert point[column] > 0, column


@pytest.mark.slow
def test_mobilenet_and_resnet_on_real_photos():
    """The figure for ResNet-56 needs its checkpoint, which is not published."""
    folder = Path(__file__).parents[3] / "resources"
    assets = {"mobilenet_v2": folder / "mobilenet_v2"}
    if os.environ.get("NNRD_DATA"):
        assets["resnet56_cifar100"] = Path(os.environ["NNRD_DATA"]) / "resnet56_cifar100"
    assets = {name: path for name, path in assets.items() if path.exists()}
    if not assets or not (folder / "foolbox_photos").exists():
        pytest.skip("no assets: snakemake --config run='[classification]' fetches them")
    sets = {"mobilenet_v2": ("imagenet", 90), "resnet56_cifar100": ("cifar100", 55)}
    for name, path in assets.items():
        photos_of, least = sets[name]
        rows = formats.find("labelled_photos").index(
            folder / "foolbox_photos" / photos_of, folder / "foolbox_photos"
        )
        truth = {row["name"]: row["label"] for row in rows}
        network = networks.find(name)
        task = weights.Task(tasks.find("classification"), network, {"test": rows}, truth, path)
        assert task.evaluate(task.model())[0] >= least


def test_speech_is_read_at_the_networks_rate():
    assert speech_module.RATE == WAV2VEC2_ASR_BASE_960H.sample_rate == HUBERT_ASR_LARGE.sample_rate
