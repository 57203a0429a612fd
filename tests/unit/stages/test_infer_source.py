"""nnrd infer on an image, a folder and videos: runs, what is written, what is refused."""

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import by_hand_programs
import cv2
import numpy as np
import onnx
import pandas
import pytest
import yaml
from onnx import helper
from PIL import Image
from small_detector import OPTIONS, detector, folder, video

from nnrd import tensor_files
from nnrd.core.files import checksum, read_record, write_record
from nnrd.datasets import masks
from nnrd.datasets.bad import Bad
from nnrd.datasets.frames import Pictures
from nnrd.datasets.index import Index
from nnrd.inference.results import COLUMNS
from nnrd.runtime import sessions
from nnrd.stages import convert_model, fetch_asset, infer_anchor

ROOT = Path(__file__).parents[3]
SSDLITE = "ssdlite300_mobilenet_v2"
BRIGHT = (220, 140, 20)
SOURCES = {
    "image": lambda at: folder(at / "one", 220) / "0.png",
    "folder": lambda at: folder(at / "photos", *BRIGHT),
    "avi": lambda at: video(at / "clip.avi", *BRIGHT),
    "mp4": lambda at: video(at / "clip.mp4", *BRIGHT),
    "yuv": lambda at: video(at / "clip_128x64_10.yuv", *BRIGHT),
}


nnrd = partial(by_hand_programs.nnrd, "infer")
refused = partial(by_hand_programs.refused, "infer")


@pytest.fixture
def own(tmp_path):
    """The options that name a detector of one's own."""
    detector(tmp_path / "own.onnx")
    return ("--model", tmp_path / "own.onnx", "--options", json.dumps(OPTIONS))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source(tmp_path, own, out, capsys, kind):
    source = SOURCES[kind](tmp_path)
    suffix = {"image": ".png", "folder": "", "avi": ".avi", "mp4": ".mp4", "yuv": ""}[kind]
    writes = ("--csv", out / "r.csv", "--text", out / "t", "--coco", out / "c.json")
    nnrd(source, *own, *writes, "--draw", out / f"drawn{suffix}")
    (row,) = pandas.read_csv(out / "r.csv").to_dict("records")
    count, sure = (1, 1) if kind == "image" else (3, 2)  # of two images the score is over 0.5
    counts = {"frames": count, "skipped": 0, "detections": sure, "loops": 1, "run": "whole"}
    assert counts.items() <= row.items() and tuple(row) == COLUMNS
    assert row["kind"] == ("video" if kind in ("avi", "mp4", "yuv") else kind)
    found = json.loads((out / "c.json").read_text())
    assert [hit["image_id"] for hit in found] == list(range(1, count + 1))
    assert {hit["category_id"] for hit in found} == {1}
    np.testing.assert_allclose(found[0]["bbox"], [32, 16, 64, 32], atol=1e-6)
    scores = np.array(BRIGHT[:count]) / 255
    np.testing.assert_allclose([hit["score"] for hit in found], scores, atol=0.02)
    texts = sorted((out / "t").iterdir())
    assert len(texts) == count
    assert texts[0].read_text().startswith("person 0.25 0.25 0.75 0.75 0.8")
    assert ("person 0.86" in capsys.readouterr().out) is (kind == "image")
    look_at_what_was_drawn(out / f"drawn{suffix}", count)


def look_at_what_was_drawn(path, count):
    if path.suffix in (".avi", ".mp4"):
        capture = cv2.VideoCapture(str(path))
        images = [capture.read()[1] for _ in range(count)]
        assert not capture.read()[0]
    else:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        images = [np.asarray(Image.open(file)) for file in files]
    assert len(images) == count and all(image.shape == (64, 128, 3) for image in images)
    drawn = [float(image.std()) > 10 for image in images]
    assert drawn == [True, True, False][:count]  # the last is too dark to be shown


def test_runs_of_splits_and_codecs(tmp_path, own, out, capsys):
    source = folder(tmp_path / "photos", *BRIGHT)
    ways = ("--whole", "--rank", 1, 2, "--codec", "raw", "--codec", "nnc")
    words = (*ways, "--parameters", '{"qp": -20}', "--loop", 2, "--csv", out / "r.csv")
    nnrd(source, *own, *words, "--coco", out / "c.json", "--save-features", out / "f")
    table = pandas.read_csv(out / "r.csv")
    runs = ["whole", *(f"rank{rank}-{codec}" for rank in (1, 2) for codec in ("raw", "nnc-qp-20"))]
    assert list(table["run"]) == runs
    assert capsys.readouterr().out.count(": 3 images, ") == 5
    # By the raw codec the parts give what the whole model gives, bit for bit.
    whole = (out / "c-whole.json").read_bytes()
    for rank in (1, 2):
        assert (out / f"c-rank{rank}-raw.json").read_bytes() == whole
    assert (out / "c-rank1-nnc-qp-20.json").read_bytes() != whole
    errors = [json.loads(cell) for cell in table["nmse"][1:]]
    assert errors[0] == errors[2] == {"boxes": 0, "scores": 0, "labels": 0}
    assert 0 < errors[1]["scores"] < 1e-3
    assert list(table["branches"][1:]) == [1] * 4 and list(table["split"][1:]) == [1, 1, 2, 2]
    (file, *_), sent = sorted((out / "f/rank1-raw").iterdir()), 8 * 8 * 4
    assert file.name == "0.safetensors" and tensor_files.read(file)["map"].nbytes == sent
    assert not (out / "f/whole").exists()
    row = table.iloc[2]
    assert row["anc_size_mean"] == sent and row["rec_size_max"] < sent
    assert row["compress_ratio"] == pytest.approx(row["rec_size_mean"] / sent, rel=1e-4)


def test_long_parameters_have_a_short_name(tmp_path, own, out):
    source = folder(tmp_path / "photos", *BRIGHT)
    given = json.dumps({"qp": -20, "qp_per_tensor": {f"tensor{n}": n for n in range(40)}})
    words = ("--rank", 1, "--codec", "nnc", "--parameters", given, "--whole", "--text", out)
    nnrd(source, *own, *words, "--csv", tmp_path / "r.csv")
    whole, long = sorted((path.name for path in out.iterdir()), key=len)
    assert whole == "whole" and long.startswith("rank1-nnc-qp-20-qp_per_tensor") and len(long) < 99
    table = pandas.read_csv(tmp_path / "r.csv")
    assert table["parameters"][1] == json.dumps(json.loads(given), separators=(",", ":"))


def test_the_columns_of_times(tmp_path, own, out):
    source = folder(tmp_path / "photos", *BRIGHT)
    nnrd(source, *own, "--rank", 1, "--loop", 3, "--csv", out / "r.csv")
    (row,) = pandas.read_csv(out / "r.csv").to_dict("records")
    steps = ("pre_time", "part1_time", "enc_time", "dec_time", "part2_time", "post_time")
    assert np.isnan(row["run_time_mean"]) and row["part1_provider"] == sessions.CPU
    for number in ("first", "mean"):
        total = sum(row[f"{step}_{number}"] for step in steps)
        assert row[f"total_time_{number}"] == pytest.approx(total, rel=1e-4)
    for step in steps:
        assert 0 < row[f"{step}_min"] <= row[f"{step}_mean"] <= row[f"{step}_max"]
        assert row[f"{step}_std"] > 0
    assert row["frames_per_second"] == pytest.approx(1 / row["total_time_mean"], rel=1e-4)


def test_existing_parts(tmp_path, own, out):
    """What nnrd split wrote is run, and needs no model but for what stands around it."""
    source = video(tmp_path / "clip.avi", *BRIGHT)
    parts = ("--name", "relu", "--out", tmp_path / "parts")
    by_hand_programs.nnrd("split", own[1], *parts)
    nnrd(source, *own, "--coco", out / "whole.json")
    nnrd(source, *own, "--parts", tmp_path / "parts", "--coco", out / "parts.json")
    assert (out / "parts.json").read_bytes() == (out / "whole.json").read_bytes()
    (tmp_path / "parts/part2.onnx").write_bytes((tmp_path / "parts/part1.onnx").read_bytes())
    said = refused(source, *own, "--parts", tmp_path / "parts", "--coco", out / "no.json")
    assert "part2.onnx: damaged" in said and not (out / "no.json").exists()


def test_image_ids_of_a_ground_truth(tmp_path, own, out):
    images = [
        {"id": 70 + n, "file_name": f"x/{n}.png", "width": 128, "height": 64} for n in range(3)
    ]
    truth = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "human"}]}
    (tmp_path / "t.json").write_text(json.dumps(truth))
    given = ("--annotations", tmp_path / "t.json")
    source = folder(tmp_path / "photos", *BRIGHT)
    nnrd(source, *own, *given, "--coco", out / "c.json", "--text", out / "t")
    assert [row["image_id"] for row in json.loads((out / "c.json").read_text())] == [70, 71, 72]
    assert (out / "t/0.txt").read_text().startswith("human 0.25")
    (source / "0.png").rename(source / "new.png")
    said = refused(source, *own, *given, "--coco", out / "d.json")
    assert "new is not in the ground truth" in said and not (out / "d.json").exists()


def test_bad_images(tmp_path, own, out, capsys):
    source = folder(tmp_path / "photos", *BRIGHT)
    (source / "1.png").write_bytes(b"no image")
    writes = ("--text", out / "t", "--csv", out / "r.csv", "--draw", out / "d")
    said = refused(source, *own, *writes)
    assert "1.png: not an image that can be read; --skip-bad leaves out" in said
    assert not any((out / name).exists() for name in ("t", "r.csv", "d"))
    nnrd(source, *own, *writes, "--skip-bad", "--loop", 2)
    (row,) = pandas.read_csv(out / "r.csv").to_dict("records")
    assert (row["frames"], row["skipped"]) == (2, 1)
    assert [file.name for file in sorted((out / "t").iterdir())] == ["0.txt", "2.txt"]
    printed = capsys.readouterr()
    assert printed.err.count("skipped: ") == 1 and "2 images (1 skipped)" in printed.out


def test_outputs_that_do_not_fit_are_counted_by_image(tmp_path, own, out, capsys):
    source = folder(tmp_path / "photos", *BRIGHT)
    words = (source, *own[:3], json.dumps(OPTIONS | {"boxes": "bocks"}))
    assert "error: 0: options: boxes: 'bocks' is no output; they are" in refused(*words)
    said = refused(*words, "--skip-bad")
    assert said.endswith("photos: nothing in it can be used")
    assert capsys.readouterr().err.count("skipped: ") == 3


def test_nan_is_never_silent(tmp_path, own, out, capsys):
    """A model whose scores are the logarithm of what is below 0 on dark images."""
    model = onnx.load(own[1])
    place = next(i for i, node in enumerate(model.graph.node) if node.name == "relu")
    model.graph.node[place].CopyFrom(helper.make_node("Log", ["less"], ["relu"], "relu"))
    model.graph.node.insert(place, helper.make_node("Sub", ["map", "dark"], ["less"], "less"))
    dark = onnx.numpy_helper.from_array(np.float32(0.3), "dark")
    model.graph.initializer.append(dark)
    onnx.save(model, own[1])
    source = folder(tmp_path / "photos", *BRIGHT)
    said = refused(source, *own, "--text", out / "t")
    assert "error: 2: 1 of 1 values of output 'scores' are NaN; --skip-bad" in said
    assert not (out / "t").exists()
    nnrd(source, *own, "--skip-bad", "--csv", out / "r.csv")
    assert pandas.read_csv(out / "r.csv")["skipped"].tolist() == [1]


def test_masks_are_written_and_drawn(tmp_path, own, out):
    """A graph with a soft mask of the input; the drawing of its results is that of the run."""
    model = onnx.load(own[1])
    soft = np.zeros((1, 1, 64, 64), np.float32)
    soft[..., 16:48, 16:48] = 0.9
    model.graph.initializer.append(onnx.numpy_helper.from_array(soft, "soft"))
    model.graph.node.append(helper.make_node("Identity", ["soft"], ["masks"], "masks"))
    value = helper.make_tensor_value_info("masks", onnx.TensorProto.FLOAT, soft.shape)
    model.graph.output.append(value)
    onnx.save(model, own[1])
    source = folder(tmp_path / "photos", *BRIGHT)
    words = ("--model", own[1], "--options", json.dumps(OPTIONS | {"masks": "masks"}))
    nnrd(source, *words, "--coco", out / "c.json", "--draw", out / "a")
    found = json.loads((out / "c.json").read_text())
    assert len(found) == 3
    for hit in found:  # of 128x64 pixels, as the box: 32 to 96, 16 to 48
        rows, columns = np.nonzero(masks.decode(hit["segmentation"]))
        ends = (rows.min(), rows.max(), columns.min(), columns.max())
        assert ends == (16, 47, 32, 95) and len(rows) == 32 * 64
    given = ("--predictions", out / "c.json", "--out", out / "b")
    by_hand_programs.nnrd("draw", source, *given)
    for name in ("0.png", "1.png", "2.png"):
        ours, theirs = (cv2.imread(str(out / at / name)) for at in "ab")
        assert (ours == theirs).all()
    plain = cv2.imread(str(source / "0.png"))
    assert (cv2.imread(str(out / "a/0.png"))[32, 64] != plain[32, 64]).any()  # inside of the box


REFUSED = [
    (["--threads", 0], "'0' is no whole number from 1"),
    (["--loop", "x"], "'x' is no whole number from 1"),
    (["--save-features", "f"], "--save-features: nothing is split, so nothing crosses"),
    (["--codec", "raw"], "--codec: nothing is split"),
    (["--rank", 1, "--codec", "ncc"], "unknown codec 'ncc'"),
    (["--rank", 1, "--codec", "entropy", "--parameters", '{"qp": 0}'], "is a bound on the rate"),
    (["--rank", 99], "no split before 99"),
    (["--rank", 1, 1], "run rank1-raw is asked for twice"),
    (["--part1-provider", "cuda"], "device cuda: "),
    (["--parts", "nowhere"], "nowhere/split.json: no such file"),
    (["--draw", "x.gif"], "x.gif: neither a folder nor an image or a video"),
    (["--draw", "x.png"], "x.png: one image cannot hold a folder"),
    (["--rank", 1, "--encode-algo", 2], "--encode-algo: '2' is no number of the TR's"),
    (["--rank", 1, "--encode-algo", "8-1"], "--encode-algo: '8-1' is no number of the TR's"),
    (["--rank", 1, "--encode-algo", 826, "--parameters", '{"qp": 0}'], "has parameters already"),
    (["--rank", 1, "--encode-algo", 0, "--codec", "raw"], "run rank1-raw is asked for twice"),
    (["--encode-algo", 0], "--codec: nothing is split"),
    (["--options", '{"sise": 3}'], "--options: unknown key 'sise'"),
]


@pytest.mark.parametrize(
    ("number", "codec", "parameters"),
    [
        (0, "raw", {}),
        (1, "float16", {}),
        (800, "nnc", {"qp": 0}),
        (826, "nnc", {"qp": -26}),
        (838, "nnc", {"qp": -38}),
    ],
)
def test_numbers_of_the_tr_are_codecs(tmp_path, own, out, number, codec, parameters):
    source = folder(tmp_path / "photos", *BRIGHT)
    named = ["--codec", codec, *(["--parameters", json.dumps(parameters)] if parameters else [])]
    for name, words in (("a.csv", ["--encode-algo", number]), ("b.csv", named)):
        nnrd(source, *own, "--rank", 1, *words, "--csv", out / name)
    ours, theirs = (pandas.read_csv(out / name) for name in ("a.csv", "b.csv"))
    same = ["run", "codec", "parameters", "rec_size_mean", "detections"]
    pandas.testing.assert_frame_equal(ours[same], theirs[same])
    assert json.loads(ours["parameters"][0]) == parameters


@pytest.mark.parametrize(("words", "why"), REFUSED)
def test_what_is_refused(tmp_path, own, monkeypatch, words, why):
    monkeypatch.chdir(tmp_path)
    assert why in refused(folder(tmp_path / "photos", 9), *own, *words)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("no.onnx", "no.onnx: no such ONNX file"),
        (
            "sdlite300_mobilenet_v2",
            f"'sdlite300_mobilenet_v2'; did you mean {SSDLITE}",
        ),
        ("mobilenet_v2", "model mobilenet_v2: is for classification, not for detection"),
    ],
)
def test_models_that_are_refused(tmp_path, model, why):
    said = refused(folder(tmp_path / "photos", 9), "--model", model, "--folder", ROOT)
    assert why in said


def endless(model):
    """Make its first node a function that calls itself."""
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    body = [helper.make_node("F", ["p"], ["q"], domain="own")]
    model.functions.append(helper.make_function("own", "F", ["p"], ["q"], body, sets))
    model.opset_import.append(helper.make_opsetid("own", 1))
    model.graph.node[0].op_type, model.graph.node[0].domain = "F", "own"


def elsewhere(model):
    """Give it a weight whose values are in a file of another folder."""
    tensor = onnx.TensorProto(name="far", data_type=onnx.TensorProto.FLOAT, dims=[4])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    model.graph.initializer.append(tensor)


@pytest.mark.fault("hostile: an ONNX file by hand")
@pytest.mark.parametrize(
    ("change", "why"),
    [(endless, "calls itself: F -> F"), (elsewhere, "is outside the model's folder, and not read")],
)
def test_a_model_that_cannot_be_right_is_refused_before_it_is_opened(tmp_path, own, change, why):
    model = onnx.load(own[1])
    change(model)
    onnx.save(model, own[1])
    assert why in refused(folder(tmp_path / "photos", 9), *own)


def test_a_row_of_ones_own(tmp_path, own, out, monkeypatch, capsys):
    """By its name; of an ONNX file that the workflow has made, that one is used."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    source = folder(tmp_path / "photos", *BRIGHT)
    asset = {"file": "own.onnx", "source": "file:own.onnx", "license": "mine"}
    row = {"task": "detection", "family": "onnx_detectors", "weights": "asset", "asset": "own"}
    row |= {"file": "own.onnx", "options": OPTIONS}
    mine = {"assets": {"own": asset}, "models": {"own": row}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    words = (source, "--model", "own", "--configfile", "mine.yaml", "--coco")
    nnrd(*words, out / "a.json")
    nnrd(source, *own, "--coco", out / "b.json")
    assert (out / "a.json").read_bytes() == (out / "b.json").read_bytes()
    assert "the workflow's is used" not in capsys.readouterr().err
    made = ["--out", "results/models/own.onnx", "--facts", "results/models/own.json"]
    given = json.dumps({"model": "own", **row} | {"options": {}})
    (tmp_path / "fetched").mkdir()
    (tmp_path / "fetched/own.onnx").write_bytes((tmp_path / "own.onnx").read_bytes())
    run(convert_model, ["--model", given, "--assets", "fetched", *made])
    nnrd(*words, out / "c.json")
    assert "results/models/own.onnx: the workflow's is used" in capsys.readouterr().err
    assert (out / "c.json").read_bytes() == (out / "a.json").read_bytes()
    (tmp_path / "results/models/own.onnx").write_bytes(b"other")
    assert "own.onnx: damaged" in refused(*words, out / "d.json")
    monkeypatch.chdir(source)
    said = refused(source, "--model", "own", "--coco", out / "d.json")
    assert said.endswith("config.yaml: no such file; --folder says where nnrd's checkout is")


@pytest.mark.slow
def test_real_weights_give_the_workflows_anchor(tmp_path, out):
    """A row of the sheets on photos of the demonstration, whole and in parts: as infer_anchor."""
    photos = fetched("demo_images", tmp_path)
    words = ("--rank", 50, "--whole", "--coco", out / "c.json", "--frames", 2)
    nnrd(photos, "--model", SSDLITE, "--folder", ROOT, *words)
    ours = json.loads((out / "c-whole.json").read_text())
    assert json.loads((out / "c-rank50-raw.json").read_text()) == ours
    frames = list(Pictures(photos).frames(Bad(), 2))
    items = [replace(f.item, checksum=checksum(f.item.path)) for f in frames]
    write_record(tmp_path / "index.json", Index(items).as_record())
    row = json.dumps({"model": SSDLITE, "family": SSDLITE, "weights": "asset"})
    model = ["--model", row, "--assets", fetched(SSDLITE, tmp_path)]
    file = tmp_path / "model.onnx"
    run(convert_model, [*model, "--out", file, "--facts", tmp_path / "model.json"])
    options = ["--runtime", "onnx", "--onnx", file, "--index", tmp_path / "index.json"]
    options += ["--shard", "0-of-1", "--predictions", out / "p.json", "--times", out / "t.json"]
    run(infer_anchor, [*model, *options])
    theirs = [
        {"image_id": number, **row}
        for number, found in enumerate(read_record(out / "p.json")["predictions"], 1)
        for row in found["detections"]
    ]
    assert theirs == ours and any(row["score"] > 0.5 for row in ours)


def fetched(asset, folder):
    """Return the folder of an asset's files, out of the cache."""
    sheet = ROOT / "config/assets.tsv"
    run(fetch_asset, ["--sheet", sheet, "--asset", asset, "--out", folder / asset])
    return folder / asset


def run(stage, words):
    parser = argparse.ArgumentParser()
    stage.add_arguments(parser)
    stage.main(parser.parse_args([str(word) for word in words]))
