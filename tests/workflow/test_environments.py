"""The same results whatever the language, the rights, the home, the folder and its clock."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nnrd.assets.cache import default_folder

from .conftest import DATASET, MODEL, Checkout, copy_of_project
from .made import contents, differences, without_times

NOBODY = 65534
DAY = 86_400
# As `test_names` has it: whatever runs or breaks where a shell, Python or Snakemake reads it.
ODD = 'it\'s "a" $HOME $(touch pwned) {b} ünï;&|*~\\%s'
STUDIES = {
    "split": {
        "kind": "features",
        "model": MODEL,
        "dataset": DATASET,
        "items": 2,
        "splits": [50],
        "codecs": [{"nnc": {"qp": [-10]}}],
    },
    "whole": {
        "kind": "weights",
        "model": "mobilenet_v2",
        "dataset": "imagenet_images",
        "items": 2,
        "codecs": [{"nnc": {"qp": [-20]}}],
    },
}
CONFIG = {"run": ["split", "whole"], "studies": STUDIES}
TABLES = ("results/tables/points.csv", "results/tables/items.csv")
LOCALES = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC")


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without a language, changed; the cache stays the same."""
    kept = {name: value for name, value in os.environ.items() if name not in LOCALES}
    return kept | {"NNRD_CACHE": str(default_folder().absolute())} | changes


def run(command: list[str], folder: Path, env: dict[str, str], umask: int = -1) -> None:
    done = subprocess.run(
        command, cwd=folder, env=env, umask=umask, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Checkout:
    """A checkout in which the tables were made as on any day; not to be changed."""
    checkout = copy_of_project(tmp_path_factory.mktemp("usual"))
    checkout.configure(CONFIG)
    run(checkout.command(*TABLES), checkout.folder, environment(LANG="C.UTF-8"))
    return checkout


def unlike(folder: Path, usual: Checkout) -> list[str]:
    """Return the names of what was made in a folder and in the checkout, and is not the same."""
    made = (contents(one, without_times) for one in (Checkout(folder), usual))
    return differences(*made)


def test_an_odd_folder_is_planned_and_another_one_takes_its_configuration(tmp_path):
    """With --directory: the checkout is read only, and so may be another user's."""
    checkout = copy_of_project(tmp_path / ODD)
    checkout.configure(CONFIG)
    assert checkout.plan(*TABLES).rules["score_point"] == 5
    (tmp_path / "work").mkdir()
    shutil.rmtree(checkout.folder / ".snakemake")
    snakefile = ["--snakefile", str(checkout.folder / "Snakefile")]
    assert Checkout(tmp_path / "work").plan(*snakefile, *TABLES).rules["score_point"] == 5
    assert not (checkout.folder / ".snakemake").exists()


@pytest.mark.slow(minutes=4)
def test_no_language_no_rights_for_others_and_an_odd_folder(usual, tmp_path, fault):
    for name in ("LC_ALL=C", "umask 077", "quotes, a dollar, braces and letters in the path"):
        fault(f"environment: {name}")
    checkout = copy_of_project(tmp_path / ODD)
    checkout.configure(CONFIG)
    run(checkout.command(*TABLES), checkout.folder, environment(LC_ALL="C"), umask=0o077)
    assert not unlike(checkout.folder, usual)
    assert not list(tmp_path.rglob("pwned"))
    assert (checkout.folder / TABLES[0]).stat().st_mode & 0o077 == 0


@pytest.mark.slow(minutes=2)
def test_no_home_and_another_order_of_sets(usual, tmp_path, fault):
    for name in ("no HOME", "PYTHONHASHSEED"):
        fault(f"environment: {name}")
    checkout = copy_of_project(tmp_path / "checkout")
    checkout.configure(CONFIG)
    env = environment(PYTHONHASHSEED="77")
    env.pop("HOME", None)
    run(checkout.command("--cores", "1", *TABLES), checkout.folder, env)
    assert not unlike(checkout.folder, usual)


@pytest.fixture(scope="module")
def german(tmp_path_factory) -> dict[str, str]:
    """Return the variables of a locale in which 1.5 is written 1,5; made here, for nobody else."""
    folder = tmp_path_factory.mktemp("locales")
    folder.chmod(0o755)
    command = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    if not shutil.which("localedef") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no localedef, or no description of German, on this machine")
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE.UTF-8"}


def test_the_locale_has_a_decimal_comma(german):
    code = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.str(1.5))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(**german), capture_output=True, text=True)
    assert done.stdout == "1,5\n"


def as_nobody(folder: Path) -> list[str]:
    """Return what runs a command as a user who may read all and write below ``folder`` only."""
    if os.geteuid() != 0:
        return []  # then what is read-only is so for this user
    os.chown(folder, NOBODY, NOBODY)
    capability = "--{}-caps=-all,+dac_read_search"
    whom = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *whom, *(capability.format(name) for name in ("inh", "ambient"))]


@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv on this machine")
@pytest.mark.slow(minutes=2)
def test_a_comma_and_another_user_on_a_read_only_checkout(usual, german, tmp_path, fault):
    for name in ("a decimal comma", "a read-only checkout", "another user", "a HOME that is not"):
        fault(f"environment: {name}")
    checkout = copy_of_project(tmp_path / "checkout")
    checkout.configure(CONFIG)
    for path in [checkout.folder, *checkout.folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-m", "snakemake", "--snakefile", f"{checkout.folder}/Snakefile"]
    command += ["--workflow-profile", f"{checkout.folder}/workflow/profiles/default"]
    command += ["--directory", str(tmp_path / "work"), *TABLES]
    # Snakemake itself needs a folder for its cache, before it reads any workflow.
    cache = str(tmp_path / "work/.cache")
    env = environment(HOME="/nonexistent", XDG_CACHE_HOME=cache, **german)
    run([*as_nobody(tmp_path / "work"), *command], Path("/"), env)
    assert not unlike(tmp_path / "work", usual)
    assert not list(checkout.folder.rglob(".snakemake"))


def shift(folder: Path, seconds: int) -> None:
    """Make all that is below a folder of another time."""
    for path in [folder, *folder.rglob("*")]:
        at = path.lstat()
        times = (at.st_atime + seconds, at.st_mtime + seconds)
        os.utime(path, times, follow_symlinks=False)


@pytest.mark.slow(minutes=2)
def test_the_clock_goes_back_by_a_day(usual, tmp_path, fault):
    """As files see it: what was made before is of tomorrow. Snakemake goes by the times of files.

    What is complete stays; what is to be made of it is refused, until the clock is right again.
    """
    fault("environment: the clock goes back by a day")
    checkout = usual.copy_to(tmp_path / "checkout")
    shift(checkout.folder, DAY)
    assert checkout.plan(*TABLES).rules == {}
    more = {**STUDIES["split"], "codecs": [{"nnc": {"qp": [-10, -26]}}]}
    checkout.configure(CONFIG | {"studies": STUDIES | {"split": more}})
    done = checkout.run(*TABLES)
    assert done.returncode != 0
    assert "could indicate a clock skew problem" in done.stderr, done.stderr
    assert not list(checkout.folder.glob("results/**/qp=-26/**/*.bin"))
    shift(checkout.folder, -DAY)
    assert checkout.plan(*TABLES).rules["encode_tensors"] == 1
    run(checkout.command(*TABLES), checkout.folder, environment())
    assert checkout.plan(*TABLES).rules == {}
    found = unlike(checkout.folder, usual)
    assert all("qp=-26" in name or "/tables/" in name for name in found)
