"""One's own study in one's own file: rows add up, and a message names the file to mend."""

import copy
import json
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from nnrd import UserError
from nnrd.assets import availability
from nnrd.study import config, inputs, jobs, origins

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "config/config.yaml"
HEADER = "dataset\ttask\tformat\tfolder\tannotations\titems\n"
TRUTH = ROOT / "config/ground_truth"
ROW = f"mine\tdetection\tcoco\t{TRUTH}\t{TRUTH}/demo_images.json\t12\n"
STUDY = {
    "kind": "features",
    "model": "ssdlite300_mobilenet_v2",
    "dataset": "mine",
    "splits": [10],
    "codecs": ["raw"],
}
FOLDER = {"folder": str(TRUTH), "annotations": f"{TRUTH}/demo_images.json"}
INLINE = FOLDER | {"task": "detection", "format": "coco", "items": 12}
MINE = {"run": ["mine"], "studies": {"mine": STUDY}}


def load(tmp_path, mine, command_line=None):
    """Load a file of one's own over the shipped one, as ``--configfile mine.yaml`` does."""
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(mine))
    given = origins.read([SHIPPED, file], command_line)
    return config.load(origins.merged(given), given, ROOT)


def refusal(tmp_path, mine, command_line=None):
    with pytest.raises(UserError) as caught:
        load(tmp_path, mine, command_line)
    said = str(caught.value).replace(str(tmp_path), "TMP").replace(str(ROOT), "ROOT")
    assert "\n" not in said
    return said


@pytest.mark.parametrize("how", ["only mine", "beside the shipped one", "inline"])
def test_a_dataset_of_ones_own(tmp_path, how):
    sheet = tmp_path / "mine.tsv"
    sheet.write_text(HEADER + ROW)
    files = {
        "only mine": {"sheets": {"datasets": str(sheet)}},
        "beside the shipped one": {"sheets": {"datasets": ["config/datasets.tsv", str(sheet)]}},
        "inline": {"datasets": {"mine": INLINE}},
    }
    found = load(tmp_path, MINE | files[how])
    assert list(found.studies) == ["mine"] and found.studies["mine"].data.count == 12
    assert inputs.dataset_files(found, "mine") == FOLDER
    # Of the shipped studies, those whose dataset is not there are not missed.
    assert ("demo" in found.declared) is (how != "only mine")


def words(found, data):
    return jobs.Jobs(found).dataset({"data": data})


def test_a_selection_of_a_dataset_of_ones_own(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("a\n")
    row = INLINE | {"items": 1, "selection": str(names)}
    found = load(tmp_path, MINE | {"datasets": {"mine": row}})
    assert inputs.dataset_files(found, "mine") == FOLDER | {"selection": str(names)}
    assert words(found, "mine")[-4:] == ["--items", "1", "--selection", str(names)]


def test_items_lie_in_a_folder_of_their_asset(tmp_path):
    asset = {"file": "t/", "source": "file:a.zip#t/", "license": "mine"}
    row = {"asset": "pack", "folder": "t/images", "task": "detection", "format": "coco", "items": 1}
    row["annotations"] = "pack/t/truth.json"
    mine = {"assets": {"pack": asset}, "datasets": {"mine": row}, "run": ["demo"]}
    found = load(tmp_path, MINE | mine)
    assert inputs.dataset_files(found, "mine")["folder"] == "resources/pack"
    assert inputs.files_folder(found, "mine") == "resources/pack/t/images"


def test_fetching_goes_by_the_names_in_a_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the rows of an asset are written
    names = tmp_path / "names.txt"
    asset = {"file": "t/", "source": "file:a.zip#t/", "license": "mine", "only": f"@{names}"}
    found = []
    for text in ("a.jpg\n", "a.jpg\nb.jpg\n"):
        names.write_text(text)
        made = jobs.Jobs(load(tmp_path, MINE | {"assets": {"pack": asset}, "run": ["demo"]}))
        found.append(made.asset({"asset": "pack"}))
        (row,) = json.loads(Path(found[-1]).read_text())
        assert row["names"] == text.split() and "only" not in row
    assert found[0] != found[1]  # another list fetches again


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selection": "none.txt"}, "the selection of dataset mine, 'none.txt', is not there"),
        ({"folder": None}, "datasets.mine: give it an asset or a folder"),
        ({"asset": "demo_images"}, "is outside the asset"),
        ({"asset": "demo_images", "folder": "../x"}, "folder: '../x' is outside the asset"),
    ],
)
def test_datasets_that_are_wrong(tmp_path, change, message):
    row = {key: value for key, value in (INLINE | change).items() if value is not None}
    assert message in refusal(tmp_path, MINE | {"datasets": {"mine": row}})


def test_what_a_machine_cannot_fetch_is_said_in_one_line_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(availability, "is_cut_off", lambda: True)
    monkeypatch.setattr(availability.urllib.request, "getproxies", dict)
    monkeypatch.setenv("NNRD_CACHE", str(tmp_path / "cache"))
    said = refusal(tmp_path, {"run": ["tr26847_detection_ssd300"]})
    assert "studies.tr26847_detection_ssd300: asset ssd300_resnet50_coco: https://" in said
    assert "no network" in said


def test_models_and_assets_of_ones_own(tmp_path):
    (tmp_path / "a.onnx").touch()
    asset = {"file": "a.onnx", "source": f"file:{tmp_path}/a.onnx", "license": "mine"}
    model = {"task": "detection", "family": "ssdlite300_mobilenet_v2", "weights": "asset"}
    mine = copy.deepcopy(MINE) | {"datasets": {"mine": INLINE}}
    mine["assets"] = {"one": asset, "two": [asset, asset | {"file": "b.onnx"}]}
    mine["models"] = {"own": model | {"asset": "two", "options": {"crop": 3}}}
    mine["studies"]["mine"]["model"] = "own"
    found = load(tmp_path, mine)
    assert found.sheets.models["own"].options == {"crop": 3}
    assert [row["file"] for row in found.sheets.assets["two"]] == ["a.onnx", "b.onnx"]


TWICE = [
    ("mine.tsv", ROW.replace("mine\t", "demo_images\t", 1), "config/datasets.tsv"),
    ("mine.tsv", ROW, "TMP/mine.yaml"),
    ("twice", ROW + ROW, None),
]


@pytest.mark.parametrize(("kind", "rows", "other"), TWICE)
def test_a_name_is_given_once_in_all_sheets(tmp_path, kind, rows, other):
    sheet = tmp_path / "mine.tsv"
    sheet.write_text(HEADER + rows)
    mine = MINE | {"sheets": {"datasets": ["config/datasets.tsv", str(sheet)]}}
    if other == "TMP/mine.yaml":
        mine |= {"datasets": {"mine": INLINE}}
    said = refusal(tmp_path, mine)
    assert "TMP/mine.tsv" in said and (other or "is given twice") in said, said


def test_an_asset_is_in_one_sheet(tmp_path):
    row = {"file": "a", "source": "file:a", "license": "mine"}
    said = refusal(tmp_path, MINE | {"assets": {"demo_images": row}})
    assert said == "TMP/mine.yaml: asset 'demo_images' is in config/assets.tsv, too"


def test_a_mistake_in_a_study_that_is_not_run(tmp_path):
    mine = copy.deepcopy(MINE) | {"datasets": {"mine": INLINE}}
    mine["studies"]["other"] = STUDY | {"model": "nothing", "splits": "all"}
    found = load(tmp_path, mine)
    assert list(found.studies) == ["mine"] and "unknown model" not in found.broken["other"]
    assert "studies.other.splits: 'all' is not a list" in found.broken["other"]
    assert "studies.other" in refusal(tmp_path, mine, {"run": ["other"]})


def change(path, value):
    mine = copy.deepcopy(MINE) | {"datasets": {"mine": copy.deepcopy(INLINE)}}
    *parents, last = path.split(".")
    place = mine
    for part in parents:
        place = place.setdefault(part, {})
    place[last] = value
    return mine


BLAMED = [
    ("studies.mine.model", "x", None, "TMP/mine.yaml: studies.mine.model: unknown model 'x'"),
    ("studies.mine.codecs", [{"nnc": {"qp": 3.5}}], None, "TMP/mine.yaml: studies.mine.codecs[0]"),
    ("studies.demo.items", 99, {"run": ["demo"]}, "TMP/mine.yaml: studies.demo.items: 99 of 27"),
    ("datasets.mine.format", "x", None, "TMP/mine.yaml: datasets.mine: unknown dataset format 'x'"),
    ("datasets.mine.folders", "x", None, "TMP/mine.yaml: datasets.mine: unknown key 'folders'"),
    ("isolated", "maybe", None, "TMP/mine.yaml: isolated: 'maybe' is not a boolean"),
    ("isolated", False, {"isolated": "maybe"}, "--config: isolated: 'maybe' is not a boolean"),
    ("isolated", False, {"run": ["tiny"]}, "--config: run[0]: unknown study 'tiny'"),
]


@pytest.mark.parametrize(("path", "value", "words", "said"), BLAMED, ids=[b[3] for b in BLAMED])
def test_a_message_names_the_file_that_says_it(tmp_path, path, value, words, said):
    assert refusal(tmp_path, change(path, value), words).startswith(said)


def test_a_mistake_in_the_shipped_file_is_not_blamed_on_mine(tmp_path):
    file = tmp_path / "shipped.yaml"
    file.write_text(SHIPPED.read_text().replace("keep_tensors: true", "keep_tensors: 7"))
    given = origins.Origins(origins.read([file]).parts | {"mine.yaml": MINE})
    with pytest.raises(UserError, match=r"shipped\.yaml: keep_tensors: 7 is not a boolean"):
        config.load(origins.merged(given), given, ROOT)


@pytest.mark.parametrize("text", ["a: [", "[1, 2]", "\0", ""])
def test_files_that_are_no_configuration(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"mine\.yaml:.+") as caught:
        origins.read([SHIPPED, file])
    assert "\n" not in str(caught.value)


BOMB = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]\n" for last, name in pairwise("abcdefghijkl")
)
BAD = [
    (
        BOMB,
        "mine.yaml: l[8][8]: more than 100000 values, those that YAML's aliases repeat included",
    ),
    ("run: &a [*a]\n", "mine.yaml: run[0][0]: is nested deeper than"),
    ("a: " + "[" * 5000 + "]" * 5000, "mine.yaml: maximum recursion depth"),
    ("a: " + "{b: " * 40 + "1" + "}" * 40, "mine.yaml: a.b.b: is nested deeper than 32"),
    ("items: " + "9" * 5000, "mine.yaml: Exceeds the limit (4300 digits)"),
    ("items: " + "9" * 4000, "mine.yaml: items: an integer of more than 64 bits"),
    ('run: "a\\0b"\n', "mine.yaml: run: a NUL character"),
    ("run: [a]\nstudies: {}\nrun: [b]\n", "mine.yaml:3: key 'run' is given twice"),
    ("studies:\n  one: {}\n  one: {}\n", "mine.yaml:3: key 'one' is given twice"),
    ("studies:\n  1: {}\n", "mine.yaml: studies: the key 1 is no text: put it in quotes"),
    ("run: [a\nstudies: {}\n", "mine.yaml:2: "),
    ("a: !!python/object/apply:os.system [ls]\n", "mine.yaml:1: could not determine a construc"),
    ("a: !!python/name:os.system\n", "mine.yaml:1: could not determine a constructor"),
    ("a: !mine 3\n", "mine.yaml:1: could not determine a constructor for the tag '!mine'"),
    ("? {a: b}\n: 3\n", "mine.yaml:1: found unhashable key"),
]


@pytest.mark.fault("hostile: YAML")
@pytest.mark.parametrize(("text", "said"), BAD, ids=[b[1][:60] for b in BAD])
def test_what_no_configuration_may_be(tmp_path, text, said):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        origins.look(file)
    message = str(caught.value)
    assert said in message and message.startswith(str(file)) and "\n" not in message


def test_aliases_and_merged_keys_are_yaml(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")
    assert origins.read([file]).parts[str(file)]["b"] == {"x": 3, "y": 2}
    origins.look(tmp_path / "absent.yaml")


def test_options_are_checked_by_their_family(tmp_path):
    row = {"task": "detection", "family": "onnx_detectors", "weights": "random"}
    mine = MINE | {"datasets": {"mine": INLINE}, "models": {"own": row | {"options": {"siz": 3}}}}
    said = refusal(tmp_path, mine)
    assert said.startswith(
        "TMP/mine.yaml: models.own: options: unknown key 'siz'; did you mean size"
    )


def test_the_rows_of_an_asset_travel_by_a_file_named_by_its_content(tmp_path, monkeypatch):
    own = tmp_path / "a {b}.onnx"
    own.write_bytes(b"one")
    rows = [
        {"file": f"{number}.onnx", "source": f"file:{own}", "license": "mine"}
        for number in range(1500)
    ]
    monkeypatch.chdir(tmp_path)

    def listed(rows):
        mine = MINE | {"datasets": {"mine": INLINE}, "assets": {"many": rows}}
        return jobs.Jobs(load(tmp_path, mine)).asset({"asset": "many"})

    first = listed(rows)
    assert len(first) < 100 and len(json.loads(Path(first).read_text())) == 1500
    relicensed = [row | {"license": "ours"} for row in rows]
    assert listed(relicensed) == first
    assert listed(rows[1:]) != first
    own.write_bytes(b"another")  # it has no sum: what it holds counts
    assert listed(rows) != first
