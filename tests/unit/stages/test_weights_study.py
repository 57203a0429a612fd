"""A model's weights through the stages: taken, coded, decoded into a bare network, scored."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
import torch

from nnrd import codecs
from nnrd.codecs import files as coding
from nnrd.core import bundles, files
from nnrd.datasets.formats import REGISTRY as FORMATS
from nnrd.models import REGISTRY, ModelRow
from nnrd.models.network import tensors
from nnrd.stages.extract_weights import published_size
from nnrd.stages.torch_models import TorchModel
from nnrd.study import sheets
from nnrd.tasks import REGISTRY as TASKS

ROOT = Path(__file__).resolve().parents[3]
SHEETS = {name: [f"config/{name}.tsv"] for name in ("assets", "models", "datasets")}
MODELS = sheets.read(sheets.Given(SHEETS, {}, str, ROOT.joinpath)).models
RESNET = ModelRow("resnet56", "resnet56_cifar100", "asset")


def torch_model(row, assets, mixed=False):
    how = {"threads": 1, "mixed": mixed, "tf32": False, "transform": None}
    return TorchModel(Namespace(model=row, assets=assets, packages=None, **how))


def images(folder, count=3):
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, 255, (32, 32, 3), np.uint8)
        cv2.imwrite(str(folder / f"cifar100_{number:02}_{number * 7}.png"), image)
    return FORMATS.get("labelled_images")().index(folder / "cifar100", folder)


def test_classification_end_to_end(tmp_path):
    """Bare ResNet-56: source, codec, sink, score; NaN weights are no reason to stop."""
    index = images(tmp_path)
    torch.manual_seed(0)
    network = REGISTRY.get(RESNET.family).load_network(RESNET)
    torch.save(network.build().state_dict(), tmp_path / "checkpoint.pt")
    model = torch_model(RESNET, tmp_path)
    sent = model.tensors()
    assert len(sent) == 350
    sums = {"weights": bundles.write(tmp_path / "tensors/weights.safetensors", sent)}
    codec = codecs.make("float16")
    (tmp_path / "bitstreams").mkdir()
    bundled = coding.Shard(None, tmp_path / "tensors", sums)
    (encoded,) = coding.encode(codec, bundled, tmp_path / "bitstreams")
    assert encoded["anc_size"] == 2_494_240
    assert encoded["rec_size"] == (tmp_path / "bitstreams/weights.bin").stat().st_size
    arrived = coding.Shard(None, tmp_path / "bitstreams", {"weights": encoded["checksum"]})
    decoded, seconds = coding.decode(codec, arrived, "weights", list(sent))
    pipeline, run, ran = model.received(decoded)
    assert seconds["dec_time"] > 0 and ran["precision"] == "float32"
    received = tensors(run.model)
    assert list(received) == list(sent)
    for name, array in sent.items():
        np.testing.assert_array_equal(received[name], array.astype(np.float16), err_msg=name)
    found = [prediction for prediction, _ in pipeline.predict(run, index.items)]
    assert all(len(prediction["classes"]) == 5 for prediction in found)
    pipeline, run, _ = model.trained()
    anchor = [prediction for prediction, _ in pipeline.predict(run, index.items)]
    metrics, rows = TASKS.get("classification")().score(index, anchor, found)
    assert all(0 <= metrics[name] <= 100 for name in ("top1", "top5", "agreement"))
    assert [row["item"] for row in rows] == [item.name for item in index.items]
    pipeline, run, ran = torch_model(RESNET, tmp_path, mixed=True).trained()
    mixed = [prediction for prediction, _ in pipeline.predict(run, index.items)]
    assert ran["precision"] == "mixed"
    assert [prediction["item"] for prediction in mixed] == [item.name for item in index.items]
    torch.nn.init.constant_(run.model.fc.weight, torch.nan)
    assert len(list(pipeline.predict(run, index.items))) == 3


def program(name, *options, **more):
    given = list(options)
    for key, value in more.items():
        given += [f"--{key.replace('_', '-')}", value]
    command = [sys.executable, ROOT / f"scripts/{name}.py", *map(str, given)]
    subprocess.run(command, check=True)


@pytest.mark.slow
def test_wav2vec2_end_to_end(tmp_path):
    """Random weights through every program: extract, encode, decode and evaluate, score."""
    row = MODELS["wav2vec2_asr_base_960h"]
    network = REGISTRY.get(row.family).load_network(row)
    torch.manual_seed(0)
    (tmp_path / "assets").mkdir()
    torch.save(network.build().state_dict(), tmp_path / "assets/checkpoint.pth")
    rng = np.random.default_rng(0)
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", rng.normal(0, 0.1, 8000 * (number + 1)), 16000)
    table = tmp_path / "transcripts.tsv"
    table.write_text("file\ttext\n" + "".join(f"{n}.wav\tsome words\n" for n in range(3)))
    index = {"index": tmp_path / "index.json"}
    program(
        "index_dataset", format="transcripts", annotations=table, folder=tmp_path, items=3,
        out=index["index"],
    )  # fmt: skip
    columns = {"model": row.model, "family": row.family, "variant": row.variant}
    model = {"model": json.dumps(columns | {"weights": "asset"}), "assets": tmp_path / "assets"}
    model["runtime"] = "torch"
    program(
        "extract_weights", **model, out=tmp_path / "tensors", times=tmp_path / "source.json"
    )  # fmt: skip
    parameters = '{"qp": -38, "use_dq": true, "opt_qp": true}'
    codec = {"codec": "nnc", "parameters": parameters}
    program(
        "encode_tensors", tensors=tmp_path / "tensors", source=tmp_path / "source.json", **codec,
        out=tmp_path / "bitstreams", times=tmp_path / "encoded.json",
    )  # fmt: skip
    evaluated = {**model, **index, "shard": "0-of-1"}
    program(
        "infer_anchor", **evaluated, predictions=tmp_path / "anchor.json",
        times=tmp_path / "anchor_times.json",
    )  # fmt: skip
    program(
        "decode_weights", bitstreams=tmp_path / "bitstreams", encoded=tmp_path / "encoded.json",
        source=tmp_path / "source.json", **codec, threads=2, out=tmp_path / "decoded",
        times=tmp_path / "decoded.json",
    )  # fmt: skip
    program(
        "infer_weights", weights=tmp_path / "decoded", decoded=tmp_path / "decoded.json",
        **evaluated, predictions=tmp_path / "point.json", times=tmp_path / "times.json",
    )  # fmt: skip
    label = json.dumps({"model": row.model, "codec": "nnc", "parameters": {"qp": -38}})
    common = {"task": "asr", "point": label, **index, "anchor": tmp_path / "anchor.json"}
    program(
        "score_point", **common, predictions=tmp_path / "anchor.json",
        inferred=tmp_path / "anchor_times.json", out=tmp_path / "anchor_record.json",
    )  # fmt: skip
    program(
        "score_point", **common, anchor_record=tmp_path / "anchor_record.json",
        source=tmp_path / "source.json", encoded=tmp_path / "encoded.json",
        predictions=tmp_path / "point.json", inferred=tmp_path / "times.json",
        decoded=tmp_path / "decoded.json", out=tmp_path / "record.json",
    )  # fmt: skip
    point = files.read_record(tmp_path / "record.json")["point"]
    assert point["anc_size"] == 4 * 94_393_245
    assert 0.03 < point["compress_ratio"] < 0.3
    assert (point["items"], point["enc_threads"], point["dec_threads"]) == (3, 1, 2)
    for column in ("enc_time", "dec_time", "anc_eval_time", "rec_eval_time"):
        assert point[column] > 0, column


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "images_of", "least"), [("mobilenet_v2", "imagenet", 90), ("resnet56", "cifar100", 55)]
)
def test_classifiers_on_real_images(name, images_of, least, request):
    """The figure for ResNet-56 needs its checkpoint, which is not published."""
    if name == "resnet56":
        row, assets = RESNET, request.getfixturevalue("real_data") / "resnet56_cifar100"
    else:
        row, assets = (
            MODELS[name],
            ROOT / "resources" / name,
        )
    folder = ROOT / "resources/foolbox_images"
    if not assets.exists() or not folder.exists():
        pytest.skip("no assets: snakemake --config run='[classification]' fetches them")
    index = FORMATS.get("labelled_images")().index(folder / images_of, folder)
    pipeline, run, _ = torch_model(row, assets).trained()
    found = [prediction for prediction, _ in pipeline.predict(run, index.items)]
    assert TASKS.get("classification")().score(index, found, found)[0]["top1"] >= least


@pytest.mark.parametrize(("file", "size"), [(None, 7), ("b.bin", 4)])
def test_what_the_published_weights_take(tmp_path, file, size):
    """Of a folder all files but text and hidden ones; of an ONNX model its one file."""
    for name, content in (("a.bin", b"123"), ("b.bin", b"4567"), ("config.json", b"{}")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / ".timestamp").write_bytes(b"1")
    row = ModelRow("m", "onnx_file", "asset", file=file)
    assert published_size(row, tmp_path) == size
    assert published_size(row, None) == 0
