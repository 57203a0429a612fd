"""SFU-HW-Objects and SFU-HW-Tracks on a small set made here: raw video, pictures, labels."""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from small_detector import OPTIONS, detector, picture, video

from nnrd import UserError, cli
from nnrd.datasets import file_codecs, images
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import EVERYTHING, Draw
from nnrd.models import REGISTRY as MODELS
from nnrd.models import ModelRow
from nnrd.runtime import sessions
from nnrd.stages import index_dataset, infer_files
from nnrd.study import config, origins
from nnrd.tasks import REGISTRY as TASKS

ROOT = Path(__file__).parents[3]
CLIP, STREET = "Clip_128x64_10", "Street_128x64_30_crop"
BRIGHT = (200, 120, 40)
OBJECTS = ["0 0.5 0.5 0.5 0.5", "0 0.5 0.5 0.5 0.5\n2 0.25 0.5 0.1 1.2", "63 0.9 0.9 0.4 0.4"]
TRACKS = [
    *("0 7 0.5 0.5 0.5 0.5", "0 7 0.5 0.5 0.5 0.5\n2 -1 0.25 0.5 0.1 1.2"),
    "63 3 0.9 0.9 0.4 0.4",
]


def pipeline():
    own = ModelRow("own", "onnx_detectors", "asset", options=OPTIONS)
    return MODELS.get(own.family).load_pipeline(own)


def labels(at, sequence, lines, group="ClassC/Clip"):
    folder = at / "labels" / group
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(lines):
        (folder / f"{sequence}_seq_{number:03}.txt").write_text(f"{text}\n")
    (folder / f"{sequence}_object.list").write_text("no labels\n")
    return at / "labels"


def sequences(at, form):
    folder = at / "sequences"
    folder.mkdir()
    if form != "png":
        video(folder / f"{CLIP}.{form}", *BRIGHT)
        return folder
    (folder / CLIP).mkdir()
    for number, value in enumerate(BRIGHT):
        Image.fromarray(picture(value)).save(folder / CLIP / f"{CLIP}_{number:03}.png")
    return folder


def index(at, form="yuv", lines=OBJECTS, kind="sfu_hw_objects", draw=EVERYTHING):
    return REGISTRY.get(kind)().index(labels(at, CLIP, lines), sequences(at, form), draw)


@pytest.mark.parametrize("form", ["yuv", "avi", "mp4", "png"])
def test_objects(tmp_path, form):
    found = index(tmp_path, form)
    digits = 3 if form == "png" else 6  # as nnrd infer calls them
    assert [item.name for item in found.items] == [f"{CLIP}_{n:0{digits}}" for n in range(3)]
    assert found.categories[1] == "person" and len(found.categories) == 80
    first, second, third = (item.facts for item in found.items)
    assert (first["image_id"], first["width"], first["height"], first["frame"]) == (1, 128, 64, 0)
    box = {"category_id": 1, "bbox": [32, 16, 64, 32], "area": 2048, "iscrowd": 0}
    assert first["objects"] == [box]
    # 2 is a car, COCO's 3; what lies outside the frame is cut off. 63 is a laptop, COCO's 73.
    np.testing.assert_allclose(second["objects"][1]["bbox"], [25.6, 0, 12.8, 64])
    assert [row["category_id"] for row in second["objects"] + third["objects"]] == [1, 3, 73]
    np.testing.assert_allclose(third["objects"][0]["bbox"], [89.6, 44.8, 38.4, 19.2])
    levels = [int(images.read_item(item).mean()) for item in found.items]
    assert np.allclose(levels, BRIGHT, atol=3)


def test_tracks_keep_their_numbers(tmp_path):
    found = index(tmp_path, lines=TRACKS, kind="sfu_hw_tracks")
    numbers = [[row["object_id"] for row in item.facts["objects"]] for item in found.items]
    assert numbers == [[7], [7, -1], [3]]
    objects = index_again(tmp_path, OBJECTS)
    for ours, theirs in zip(found.items, objects.items, strict=True):
        kept = [{k: v for k, v in row.items() if k != "object_id"} for row in ours.facts["objects"]]
        assert kept == theirs.facts["objects"]


def index_again(at, lines):
    return REGISTRY.get("sfu_hw_objects")().index(labels(at, CLIP, lines), at / "sequences")


def test_several_sequences_are_drawn_alike(tmp_path):
    folder = sequences(tmp_path, "yuv")
    video(folder / f"{STREET}.yuv", *BRIGHT[:2])
    truth = labels(tmp_path, CLIP, OBJECTS)
    labels(tmp_path, STREET, OBJECTS[:2], "ClassA/Street")
    found = REGISTRY.get("sfu_hw_objects")().index(truth, folder, Draw(2))
    assert {item.name.rpartition("_")[0] for item in found.items} == {CLIP, STREET}
    everything = REGISTRY.get("sfu_hw_objects")().index(truth, folder).items
    assert len(everything) == 5 and all(item in everything for item in found.items)


REFUSED = [
    ("0 0.5 0.5 0.5", "Clip_128x64_10_seq_000.txt:1: '0 0.5 0.5 0.5' is not 'class cx cy w h'"),
    ("0 7 0.5 0.5 0.5 0.5", "is not 'class cx cy w h'"),
    ("80 0.5 0.5 0.5 0.5", "is not 'class cx cy w h'"),
    ("x 0.5 0.5 0.5 0.5", "is not 'class cx cy w h'"),
    ("0 0.5 0.5 nan 0.5", "is not 'class cx cy w h'"),
    ("0 0.5 0.5 -0.5 0.5", "is not 'class cx cy w h'"),
    ("0 50 50 20 20", "is not 'class cx cy w h'"),
]


@pytest.mark.parametrize(("line", "why"), REFUSED)
def test_lines_that_are_refused(tmp_path, line, why):
    with pytest.raises(UserError, match=why) as caught:
        index(tmp_path, lines=[line])
    assert "\n" not in str(caught.value)


def test_frames_that_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"cut short: it has no whole frame 3"):
        index(tmp_path, lines=[*OBJECTS, OBJECTS[0]])
    (tmp_path / f"sequences/{CLIP}.yuv").unlink()
    with pytest.raises(UserError, match=rf"neither {CLIP}\.yuv nor {CLIP}_000\.png is there"):
        index_again(tmp_path, OBJECTS)
    with pytest.raises(UserError, match="no labels called SEQUENCE_seq_000"):
        REGISTRY.get("sfu_hw_objects")().index(tmp_path / "sequences", tmp_path / "sequences")
    labels(tmp_path, CLIP, OBJECTS, "ClassD/Clip")
    with pytest.raises(UserError, match="frame 0 of Clip_128x64_10 is labelled by"):
        index_again(tmp_path, OBJECTS)


def test_boxes_outside_are_counted(tmp_path):
    found = index(tmp_path, lines=["0 1.5 0.5 0.5 0.5\n0 0.5 0.5 0 0.5\n0 0.5 0.5 0.5 0.5"])
    assert len(found.items[0].facts["objects"]) == 1
    assert found.counts == {"boxes are outside of their frame": 2}
    assert found.left_out() == "2 boxes are outside of their frame"


def test_a_damaged_frame_is_seen_and_others_are_not_blamed(tmp_path):
    found = index(tmp_path)
    path = tmp_path / f"sequences/{CLIP}.yuv"
    data = bytearray(path.read_bytes())
    data[128 * 64 * 3 // 2 + 5] ^= 1
    path.write_bytes(data)
    images.read_item(found.items[0])
    with pytest.raises(UserError, match=r"\.yuv: damaged: frame 1 has another SHA-256"):
        images.read_item(found.items[1])


def test_frames_of_a_coded_video(tmp_path):
    found = index(tmp_path, "avi")
    first, *_, last = found.items
    assert images.read_item(last).mean() < images.read_item(first).mean()  # in any order
    with pytest.raises(UserError, match="has no file of its own; take another file codec"):
        file_codecs.make("stored").read(first)
    assert file_codecs.make("jpeg", quality=95).read(first).shape == (64, 128, 3)
    video(tmp_path / f"sequences/{CLIP}.avi", 200, 140)
    images.read_item(first)
    with pytest.raises(UserError, match=r"\.avi: damaged: frame 1 has another SHA-256"):
        images.read_item(found.items[1])
    with pytest.raises(UserError, match=r"\.avi: cut short: frame 2 cannot be read"):
        images.read_item(last)
    with pytest.raises(UserError, match=r"\.avi: has 2 frames, not frame 2"):
        index_again(tmp_path, OBJECTS)


@pytest.mark.parametrize(("codec", "parameters"), [("stored", {}), ("jpeg", {"quality": 95})])
def test_frames_are_sent_as_files(tmp_path, codec, parameters):
    found = index(tmp_path)
    (tmp_path / "sent").mkdir()
    model = pipeline()
    made = file_codecs.make(codec, **parameters)
    for item in found.items:
        received, sizes = infer_files.send(item, made, model, tmp_path / "sent")
        expected, ours = images.read_item(item), model.load(received)
        assert ours.shape == expected.shape == (64, 128, 3)
        if codec == "stored":
            assert (ours == expected).all() and 0 <= sizes["rec_size"] - 128 * 96 < 64
        else:
            assert np.abs(ours.astype(int) - expected).max() < 4 and sizes["rec_size"] < 128 * 96


def test_a_detector_is_scored_on_it(tmp_path, capsys):
    """The index as the workflow makes it; the detections by hand, out of the same video."""
    words = ["--format", "sfu_hw_objects", "--annotations", labels(tmp_path, CLIP, OBJECTS)]
    words += ["--folder", sequences(tmp_path, "yuv"), "--items", 3, "--out", tmp_path / "i.json"]
    parser = ArgumentParser()
    index_dataset.add_arguments(parser)
    index_dataset.main(parser.parse_args([str(word) for word in words]))
    detector(tmp_path / "own.onnx")
    found = index_again(tmp_path, OBJECTS)
    run = sessions.Run(sessions.session(tmp_path / "own.onnx"))
    rows = [prediction for prediction, _ in pipeline().predict(run, found.items)]
    metrics, _ = TASKS.get("detection")().score(found, rows, rows)
    assert 30 < metrics["AP"] < 70 and metrics["F1"] == pytest.approx(100)
    clip, model = tmp_path / f"sequences/{CLIP}.yuv", ["--model", tmp_path / "own.onnx"]
    by_hand = [clip, *model, "--options", json.dumps(OPTIONS), "--text", tmp_path / "found"]
    cli.main(["infer", *map(str, by_hand)])
    capsys.readouterr()
    given = ["--index", tmp_path / "i.json", "--predictions", tmp_path / "found"]
    cli.main(["score", *map(str, given)])
    ours = json.loads(capsys.readouterr().out)["metrics"]["AP"]["value"]
    assert ours == pytest.approx(metrics["AP"])


@pytest.mark.parametrize("kind", ["sfu_hw_objects", "sfu_hw_tracks"])
def test_a_study_takes_it(tmp_path, kind):
    folder = {"folder": str(sequences(tmp_path, "yuv"))}
    truth = {"annotations": str(labels(tmp_path, CLIP, OBJECTS)), "items": 3}
    study = {"kind": "features", "model": "ssdlite300_mobilenet_v2", "dataset": "hevc"}
    mine = {
        "run": ["mine"],
        "datasets": {"hevc": {"task": "detection", "format": kind, **folder, **truth}},
        "studies": {"mine": {**study, "splits": [10], "codecs": ["raw"]}},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    given = origins.read([ROOT / "config/config.yaml", tmp_path / "mine.yaml"])
    assert list(config.load(origins.merged(given), given, ROOT).studies) == ["mine"]
