"""Files that are not what they say, through the programs: exit code 1, one line, no output."""

import gzip
import io
import json
import os
import pickle
import runpy
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, PngImagePlugin

from nnrd.models import REGISTRY, ModelRow

ROOT = Path(__file__).parents[3]
DEEP = "[" * 50_000
RIGHT = {
    "images": [{"id": 1, "file_name": "a.png", "width": 30, "height": 20}],
    "categories": [{"id": 3, "name": "cat"}],
    "annotations": [{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}],
}


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def index(folder, annotations, form="coco", items=1):
    where = ["--annotations", annotations, "--folder", folder, "--items", items]
    return ["index_dataset", "--format", form, *where, "--out", folder.parent / "out/index.json"]


def coco(text, image=None):
    """Return the options for a COCO file; ``image``: what makes its photo."""

    def case(folder):
        picture = folder / "a.png"
        if image is None:
            Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(picture)
        else:
            image(picture)
        content = text if isinstance(text, str | bytes) else json.dumps(text)
        return index(folder, write(folder / "gt.json", content))

    return case


def box(*values, **more):
    row = RIGHT["annotations"][0] | {"bbox": list(values)} | more
    return RIGHT | {"annotations": [row]}


def noise():
    return np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


def bomb(path):
    """Write a PNG whose header asks for 3.6 thousand million pixels."""
    data = bytearray(cv2.imencode(".png", noise())[1].tobytes())
    data[16:24] = (60_000).to_bytes(4) * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    write(path, bytes(data))


def told_at_length(path):
    """Write a PNG of 4 pixels with 200 MB of compressed text in it."""
    words = PngImagePlugin.PngInfo()
    words.add_text("a", "x" * 200_000_000, zip=True)
    Image.new("RGB", (2, 2)).save(path, pnginfo=words)


DRAWING = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30 20\n%%EndComments\n%%EOF\n"


def tiff(array):
    return lambda path: Image.fromarray(array).save(path, format="TIFF")


PHOTOS = [
    (lambda p: write(p, "no image"), "a.png: not an image"),
    (lambda p: write(p, b""), "a.png: not an image"),
    (lambda p: p.mkdir(), "a.png: no such image"),
    (lambda p: None, "a.png: no such image"),
    (lambda p: write(p, cv2.imencode(".png", noise())[1].tobytes()[:-300]), "a.png: not an image"),
    (lambda p: write(p, cv2.imencode(".jpg", noise())[1].tobytes()[:-200]), "a.png: not an image"),
    (tiff(np.zeros((20, 30), np.float32)), "a.png: an image of floats"),
    (tiff(np.zeros((20, 30), np.int32)), "a.png: an image of 32-bit samples"),
    (bomb, "a.png: not an image"),
    (told_at_length, "a.png: not an image"),
    (lambda p: write(p, DRAWING), "a.png: a drawing (EPS), not an image"),
    (lambda p: cv2.imwrite(str(p), noise()[:10]), "a.png: 30x10 pixels"),
]
TRUTHS = [
    ("", "gt.json: not JSON"),
    (DEEP, "gt.json: not JSON"),
    (b"\xff\xfe", "gt.json: not JSON"),
    ("[]", "gt.json: not a COCO dataset"),
    (RIGHT | {"images": []}, "gt.json: annotations[0]: image_id 1 is no image's"),
    (RIGHT | {"images": RIGHT["images"] * 2}, "gt.json: images: id 1 is given twice"),
    (RIGHT | {"categories": []}, "category_id 3 is no category's"),
    (box(1, 2, float("nan"), 4), "annotations[0]: bbox"),
    (box(1, 2, float("inf"), 4), "annotations[0]: bbox"),
    (box(1, 2, -3, 4), "has a negative side"),
    (box(1, 2, "3", 4), "is not four finite numbers"),
    (box(1, 2, 3, 4, iscrowd="no"), "iscrowd: 'no'"),
    (box(1, 2, 3, 4, area=-1), "area: -1"),
    (box(1, 2, 3, 4, category_id=10**30), "is beyond"),
]


def tone(path, rate=16000, seconds=1, **options):
    wave = 0.1 * np.sin(np.arange(int(rate * seconds)) / 7)
    soundfile.write(path, wave, rate, **options)
    return path


def speech(make, table="file\ttext\na.wav\tHello\n"):
    """Return the options for a folder with one recording and a table of transcripts."""

    def case(folder):
        make(folder / "a.wav")
        return index(folder, write(folder / "transcripts.tsv", table), "transcripts")

    return case


def claimed(path):
    data = bytearray(tone(path).read_bytes())
    data[40:44] = (3600 * 32000).to_bytes(4, "little")
    write(path, bytes(data))


def lying_flac(path):
    data = bytearray(tone(path, format="FLAC").read_bytes())
    data[18:26] = (int.from_bytes(data[18:26]) | 2**36 - 1).to_bytes(8)
    write(path, bytes(data))


RECORDINGS = [
    (lambda p: write(p, "no sound"), "a.wav: not an audio file"),
    (lambda p: write(p, b""), "a.wav: not an audio file"),
    (lambda p: None, "a.wav: no such recording"),
    (lambda p: p.mkdir(), "a.wav: no such recording"),
    (lambda p: tone(p, seconds=0), "a.wav: the recording is empty"),
    (lambda p: write(p, tone(p).read_bytes()[:-9999]), "a.wav: the recording is cut short"),
    (lambda p: write(p, tone(p, format="FLAC").read_bytes()[:-500]), "is cut short"),
    (claimed, "a.wav: the recording is cut short"),
    (lying_flac, "a.wav: 4294967 s of 1 channels"),
    (lambda p: tone(p, 1, 15_000), "a.wav: 15000 s of 1 channels at 1 Hz"),
    (lambda p: tone(p, 44_101), "a.wav: 44101 Hz"),
]
TABLES = [
    ("", "transcripts.tsv: the table is empty"),
    ("\ufeff", "transcripts.tsv: the table is empty"),
    ("file\ttext\n", "the dataset has no items"),
    ("file\ttext\ttext\na.wav\ta\tb\n", "the columns must be file, text"),
    ("file\ttext\na.wav\t \n", "the transcript is empty"),
    ("file\ttext\na.wav\tx\na.wav\ty\n", "two items are called a"),
    (b"file\ttext\na.wav\t\xff\n", "is not a table"),
]


def other(form, make, name="x"):
    """Return the options for another format of datasets."""

    def case(folder):
        make(folder)
        return index(folder, folder / name, form)

    return case


def elsewhere(name):
    """Return what writes an utterance of any name, with its recording where that leads."""

    def make(folder):
        tone(folder / f"{name}.flac", format="FLAC")
        write(folder / "a.trans.txt", f"{name} GO\n")

    return make


OTHERS = [
    ("cocoa", lambda f: None, "unknown dataset format 'cocoa'"),
    ("coco", lambda f: None, "x: no such file"),
    ("coco", lambda f: (f / "x").mkdir(), "x: is a folder"),
    ("transcripts", lambda f: (f / "x").mkdir(), "x: is a folder"),
    ("labelled_images", lambda f: None, "no images called x_NUMBER_LABEL"),
    ("librispeech", lambda f: None, "no *.trans.txt"),
    ("librispeech", lambda f: write(f / "a.trans.txt", "1-2 GO\n1-2 STAY\n"), "given twice"),
    ("librispeech", elsewhere("../1-2"), "item '../1-2': is no name for a file"),
    ("librispeech", elsewhere("1" * 220), "is no name for a file"),
    ("sphinx", lambda f: None, "x: no such file of transcripts"),
    ("sphinx", lambda f: (f / "x").mkdir(), "x: is a folder"),
    ("sphinx", lambda f: write(f / "x", "go on"), "x: line 1: is not <s> WORDS </s> (NAME)"),
    ("sphinx", lambda f: write(f / "x", "go (a)"), "x: a: no recording in"),
    ("sphinx", lambda f: write(f / "x", "go (a)\n\nstay (a)"), "x: a is given twice"),
    ("asterisk", lambda f: write(f / "x", "text"), "x: not a gzip file"),
    ("asterisk", lambda f: write(f / "x", gzip.compress(bytes(2**25))), "bytes, unpacked"),
]


def graph(change=lambda model: None):
    weights = [numpy_helper.from_array(np.ones((4, 1, 1), np.float32), "w")]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 6, 6]) for name in "xy"]
    nodes = [helper.make_node("Mul", ["x", "w"], ["a"], "mul")]
    nodes += [helper.make_node("Sin", ["a"], ["y"], "sin")]
    body = helper.make_graph(nodes, "g", values[:1], values[1:], weights)
    found = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    change(found)
    return found.SerializeToString()


def external(**entries):
    def change(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))

    return graph(change)


def shaped(*dims):
    def change(model):
        for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, dims, strict=False):
            dim.dim_value = size

    return graph(change)


def stored(**fields):
    def change(model):
        tensor = model.graph.initializer[0]
        tensor.dims[:] = fields.pop("dims", tensor.dims)
        for name, value in fields.items():
            setattr(tensor, name, value)

    return graph(change)


def typed(model):
    model.graph.input[0].type.tensor_type.elem_type = 99


def foreign(model):
    model.graph.node[1].domain = "com.other"


def onnx_file(program, data, *options):
    """Return the options for a program that reads a model."""

    def case(folder):
        if data is not None:
            write(folder / "m.onnx", data)
        write(folder / "w.bin", bytes(16))
        write(folder.parent / "secret", bytes(16))
        (folder / "link").symlink_to("../secret")
        out = {"split_model": ["--out", folder.parent / "out"]}
        out["tabulate_splits"] = ["--csv", folder.parent / "out/t.csv"]
        return [program, folder / "m.onnx", *options, *out[program]]

    return case


MODELS = [
    (None, "m.onnx: no such file"),
    (b"", "not an ONNX model"),
    (b"\x93NUMPY", "not an ONNX model"),
    (graph()[:-40], "m.onnx: "),
    (external(location="/etc/hostname"), "is outside the model's folder"),
    (external(location="../secret"), "is outside the model's folder"),
    (external(location="link"), "is outside the model's folder"),
    (external(location="gone"), "missing"),
    (external(location="w.bin", offset=8), "cut short"),
    (external(location="w.bin", offset="x"), "offset: 'x' is no number"),
    (external(location="w.bin", length=12), "12 bytes, its shape and type take 16"),
    (shaped(1, -1), "input 'x': dimension -1"),
    (shaped(2**40, 2**40), "values are more than can be"),
    (graph(typed), "input 'x': unknown element type 99"),
    (graph(foreign), "operator set 'com.other' is not imported"),
    (stored(dims=[5]), "16 bytes, its shape and type take 20"),
    (stored(dims=[-1]), "tensor 'w': dimension -1"),
    (stored(data_type=99), "tensor 'w': unknown element type 99"),
]
SPLITS = [
    (["--rank", 7], "before takes ranks 1 to 1"),
    (["--name", "sim"], "no node is called 'sim'; nearest: sin"),
    (["--rank", 1, "--where", "after"], "after takes ranks 0 to 0"),
]
SHAPES = [
    ("x=-1,3", "dimensions from 1"),
    ("z=1,4,6,6", "unknown input of the model 'z'"),
    ("x=1,4,6", "give its shape as x=1,3"),
    ("x=99999999,4,99999999,6", "values; 268435456 at most"),
]


def conversion(folder, row):
    out = ["--out", folder.parent / "out/m.onnx", "--facts", folder.parent / "out/m.json"]
    return ["convert_model", "--model", row, "--assets", folder, *out]


def checkpoint(change=None, files=("a.pt",)):
    """Return the options for ResNet-56 with a checkpoint that a test changes."""

    def case(folder):
        row = {"model": "m", "family": "resnet56_cifar100", "weights": "asset"}
        network = REGISTRY.get("resnet56_cifar100").load_network(ModelRow(**row))
        state = network.build().state_dict()
        for name in files:
            if change is None:
                write(folder / name, "no checkpoint")
            else:
                torch.save(state | {"conv1.weight": change(state["conv1.weight"])}, folder / name)
        return conversion(folder, json.dumps(row))

    return case


CHECKPOINTS = [
    (checkpoint(), "a.pt: not a checkpoint"),
    (checkpoint(files=()), "0 files *.pt or *.pth"),
    (checkpoint(torch.zeros_like, ("a.pt", "b.pth")), "2 files *.pt or *.pth"),
    (checkpoint(lambda t: t * torch.nan), "tensor conv1.weight: 432 of 432 values are not finite"),
    (checkpoint(lambda t: t / 0), "tensor conv1.weight: 432 of 432 values are not finite"),
    (checkpoint(lambda t: t.to_sparse()), "tensor conv1.weight: is sparse"),
    (checkpoint(lambda t: t.to(torch.complex64)), "tensor conv1.weight: is complex"),
    (checkpoint(lambda t: t.to(torch.int32)), "of another kind: conv1.weight int32 for float32"),
    (checkpoint(lambda t: t[:3]), "of another shape: conv1.weight"),
    (
        checkpoint(lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8)),
        "tensor conv1.weight: is quantised",
    ),
]


class Payload:
    """Makes a file, ``pwned``, where it is unpickled; the test's folder is the working one."""

    def __reduce__(self):
        return os.system, ("touch pwned",)


def legacy(path):
    """Write a checkpoint as PyTorch did before its files were zips."""
    torch.save({"a": Payload()}, path, _use_new_zipfile_serialization=False)


def in_a_tar(path):
    """Write a checkpoint as PyTorch did before that."""
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            entry, data = tarfile.TarInfo(name), pickle.dumps(Payload())
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def scripted(path):
    """Write a TorchScript archive with a pickle of constants."""
    with zipfile.ZipFile(path, "w") as file:
        for name, data in (("data.pkl", pickle.dumps(Payload())), ("version", b"3\n")):
            file.writestr(f"m/{name}", data)
        file.writestr("m/constants.pkl", pickle.dumps(Payload()))


PICKLES = {
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Payload())),
    "a pickle of protocol 0": lambda path: path.write_bytes(pickle.dumps(Payload(), 0)),
    "a checkpoint": lambda path: torch.save({"a": Payload()}, path),
    "a checkpoint, its state dict right": lambda path: torch.save(
        {"state_dict": {"a": torch.ones(1)}, "epoch": Payload()}, path
    ),
    "an old checkpoint": legacy,
    "a checkpoint in a tar": in_a_tar,
    "TorchScript": scripted,
}


def pickled(make):
    def case(folder):
        make(folder / "a.pt")
        row = {"model": "m", "family": "resnet56_cifar100", "weights": "asset"}
        return conversion(folder, json.dumps(row))

    return case


CHECKPOINTS += [(pickled(make), "a.pt: not a checkpoint") for make in PICKLES.values()]
ROWS = [
    (DEEP, "not JSON"),
    ("[]", "not a JSON object"),
    ('{"model": "m"}', "--model: "),
    ('{"model": "m", "family": "x", "weights": "asset"}', "unknown family of models 'x'"),
    ('{"model": "m", "family": "onnx_file", "weights": "asset"}', "needs an asset and, in it"),
    (
        '{"model": "m", "family": "onnx_file", "weights": "asset", "file": "x.onnx"}',
        "x.onnx: no such file",
    ),
]


def encoding(*options):
    def case(folder):
        where = ["--tensors", folder, "--source", folder / "gone.json"]
        out = ["--out", folder.parent / "out/b", "--times", folder.parent / "out/t.json"]
        return ["encode_tensors", *where, *options, *out]

    return case


ENCODINGS = [
    (("--codec", "nncc"), "unknown codec 'nncc'"),
    (("--codec", "nnc", "--parameters", DEEP), "not JSON"),
    (("--codec", "nnc", "--parameters", '{"qp": 3, "qp": 4}'), "key 'qp' is given twice"),
    (("--codec", "nnc", "--parameters", '{"qp": 3.5}'), "qp: 3.5 is not an integer"),
    (("--codec", "nnc", "--parameters", '{"qp": ' + "9" * 400 + "}"), "more than 64 bits"),
    (("--codec", "raw"), "gone.json: no such file"),
]
HEADER = "asset\tfile\tsource\tlicense"


def fetching(text):
    def case(folder):
        sheet = folder / "assets.tsv"
        sheet.mkdir() if text is None else write(sheet, text)
        where = ["--sheet", sheet, "--asset", "a", "--cache", folder / "cache"]
        return ["fetch_asset", *where, "--out", folder.parent / "out/a"]

    return case


SHEETS = [
    (None, "assets.tsv: is a folder"),
    ("", "assets.tsv: the sheet is empty"),
    (f"{HEADER}\tfile\n", "column 'file' is given twice"),
    (f"{HEADER}\na\tb\0\tfile:x\tmine\n", "assets.tsv:2: has a control character"),
    (f"{HEADER}\tbytes\na\tb\tfile:x\tmine\t{'9' * 5000}\n", "assets.tsv:2: bytes: '999"),
    (f"{HEADER}\nb\tb\tfile:x\tmine\n", "no asset 'a'"),
]

CASES = [
    *((coco(RIGHT, make), said) for make, said in PHOTOS),
    *((coco(text), said) for text, said in TRUTHS),
    *((speech(make), said) for make, said in RECORDINGS),
    *((speech(tone, table), said) for table, said in TABLES),
    *((other(form, make), said) for form, make, said in OTHERS),
    *((onnx_file("split_model", data, "--rank", 1), said) for data, said in MODELS),
    *((onnx_file("split_model", graph(), *at), said) for at, said in SPLITS),
    *((onnx_file("tabulate_splits", graph(), "--shape", s), said) for s, said in SHAPES),
    *CHECKPOINTS,
    *((lambda folder, row=row: conversion(folder, row), said) for row, said in ROWS),
    *((encoding(*options), said) for options, said in ENCODINGS),
    *((fetching(text), said) for text, said in SHEETS),
]
# Started as rules start them: every sixth, and what torch itself warns of.
STARTED = [
    *CASES[::6],
    *(case for case in CHECKPOINTS if "sparse" in case[1] or "quant" in case[1]),
]


def names(cases):
    return [f"{number}: {said[:40]}" for number, (_, said) in enumerate(cases)]


@pytest.fixture
def folder(tmp_path):
    """Return the folder of what is given; ``out`` beside it is that of what is written."""
    for name in ("given", "out"):
        (tmp_path / name).mkdir()
    return tmp_path / "given"


def is_refused(code, said, words, folder):
    """Check what a program did: its exit code, its words, and that it wrote nothing."""
    assert code == 1
    lines = said.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and words in lines[0], said
    assert len(said) < 500
    assert not list((folder.parent / "out").iterdir())


@pytest.mark.fault("hostile: a file")
@pytest.mark.filterwarnings("ignore")  # Pillow and torch say more of some files
@pytest.mark.parametrize(("case", "words"), CASES, ids=names(CASES))
def test_a_program_refuses_in_one_line(folder, monkeypatch, capfd, case, words):
    """The programs run within this process: starting one takes seconds."""
    name, *options = map(str, case(folder))
    program = ROOT / f"scripts/{name}.py"
    monkeypatch.chdir(folder.parent)
    monkeypatch.setattr(sys, "argv", [str(program), *options])
    capfd.readouterr()
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(program), run_name="__main__")
    # Python prints a text that a program exits with, and makes it exit code 1.
    text = caught.value.code
    code, printed = (1, f"{text}\n") if isinstance(text, str) else (text, "")
    is_refused(code, capfd.readouterr().err + printed, words, folder)
    assert not list(folder.parent.rglob("pwned")), "what was given was run"


@pytest.mark.slow
@pytest.mark.parametrize(("case", "words"), STARTED, ids=names(STARTED))
def test_a_started_program_refuses_in_one_line(folder, case, words):
    name, *options = map(str, case(folder))
    command = [sys.executable, str(ROOT / f"scripts/{name}.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    is_refused(done.returncode, done.stderr, words, folder)
