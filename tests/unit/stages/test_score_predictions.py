"""nnrd score on text and COCO's files: the TR's numbers, classes, several sets, labels."""

import json
from pathlib import Path

import by_hand_programs
import pandas
import pytest
from PIL import Image

from nnrd import cli

EXAMPLES = json.loads((Path(__file__).parents[2] / "data/tr26847_map_examples.json").read_text())
TRUTH = {"0": "person 0.1 0.1 0.5 0.5\ncar 0.5 0.5 1 1\n", "1": "person 0 0 1 1\n"}
RIGHT = {"0": "person 0.1 0.1 0.5 0.5 0.9\ncar 0.5 0.5 1 1 0.8\n", "1": "person 0 0 1 1 0.7\n"}
POOR = {"0": "person 0.1 0.1 0.5 0.5 0.4\n", "1": ""}


def texts(folder, content):
    folder.mkdir()
    for name, text in content.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def score(capsys, truth, *predictions, more=()):
    words = ["score", "--annotations", truth, "--predictions", *predictions, *more]
    cli.main([str(word) for word in words])
    return json.loads(capsys.readouterr().out)


def refused(truth, *predictions, more=()):
    words = ["--annotations", truth, "--predictions", *predictions, *more]
    return by_hand_programs.refused("score", *words)


@pytest.mark.parametrize("case", EXAMPLES["cases"], ids=range(len(EXAMPLES["cases"])))
def test_the_trs_worked_cases_as_text(tmp_path, capsys, case):
    labels = {row[0] for i in case["images"] for rows in i.values() for row in rows}
    known = "".join(f"{label}\t{number}\n" for number, label in enumerate(sorted(labels), 1))
    (tmp_path / "labels.tsv").write_text(f"label\tid\n{known}")
    forms = {
        form: texts(
            tmp_path / form,
            {
                f"{number:03}": "".join(" ".join(map(str, row)) + "\n" for row in image[form])
                for number, image in enumerate(case["images"])
            },
        )
        for form in ("ground_truth", "predictions")
    }
    more = ("--labels", tmp_path / "labels.tsv")
    found = score(capsys, forms["ground_truth"], forms["predictions"], more=more)
    mean = found["metrics"]["tr26847_map"]["value"]
    assert mean == pytest.approx(100 * case["expected_map"], abs=1e-6)
    classes = {row["label"]: row["tr26847_map"] for row in found["classes"]}
    expected = {label: 100 * value for label, value in case["expected_ap_per_class"].items()}
    assert classes == pytest.approx(expected, abs=1e-6)


def coco(path, numbers=(7, 8)):
    images = [
        {"id": number, "file_name": f"{name}.png", "width": 200, "height": 100}
        for name, number in zip(TRUTH, numbers, strict=True)
    ]
    boxes = [(7, 1, [20, 10, 80, 40]), (7, 3, [100, 50, 100, 50]), (8, 1, [0, 0, 200, 100])]
    rows = [{"image_id": i, "category_id": c, "bbox": b} for i, c, b in boxes]
    categories = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
    truth = {"images": images, "annotations": rows, "categories": categories}
    path.write_text(json.dumps(truth))
    return path


def results(path, scores=(0.9, 0.8, 0.7), shift=0):
    boxes = [(7, 1, [20, 10, 80, 40]), (7, 3, [100, 50, 100, 50]), (8, 1, [0, 0, 200, 100])]
    rows = [
        {"image_id": i, "category_id": c + shift, "bbox": b, "score": score}
        for (i, c, b), score in zip(boxes, scores, strict=False)
    ]
    path.write_text(json.dumps(rows))
    return path


def test_text_and_json_are_the_same(tmp_path, capsys):
    forms = {
        "json": (coco(tmp_path / "t.json"), results(tmp_path / "r.json")),
        "text": (texts(tmp_path / "t", TRUTH), texts(tmp_path / "r", RIGHT)),
        "both": (tmp_path / "t.json", tmp_path / "r"),
    }
    found = {form: score(capsys, *paths) for form, paths in forms.items()}
    for result in found.values():
        del result["predictions"]
    assert found["json"] == found["text"] == found["both"]
    rows = [
        {"label": label, "objects": count, "tr26847_map": 100, "AP": 100, "AP50": 100}
        for label, count in (("person", 2), ("car", 1))
    ]
    for ours, expected in zip(found["json"]["classes"], rows, strict=True):
        assert ours == pytest.approx(expected)


def test_several_sets_in_a_table_and_a_plot(tmp_path, capsys):
    truth = texts(tmp_path / "t", TRUTH)
    sets = [texts(tmp_path / "rank10", RIGHT), texts(tmp_path / "rank50", POOR)]
    csv, plot = tmp_path / "map.csv", tmp_path / "map.png"
    found = score(capsys, truth, *sets, more=("--csv", csv, "--plot", plot))
    assert [row["metrics"]["tr26847_map"]["value"] for row in found] == [pytest.approx(100), 0]
    table = pandas.read_csv(csv)
    assert list(table["predictions"]) == [str(path) for path in sets for _ in range(3)]
    assert list(table["label"]) == ["all classes", "person", "car"] * 2
    assert list(table["objects"]) == [3, 2, 1] * 2 and set(table["items"]) == {2}
    assert list(table["tr26847_map"]) == [100] * 3 + [0] * 3
    assert table["AP"][4] == pytest.approx(100 * 51 / 101, abs=1e-3)
    assert table["AP_low"].notna().tolist() == [True, False, False] * 2
    assert min(Image.open(plot).size) > 300


def test_the_threshold_is_of_the_trs_map(tmp_path, capsys):
    truth, ours = texts(tmp_path / "t", TRUTH), texts(tmp_path / "r", POOR)
    values = [
        score(capsys, truth, ours, more=("--threshold", least))["metrics"]["tr26847_map"]["value"]
        for least in (0.3, 0.5)
    ]
    assert values == [pytest.approx(25), 0]  # a person of two; no car
    more = ("--threshold", 0.3, "--task", "classification")
    assert "--threshold: the task classification has none" in refused(truth, ours, more=more)


def test_labels_of_another_set(tmp_path, capsys):
    """Predictions with ImageNet's numbers or words, against COCO's ground truth."""
    truth, ours = coco(tmp_path / "t.json"), results(tmp_path / "r.json", shift=400)
    assert score(capsys, truth, ours)["metrics"]["AP"]["value"] == 0
    labels = tmp_path / "labels.tsv"
    labels.write_text("label\tid\n401\t1\n403\t3\nbridegroom\t1\nminivan\t3\n")
    more = ("--labels", labels)
    assert score(capsys, truth, ours, more=more)["metrics"]["AP"]["value"] == pytest.approx(100)
    words = {
        name: text.replace("person", "bridegroom").replace("car", "minivan")
        for name, text in RIGHT.items()
    }
    ours = texts(tmp_path / "words", words)
    assert score(capsys, truth, ours, more=more)["metrics"]["AP"]["value"] == pytest.approx(100)
    assert "0.txt:1: label 'bridegroom' is not known" in refused(truth, ours)


def test_an_image_of_many_and_what_is_left_out(tmp_path, capsys):
    truth, ours = texts(tmp_path / "t", TRUTH), texts(tmp_path / "r", RIGHT)
    cli.main(["score", "--annotations", str(truth), "--predictions", str(ours / "1.txt")])
    printed = capsys.readouterr()
    assert json.loads(printed.out)["items"] == 1
    assert "1 of 2 items have no predictions and are left out" in printed.err
    found = score(capsys, truth / "1.txt", ours / "1.txt")
    assert found["metrics"]["AP"]["value"] == pytest.approx(100) and found["items"] == 1


def test_what_is_refused(tmp_path):
    truth, ours = texts(tmp_path / "t", TRUTH), texts(tmp_path / "r", RIGHT)
    (ours / "2.txt").write_text("")
    assert "2.txt: 2 is not in the ground truth" in refused(truth, ours)
    (ours / "2.txt").unlink()
    (ours / "0.txt").write_text("person 0 0 1 1 nan\n")
    assert "0.txt:1: 'nan' is no finite number" in refused(truth, ours)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no *.txt in this folder" in refused(truth, empty)
    (truth / "0.txt").write_text("person 0 0 1\n")
    assert "0.txt:1: 'person 0 0 1' is not 'label x1 y1 x2 y2'" in refused(truth, ours)
    more = ("--plot", tmp_path / "x.jpg")
    right = texts(tmp_path / "right", RIGHT)
    said = refused(coco(tmp_path / "t.json"), right, more=more)
    assert "x.jpg: plots end in" in said
