"""A family that needs packages of its own: what its jobs wait for and are told, and by hand."""

import sys
from argparse import Namespace
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.core import lineage
from nnrd.core.packages import lay_beside
from nnrd.models import Family
from nnrd.stages import arguments, by_hand, steps
from nnrd.study import config, inputs, jobs

ROOT = Path(__file__).parents[3]
STUDY = {
    "kind": "weights",
    "model": "espnet_blstm",
    "dataset": "asterisk_prompts",
    "items": 40,
    "codecs": ["raw"],
}
MODEL = {"model": "espnet_blstm"}


def settings(**given):
    study = STUDY | given
    return config.load({"run": ["one"], "studies": {"one": study}}, "config.yaml", ROOT)


def test_jobs_of_such_a_model_wait_for_its_packages_and_are_told_where_they_are():
    found = jobs.Jobs(settings())
    folders = ["resources/espnet_blstm", "resources/espnet"]
    assert found.model_files(MODEL) == [*folders, *(f"{folder}.sums.json" for folder in folders)]
    for words in (found.model(MODEL), found.graph_model(MODEL), found.input_model(MODEL)):
        assert words[-4:] == ["--assets", folders[0], "--packages", folders[1]]


def test_jobs_of_other_models_do_not():
    found = jobs.Jobs(settings(model="whisper_tiny_en"))
    whisper = {"model": "whisper_tiny_en"}
    assert found.model_files(whisper) == [
        f"resources/whisper_tiny_en{e}" for e in ("", ".sums.json")
    ]
    assert "--packages" not in found.model(whisper)


def test_they_are_among_the_assets_of_a_study():
    found = settings()
    assert {"espnet", "espnet_blstm"} <= set(found.studies["one"].assets(found.sheets))
    assert "espnet/espnet/" in inputs.asset_sums(found)


def test_a_family_whose_packages_no_sheet_has_is_refused(tmp_path):
    sheet = tmp_path / "assets.tsv"
    shipped = (ROOT / "config/assets.tsv").read_text().splitlines(keepends=True)
    sheet.write_text("".join(line for line in shipped if not line.startswith("espnet\t")))
    given = {"run": ["one"], "studies": {"one": STUDY}, "sheets": {"assets": str(sheet)}}
    with pytest.raises(UserError, match="family espnet needs asset 'espnet'; no sheet has it"):
        config.load(given, "config.yaml", ROOT)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Two wheels, unpacked; what is imported and where from is as before afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("first_only", "second_only"):
        (tmp_path / f"packages/{name}/{name}").mkdir(parents=True)
        (tmp_path / f"packages/{name}/{name}/__init__.py").write_text("")
    (tmp_path / "packages/second_only/numpy").mkdir()
    lineage.write_beside(tmp_path / "packages")
    return tmp_path / "packages"


def test_they_come_behind_what_is_installed(wheels):
    before = [*sys.path]
    lay_beside(wheels)
    lay_beside(wheels)
    assert sys.path == [*before, str(wheels / "first_only"), str(wheels / "second_only")]


def told(wheels):
    return Namespace(model=by_hand.ModelRow("m", "nerf", "random"), assets=None, packages=wheels)


def test_a_job_lays_them_beside_and_records_them(wheels):
    assert isinstance(arguments.family(told(wheels)), Family)
    assert str(wheels / "first_only") in sys.path
    assert steps.fetched(told(wheels)) == [lineage.beside(wheels)]


def test_a_job_refuses_packages_that_were_altered(wheels):
    arguments.verify_assets(told(wheels))
    (wheels / "first_only/first_only/__init__.py").write_text("import os")
    with pytest.raises(UserError, match=r"first_only/__init__\.py"):
        arguments.verify_assets(told(wheels))


def test_a_file_that_only_the_checkout_has_is_taken_from_there(tmp_path, monkeypatch):
    """Where nnrd is a module of another workflow its YAMLs are not in that one's folder."""
    monkeypatch.chdir(tmp_path)
    given = {"run": ["one"], "studies": {"one": STUDY}}
    found = config.load(given, "config.yaml", ".", ROOT).sheets.assets
    assert found["espnet_blstm"][0]["source"] == f"file:{ROOT}/config/espnet/blstm.yaml"
