"""A study of kind splits: what it makes, and what is refused before any work."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from nnrd import UserError
from nnrd.core.files import write_record
from nnrd.study import inputs
from nnrd.study.config import load
from nnrd.study.split_costs import SplitCosts

ROOT = Path(__file__).resolve().parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
NAME = "tr26847"
KEY = f"studies.{NAME}"
INPUTS = f"{KEY}.comparisons.inputs.images"


def settings(**changed):
    study = copy.deepcopy(CONFIG["studies"][NAME])
    for path, value in changed.items():
        *parents, last = path.split("__")
        place = study
        for part in parents:
            place = place[part]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return load({"run": [NAME], "studies": {NAME: study}}, "my.yaml", ROOT)


def test_the_study_of_the_tr_makes_its_tables():
    found = settings()
    study = found.studies[NAME]
    assert len(study.tables()) == 15 and study.records == []
    files = inputs.pictures(found)
    assert f"results/splits/{NAME}.html" in files
    assert "results/splits/ssd300_resnet50.png" in files
    for name in ("ssd300_resnet50", "splitability", "images", "resolutions"):
        assert f"results/splits/{NAME}/{name}.csv" in files
    assert study.assets(found.sheets) == ["demo_images"]
    assert inputs.tables(found) == []


def test_what_a_comparison_reads_and_is_told():
    study = settings().studies[NAME]
    read = study.compared("ssd300_resnet50")
    assert read["splits"] == ["results/splits/ssd300_resnet50.csv"]
    assert read["published"] == "config/tr26847/ssd300_resnet50.csv"
    told = study.comparing("ssd300_resnet50")
    assert told[0] == "ranks" and "500mbps=5e+08" in told
    assert len(study.compared("splitability")["splits"]) == 15
    table = f"results/splits/{NAME}/inputs/images.csv"
    assert study.compared("images") == {"splits": [table], "sums": [f"{table}.sums.json"]}
    assert study.comparing("images")[-7:] == ["98", "198", "298", "498", "798", "1098", "1398"]
    told = study.measuring("images")
    assert told[:2] == ["--shape", "input=3,320,640"] and "chelsea" in told
    cuts = json.loads(told[told.index("--cuts") + 1])
    assert len(cuts["fpn"]) == 4 and "--cuts" not in study.measuring("resolutions")
    assert study.measured("resolutions").keys() == {"model", "facts"}
    assert study.measuring("resolutions").count("--shape") == 3


def test_the_estimate_counts_conversions_and_tables(tmp_path):
    found = settings()
    jobs = found.studies[NAME].jobs(found.sheets, SplitCosts(found.sheets, tmp_path))
    assert [job.rule for job in jobs[:2]] == ["convert_model", "tabulate_splits"]
    assert len(jobs) == 30


def test_a_study_may_have_models_alone():
    found = load(
        {"run": ["mine"], "studies": {"mine": {"kind": "splits", "models": ["nerf"]}}}, "c", ROOT
    )
    study = found.studies["mine"]
    assert study.pictures() == [
        "results/splits/mine.html",
        "results/splits/nerf.csv",
        "results/splits/nerf.png",
    ]
    assert study.rate_options() == []


MISTAKES = [
    ({"rates__1gbps": 0}, f"{KEY}.rates.1gbps: 0 is below 1"),
    ({"rates__1gbps": "1e9"}, f"{KEY}.rates.1gbps: '1e9' is not a number"),
    ({"rates__1gbps": None}, "ssd300_resnet50.published: "),
    ({"comparisons__rank": {}}, f"{KEY}.comparisons: unknown key 'rank'; did you mean ranks?"),
    (
        {"comparisons__ranks__ssd300_resnet50__model": "ssd"},
        f"{KEY}.comparisons.ranks.ssd300_resnet50.model: unknown model 'ssd'",
    ),
    (
        {"comparisons__ranks__ssd300_resnet50__published": "absent.csv"},
        f"{KEY}.comparisons.ranks.ssd300_resnet50.published: ",
    ),
    (
        {"comparisons__branches__splitability__published": "config/tr26847/ssd300_resnet50.csv"},
        "column 'model' is missing",
    ),
    (
        {"comparisons__branches__images": {"published": "config/tr26847/splitability.csv"}},
        f"{INPUTS}: images is given twice",
    ),
    ({"comparisons__inputs__images__ranks": []}, f"{INPUTS}.ranks: the list is empty"),
    ({"comparisons__inputs__images__ranks": [-1]}, f"{INPUTS}.ranks[0]: -1 is below 0"),
    ({"comparisons__inputs__images__shapes": ["input=a"]}, f"{INPUTS}.shapes[0]: shape input=a"),
    ({"comparisons__inputs__images__shapes": ["input=0,3"]}, "dimensions from 1"),
    ({"comparisons__inputs__images__items": []}, f"{INPUTS}: give both dataset and items"),
    ({"comparisons__inputs__images__items": ["voc", "voc"]}, f"{INPUTS}.items[1]: voc is given"),
    ({"comparisons__inputs__images__dataset": None}, f"{INPUTS}: give both dataset and items"),
    ({"comparisons__inputs__images__dataset": "images"}, f"{INPUTS}.dataset: unknown dataset"),
    (
        {"comparisons__inputs__images__dataset": "asterisk_prompts"},
        f"{INPUTS}.dataset: is for asr, the model for detection",
    ),
    ({"comparisons__inputs__images__model": "nerfs"}, f"{INPUTS}.model: unknown model 'nerfs'"),
    (
        {"comparisons__inputs__resolutions__shapes": []},
        f"{KEY}.comparisons.inputs.resolutions: give items of a dataset, or shapes",
    ),
    ({"models": ["nerf", "nerf"]}, f"{KEY}.models[1]: nerf is given twice"),
    ({"models": ["nerf"]}, f"{KEY}.comparisons.ranks.ssd300_resnet50.model: unknown model"),
    ({"models": []}, f"{KEY}.models: the list is empty"),
    ({"codecs": ["raw"]}, f"{KEY}: unknown key 'codecs'"),
]


@pytest.mark.parametrize(("changed", "message"), MISTAKES, ids=[m[1][-50:] for m in MISTAKES])
def test_a_mistake_is_one_line_with_the_key_s_path(changed, message):
    with pytest.raises(UserError) as caught:
        settings(**changed)
    said = str(caught.value)
    assert said.startswith("my.yaml: studies.") and message in said and "\n" not in said


def test_a_rank_outside_the_model_is_refused_where_its_graph_is_known(tmp_path):
    sized = {"model": "ssdlite300_mobilenet_v2", "shapes": ["image=1,3,300,300"], "ranks": [183]}
    study = {"kind": "splits", "models": [sized["model"]], "comparisons": {"inputs": {"a": sized}}}
    given = {"run": ["mine"], "studies": {"mine": study}}
    load(given, "c", tmp_path, ROOT)
    columns = {"model": sized["model"], "family": sized["model"], "weights": "asset"}
    facts = {"row": columns, "graph": {"nodes": ["n"] * 183, "makers": {}}}
    write_record(tmp_path / f"results/models/{sized['model']}.json", facts)
    with pytest.raises(UserError, match=r"ranks\[0\]: rank 183 is out of range 0\.\.182"):
        load(given, "c", tmp_path, ROOT)
