"""The command ``nnrd``: what it writes, what it prints, and how it refuses."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nnrd import UserError, __version__, cli, codecs, tensor_files
from nnrd.core.files import write_record
from nnrd.datasets.index import Index, Item

SCRIPTS = Path(__file__).parents[3] / "scripts"


def nnrd(*words):
    cli.main([str(word) for word in words])


def refused(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        nnrd(*words)
    assert "\n" not in str(caught.value).strip()
    return str(caught.value)


@pytest.fixture
def file(tmp_path):
    r = np.random.default_rng(0)
    tensors = {
        "z.weight": r.normal(size=(20, 30)).astype(np.float32),
        "a.weight": r.normal(size=(4, 4)).astype(ml_dtypes.bfloat16),
        "count": np.array(7),
        "mask": np.array([True, False]),
    }
    tensor_files.write(tmp_path / "model.safetensors", tensors)
    return tmp_path / "model.safetensors"


def same(found, tensors, tolerance=0.0):
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape)
        np.testing.assert_allclose(
            found[name].astype(np.float64), tensor.astype(np.float64), atol=tolerance
        )


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys, time\n"
        "from nnrd import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'torch', 'pandas', 'onnx', 'jsonschema'} & set(sys.modules)\n"
        "assert time.process_time() < 0.3\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert all(f"\n    {name} " in done.stdout.decode() + " " for name in ("encode", "score"))


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        nnrd("--version")
    assert caught.value.code == 0 and capsys.readouterr().out == f"nnrd {__version__}\n"


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, capsys):
    if find_spec(f"nnrd.stages.{cli.COMMANDS[command][0]}") is None:
        pytest.skip(f"the stage of nnrd {command} is not there")
    with pytest.raises(SystemExit) as caught:
        nnrd(command, "--help")
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: nnrd {command} ")


@pytest.mark.parametrize(
    ("options", "parameters", "tolerance"),
    [
        (["raw"], {}, 0),
        (["zstd", "--qp", "-38", "--level", "3"], {"qp": -38, "level": 3}, 4e-3),
        (["nnc", "--qp", "-38", "--use-dq"], {"qp": -38, "use_dq": True}, 1e-2),
        (["nnc", "--no-use-dq", "--parameters", '{"qp": -30}'], None, 2e-2),
        (
            ["intn", "--bits", "16", "--per-channel"],
            {"bits": 16, "per_channel": True, "axis": None},
            1e-2,
        ),
    ],
)
def test_there_and_back(file, tmp_path, capsys, options, parameters, tolerance):
    blob, back = tmp_path / "model.nnrd", tmp_path / "back.safetensors"
    nnrd("encode", file, "-o", blob, "--codec", *options)
    raw = sum(tensor.nbytes for tensor in tensor_files.read(file).values())
    said = capsys.readouterr().out
    assert f"4 tensors, {raw} -> {blob.stat().st_size} bytes" in said
    nnrd("info", blob, "--json")
    info = json.loads(capsys.readouterr().out)
    assert (info["codec"], info["checksum"]) == (options[0], "ok")
    assert parameters is None or info["parameters"] == parameters
    assert (info["bytes"], info["tensor_bytes"]) == (blob.stat().st_size, raw)
    assert [row["name"] for row in info["tensors"]] == list(tensor_files.read(file))
    nnrd("decode", blob, "-o", back)
    same(tensor_files.read(back), tensor_files.read(file), tolerance)


def test_info_for_people(file, tmp_path, capsys):
    nnrd("encode", file, "-o", tmp_path / "b", "--codec", "raw", "--no-names")
    nnrd("info", tmp_path / "b")
    said = capsys.readouterr().out
    assert "checksum    ok" in said
    assert "  (1): bfloat16 4×4, 32 bytes, stored" in said
    assert "  (2): int64 scalar, 8 bytes, stored" in said


def test_names_that_did_not_travel_are_numbers(file, tmp_path):
    nnrd("encode", file, "-o", tmp_path / "b", "--codec", "raw", "--no-names")
    nnrd("decode", tmp_path / "b", "-o", tmp_path / "back.safetensors")
    assert list(tensor_files.read(tmp_path / "back.safetensors")) == ["0", "1", "2", "3"]


def test_npz(tmp_path):
    tensors = {"file": np.ones((2, 3)), "a/b": np.array(1 + 2j), "x.npy": np.zeros(0, np.uint8)}
    tensor_files.write(tmp_path / "a.npz", tensors)
    same_bytes = {k: v.tobytes() for k, v in tensor_files.read(tmp_path / "a.npz").items()}
    assert same_bytes == {k: v.tobytes() for k, v in tensors.items()}
    nnrd("encode", tmp_path / "a.npz", "-o", tmp_path / "b", "--codec", "raw")
    nnrd("decode", tmp_path / "b", "-o", tmp_path / "c.npz")
    assert list(tensor_files.read(tmp_path / "c.npz")) == list(tensors)


def test_safetensors_of_others_can_read_ours_and_ours_theirs(file, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    import torch

    found = safetensors.load_file(file)
    assert found["a.weight"].dtype == torch.bfloat16 and found["count"].item() == 7
    safetensors.save_file({"b": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "t.safetensors")
    (tensor,) = tensor_files.read(tmp_path / "t.safetensors").values()
    assert tensor.dtype == ml_dtypes.bfloat16 and (tensor == 1).all()


def test_what_is_refused(file, tmp_path, capsys):
    blob = tmp_path / "b"
    encode = ("encode", file, "-o", blob, "--codec")
    assert "codec nnc: qp: 3.5 is not an integer" in refused(capsys, *encode, "nnc", "--qp", "3.5")
    assert "unknown codec 'ncc'; did you mean nnc" in refused(capsys, *encode, "ncc")
    assert "codec raw: unknown key 'bits'" in refused(capsys, *encode, "raw", "--bits", 3)
    assert not blob.exists()
    missing = refused(capsys, "encode", tmp_path / "no.npz", "-o", blob, "--codec", "raw")
    assert missing.endswith("no.npz: no such file")
    (tmp_path / "bad.safetensors").write_bytes(b"x" * 30)
    bad = refused(capsys, "encode", tmp_path / "bad.safetensors", "-o", blob, "--codec", "raw")
    assert "not a safetensors file" in bad
    (tmp_path / "bad.npz").write_bytes(b"x" * 30)
    bad = refused(capsys, "encode", tmp_path / "bad.npz", "-o", blob, "--codec", "raw")
    assert "not a .npz of plain arrays" in bad
    nnrd(*encode, "raw")
    suffix = refused(capsys, "decode", blob, "-o", tmp_path / "x.pickle")
    assert "x.pickle: unknown suffix 'pickle'; known: npz, safetensors" in suffix
    held = refused(capsys, "decode", blob, "-o", tmp_path / "x.npz")
    assert "tensor a.weight: .npz cannot hold bfloat16" in held
    damaged = bytearray(blob.read_bytes())
    damaged[-1] ^= 1
    blob.write_bytes(damaged)
    for words in (("info", blob), ("decode", blob, "-o", tmp_path / "y.npz")):
        assert "checksum does not match" in refused(capsys, *words)
    assert not (tmp_path / "y.npz").exists()


def test_split(tmp_path, capsys):
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in "xz"]
    nodes = [helper.make_node("Relu", ["x"], ["y"], "one"), helper.make_node("Neg", ["y"], ["z"])]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:])
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    nnrd("split", tmp_path / "m.onnx", "--rank", 1, "--out", tmp_path / "parts")
    assert {f.name for f in (tmp_path / "parts").iterdir()} == {
        *("part1.onnx", "part2.onnx", "split.json")
    }
    assert "intermediate data: 16 bytes" in capsys.readouterr().out


COCO = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "width": 100, "height": 100},
        {"id": 2, "file_name": "b.jpg", "width": 100, "height": 100},
    ],
    "categories": [{"id": 3, "name": "cat"}],
    "annotations": [
        {"image_id": 1, "category_id": 3, "bbox": [10, 10, 40, 40]},
        {"image_id": 2, "category_id": 3, "bbox": [20, 20, 40, 40]},
    ],
}
ENDS = ("", "_low", "_high")
RESULTS = [
    {"image_id": 1, "category_id": 3, "bbox": [10, 10, 40, 40], "score": 0.9},
    {"image_id": 2, "category_id": 3, "bbox": [20, 20, 40, 40], "score": 0.8},
]


def test_a_missing_extra_is_one_line(tmp_path, monkeypatch, capsys):
    truth, ours = write(tmp_path / "t.json", COCO), write(tmp_path / "r.json", RESULTS)
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    said = refused(capsys, "score", "--annotations", truth, "--predictions", ours)
    assert said == "error: package faster_coco_eval is missing: pip install 'nnrd[score]'"
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.delitem(sys.modules, "nnrd.codecs.zstd", raising=False)
    with pytest.raises(UserError, match="codec zstd: no package zstandard; an extra of nnrd"):
        codecs.make("zstd")


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_score_of_coco_files(tmp_path, capsys):
    truth, ours = write(tmp_path / "t.json", COCO), write(tmp_path / "r.json", RESULTS[:1])
    nnrd("score", "--annotations", truth, "--predictions", ours)
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["items"]) == ("detection", 2)
    # Without an anchor neither agreement nor differences to it.
    names = [f"{name}{end}" for name in ("AP", "AP50", "tr26847_map") for end in ENDS]
    assert sorted(found["metrics"]) == sorted([*names, "crowds"])
    assert found["metrics"]["AP"]["unit"] == "%"
    assert found["metrics"]["AP"]["value"] == pytest.approx(50.495, abs=1e-3)
    anchor = write(tmp_path / "a.json", RESULTS)
    nnrd("score", "--annotations", truth, "--predictions", ours, "--anchor", anchor)
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["agreement"]["value"] == pytest.approx(50.495, abs=1e-3)
    (tmp_path / "both").mkdir()  # a folder is one set, such as the shards of a run
    for number, row in enumerate(RESULTS):
        write(tmp_path / f"both/{number}.json", [row])
    nnrd("score", "--annotations", truth, "--predictions", ours, tmp_path / "both")
    sets = json.loads(capsys.readouterr().out)
    assert [found["predictions"] for found in sets] == [str(ours), str(tmp_path / "both")]
    values = [found["metrics"]["AP"]["value"] for found in sets]
    assert values == [pytest.approx(50.495, abs=1e-3), pytest.approx(100)]
    stray = write(tmp_path / "s.json", [RESULTS[0] | {"image_id": 9}])
    said = refused(capsys, "score", "--annotations", truth, "--predictions", stray)
    assert said.endswith("s.json: [0]: image_id 9 is not in the ground truth")


def test_score_of_a_tasks_predictions(tmp_path, capsys):
    index = Index([Item("a", "", "", {"label": 1}), Item("b", "", "", {"label": 2})])
    write_record(tmp_path / "index.json", index.as_record())
    rows = [{"item": "a", "classes": [1, 0, 2, 3, 4]}, {"item": "b", "classes": [3, 2, 0, 1, 4]}]
    write_record(tmp_path / "p.json", {"predictions": rows})
    words = ("score", "--task", "classification", "--index", tmp_path / "index.json")
    nnrd(*words, "--predictions", tmp_path / "p.json")
    found = json.loads(capsys.readouterr().out)["metrics"]
    assert set(found) == {f"{name}{end}" for name in ("top1", "top5") for end in ENDS}
    assert [found[name] for name in ("top1", "top5")] == [
        {"value": 50, "unit": "%"}, {"value": 100, "unit": "%"}
    ]  # fmt: skip
    anchor = write(tmp_path / "anchor.json", [rows[0] | {"classes": [0]}, rows[1]])
    nnrd(*words, "--predictions", tmp_path / "p.json", "--anchor", anchor)
    found = json.loads(capsys.readouterr().out)["metrics"]
    assert found["agreement"] == {"value": 50, "unit": "%"}
    assert found["top1_difference_high"]["unit"] == "%"
    said = refused(capsys, *words, "--predictions", write(tmp_path / "x.json", [{"item": "c"}]))
    assert said.endswith("x.json: c is not in the ground truth")
    said = refused(capsys, *words, "--predictions", *[tmp_path / "p.json"] * 2)
    assert said.endswith("the same path is given twice")
    twice = write(tmp_path / "twice.json", [rows[0], rows[0]])
    said = refused(capsys, *words, "--predictions", twice)
    assert said.endswith("twice.json: a is given twice")
    part = write(tmp_path / "part.json", rows[:1])
    said = refused(capsys, *words, "--predictions", tmp_path / "p.json", "--anchor", part)
    assert said.endswith("part.json: no prediction for b")
