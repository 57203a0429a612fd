"""The versions of packages, which every job writes down."""

import os
import subprocess
import sys
from importlib import metadata

import pytest

from nnrd.core import packages


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return a folder that packages are looked for in before all others."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for function in (packages.installed, packages._folders):
        function.cache_clear()
    yield tmp_path
    for function in (packages.installed, packages._folders):
        function.cache_clear()


@pytest.mark.parametrize("name", packages.RESULT_PACKAGES)
def test_versions_are_those_that_python_says(name, path):
    known = {d.name: d.version for d in metadata.distributions()}
    known = {packages._normal(name): version for name, version in known.items()}
    names = (n for n in packages.RESULT_PACKAGES[name] if packages._normal(n) in known)
    first = next(names, None)
    expected = f"{first}=={known[packages._normal(first)]}" if first else None
    assert packages.installed(name) == expected


@pytest.mark.parametrize("folder", ["numpy-9.8.7.dist-info", "NumPy-9.8.7.dist-info"])
def test_the_first_on_the_path_counts(path, folder):
    (path / folder).mkdir()
    assert packages.installed("numpy") == "numpy==9.8.7"


def test_a_package_that_is_recorded_otherwise_is_found(path, monkeypatch):
    monkeypatch.setitem(packages.RESULT_PACKAGES, "odd", ("odd-one", "other"))
    (path / "odd_one.egg-info").write_text("Metadata-Version: 2.1\nName: odd-one\nVersion: 1.2\n")
    assert packages.installed("odd") == "odd-one==1.2"


def test_packages_laid_beside_get_no_compiled_files(tmp_path):
    """What was fetched is verified file by file: a job's own files would not belong there."""
    (tmp_path / "wheel/found_beside").mkdir(parents=True)
    (tmp_path / "wheel/found_beside/__init__.py").write_text("HERE = True\n")
    code = (
        "import sys; from pathlib import Path; from nnrd.core.packages import lay_beside\n"
        "lay_beside(Path(sys.argv[1])); import found_beside; assert found_beside.HERE"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(words, check=True, env=plain)
    assert not list(tmp_path.rglob("__pycache__"))
