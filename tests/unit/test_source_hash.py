"""A job's hash changes with the code it can reach, and with no other."""

import pytest

from nnrd import UserError
from nnrd.study import source_hash

FILES = {
    "program.py": "from nnrd import first\nfirst.f()\n",
    "nnrd/__init__.py": "",
    "nnrd/first.py": "from nnrd.second import g\n\n\ndef f():\n    g()\n",
    "nnrd/second.py": "def g():\n    pass\n",
    "nnrd/third.py": "THIRD = 3\n",
    "nnrd/late/__init__.py": "import nnrd.third\n",
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(source_hash, "ROOT", tmp_path)
    return tmp_path


def fresh(*arguments):
    for cached in ("_meaning", "_tree", "_closure", "_file"):
        getattr(source_hash, cached).cache_clear()
    return source_hash.source_hash(*arguments)


@pytest.mark.parametrize(
    ("file", "text", "modules", "changes"),
    [
        ("program.py", "x = 1", [], True),
        ("nnrd/first.py", "x = 1", [], True),
        ("nnrd/second.py", "x = 1", [], True),
        ("nnrd/third.py", "x = 1", [], False),
        ("nnrd/third.py", "x = 1", ["nnrd.late"], True),
        ("nnrd/second.py", "# a comment", [], False),
        ("nnrd/second.py", "\n\n", [], False),
    ],
)
def test_edit(root, file, text, modules, changes):
    before = fresh("program", *modules)
    (root / file).write_text(FILES[file] + text + "\n")
    assert (fresh("program", *modules) != before) is changes


def test_module_of_a_plug_in_counts(root, tmp_path, monkeypatch):
    (tmp_path / "plugin_codec.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = fresh("program", "plugin_codec")
    (tmp_path / "plugin_codec.py").write_text("A = 2\n")
    assert fresh("program", "plugin_codec") != before


@pytest.mark.parametrize("arguments", [("missing",), ("program", "nnrd.missing")])
def test_what_does_not_exist_is_an_error(root, arguments):
    with pytest.raises(UserError, match="no such"):
        fresh(*arguments)
