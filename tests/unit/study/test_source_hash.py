"""A job's hash changes with the code it can reach, and with no other."""

import time
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.study import source_hash as module
from nnrd.study.source_hash import ROOT, Sources

FILES = {
    "nnrd/__init__.py": "",
    "nnrd/main.py": '''"""Words."""
import argparse, sys, warnings
import matplotlib
import numpy as np
import pandas as pd
from typing import TYPE_CHECKING
import nnrd.tools as tools
from nnrd import passed
from nnrd.pack import load, other as renamed
from nnrd.stars import *
from nnrd.loop import ping
if TYPE_CHECKING:
    from nnrd.types import Hint
matplotlib.use("Agg")
USED = 1
UNUSED = 1
try:
    from nnrd.fast import quick
except ImportError:
    quick = None
def message(): return "m"
def lower(x): return x
def decorated(f): return f
def run(x: "Hint", y=USED) -> int:
    """Words."""
    # comment
    if x:
        raise ValueError(message(), "raised")
    print("printed", message())
    print("kept", file=x.file)
    warnings.warn("warned")
    assert x, "asserted"
    parser = argparse.ArgumentParser(description="described")
    parser.add_argument("--x", help="helped", default=3)
    from nnrd.late import late as l
    count: int = 5
    sys.exit("left")
    return load(), tools.f(), use(passed), star(), quick, l(), ping(), C(), np, given(x)
def use(m): return m
@decorated
def given(x): return [lower for lower in x]
class C:
    """Words."""
    size: int = 1
    def method(self): return 1
def unrelated(): return pd
if __name__ == "__main__":
    sys.exit(unrelated())
''',
    "nnrd/pack/__init__.py": "from nnrd.pack.files import load\nfrom nnrd.pack.rest import other\n",
    "nnrd/pack/files.py": "def load(): return 1\ndef store(): return 1\n",
    "nnrd/pack/rest.py": "def other(): return 1\n",
    "nnrd/tools.py": "def f(): return 1\ndef g(): return 1\n",
    "nnrd/passed.py": "def any(): return 1\n",
    "nnrd/stars.py": "def star(): return 1\ndef twinkle(): return 1\n",
    "nnrd/loop.py": "from nnrd.pool import pong\ndef ping(): return pong()\n",
    "nnrd/pool.py": "from nnrd.loop import ping\ndef pong(): return ping() + 1\n",
    "nnrd/types.py": "class Hint: pass\n",
    "nnrd/fast.py": "def quick(): return 1\n",
    "nnrd/late.py": "def late(): return 1\ndef later(): return 1\n",
}
MAIN = "nnrd/main.py"
EDITS = [
    (MAIN, '    """Words."""\n    #', '    """Other."""\n    #', False),
    (MAIN, '"""Words."""\nimport', '"""Other."""\nimport', False),
    (MAIN, '    """Words."""\n    size', "    size", False),
    (MAIN, "# comment", "# other\n\n", False),
    (MAIN, '"raised"', '"other"', False),
    (MAIN, "raise ValueError", "raise KeyError", True),
    (MAIN, '"printed"', '"other"', False),
    (MAIN, '"kept"', '"other"', True),
    (MAIN, '"warned"', '"other"', False),
    (MAIN, '"asserted"', '"other"', False),
    (MAIN, "assert x", "assert not x", True),
    (MAIN, '"described"', '"other"', False),
    (MAIN, '"helped"', '"other"', False),
    (MAIN, "default=3", "default=4", True),
    (MAIN, '"left"', '"other"', False),
    (MAIN, 'return "m"', 'return "n"', False),
    (MAIN, "USED = 1\nUN", "USED = 2\nUN", True),
    (MAIN, "UNUSED = 1", "UNUSED = 2", False),
    (MAIN, "y=USED", "y=2", True),
    (MAIN, "-> int", "-> float", False),
    (MAIN, 'x: "Hint"', "x: int", False),
    (MAIN, "count: int", "count: float", False),
    (MAIN, "count: int = 5", "count: int = 6", True),
    (MAIN, "size: int", "size: float", True),
    (MAIN, "method(self): return 1", "method(self): return 2", True),
    (MAIN, "decorated(f): return f", "decorated(f): return 2", True),
    (MAIN, "lower(x): return x", "lower(x): return 2", False),
    (MAIN, '"Agg"', '"PDF"', True),
    (MAIN, "quick = None", "quick = 0", True),
    (MAIN, "def unrelated(): return pd", "def unrelated(): return 0", False),
    (MAIN, "sys.exit(unrelated())", "sys.exit(0)", False),
    (MAIN, ", other as renamed", "", False),
    (MAIN, "import load, other as renamed", "import other as load", True),
    ("nnrd/pack/__init__.py", "pack.files import load", "pack.rest import other as load", True),
    ("nnrd/pack/__init__.py", "from nnrd.pack.rest import other\n", "", False),
    ("nnrd/pack/__init__.py", "other\n", "other\nprint\nrun()\n", True),
    ("nnrd/pack/files.py", "load(): return 1", "load(): return 2", True),
    ("nnrd/pack/files.py", "store(): return 1", "store(): return 2", False),
    ("nnrd/pack/rest.py", "1", "2", False),
    ("nnrd/tools.py", "f(): return 1", "f(): return 2", True),
    ("nnrd/tools.py", "g(): return 1", "g(): return 2", False),
    ("nnrd/passed.py", "1", "2", True),
    ("nnrd/stars.py", "twinkle(): return 1", "twinkle(): return 2", True),
    ("nnrd/pool.py", "+ 1", "+ 2", True),
    ("nnrd/types.py", "pass", "x = 1", False),
    ("nnrd/fast.py", "1", "2", True),
    ("nnrd/late.py", "late(): return 1", "late(): return 2", True),
    ("nnrd/late.py", "later(): return 1", "later(): return 2", False),
]


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(("file", "old", "new", "changes"), EDITS)
def test_edit(root, file, old, new, changes):
    before = Sources(root).hash("nnrd.main:run")
    assert FILES[file].count(old) >= 1
    (root / file).write_text(FILES[file].replace(old, new, 1))
    assert (Sources(root).hash("nnrd.main:run") != before) is changes


@pytest.mark.parametrize(("name", "changes"), [("numpy", True), ("pandas", False)])
def test_version(root, monkeypatch, name, changes):
    before = Sources(root).hash("nnrd.main")
    real = module.installed
    monkeypatch.setattr(module, "installed", lambda x: f"{x}==0" if x == name else real(x))
    assert (Sources(root).hash("nnrd.main") != before) is changes


@pytest.mark.parametrize(("stage", "changes"), [("nnrd.a:f", True), ("nnrd.a:g", False)])
def test_version_of_nncodec_counts_where_it_is_reached(root, monkeypatch, stage, changes):
    (root / "nnrd/a.py").write_text("import nncodec\ndef f(): return nncodec.x\ndef g(): pass\n")
    found = set()
    for number in "12":
        monkeypatch.setattr(module, "installed", lambda x, number=number: f"{x}=={number}")
        found.add(Sources(root).hash(stage))
    assert (len(found) == 2) is changes


@pytest.mark.parametrize("file", ["plug/a.py", "plug/b.py", "nnrd/tools.py", "version"])
def test_all_of_a_plug_in_counts(root, monkeypatch, file):
    (root / "plug").mkdir()
    (root / "plug/__init__.py").write_text("")
    (root / "plug/a.py").write_text("from nnrd.tools import f\nA = f(1)\n")
    (root / "plug/b.py").write_text("B = 1\n")
    monkeypatch.syspath_prepend(root)
    monkeypatch.setattr(module, "distributions", lambda: {"plug": ["Plug"]})
    monkeypatch.setattr(module.metadata, "version", lambda _: "1")
    before = Sources(root).hash("plug.a:A")
    if file == "version":
        monkeypatch.setattr(module.metadata, "version", lambda _: "2")
    else:
        (root / file).write_text((root / file).read_text().replace("1", "2"))
    assert Sources(root).hash("plug.a:A") != before


def test_neighbour_of_a_plug_in_without_a_distribution(root, monkeypatch):
    (root / "plug_one.py").write_text("import plug_two\n")
    (root / "plug_two.py").write_text("B = 1\n")
    monkeypatch.syspath_prepend(root)
    before = Sources(root).hash("plug_one")
    (root / "plug_two.py").write_text("B = 2\n")
    assert Sources(root).hash("plug_one") != before


@pytest.mark.parametrize("name", ["nnrd.missing", "nnrd.main:missing", "missing_plug_in"])
def test_what_does_not_exist_is_an_error(root, name):
    with pytest.raises(UserError, match="no such"):
        Sources(root).hash(name)


def test_syntax_error_is_one_line(root):
    (root / "nnrd/tools.py").write_text("x = 1\ndef\n")
    with pytest.raises(UserError, match=r"tools\.py:2: "):
        Sources(root).hash("nnrd.main:run")


METHODS = """
from nnrd.tools import f
class Base:
    def load(self): return self.build()
    def run(self): return 1
class Model(Base):
    size = 1
    def build(self): return self.helper()
    def helper(self): return f(2)
    def predict(self): return 3
"""


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("return f(2)", "return f(4)", True),  # reached over the base
        ("return self.build()", "return [self.build()]", True),
        ("size = 1", "size = 2", True),
        ("return 3", "return 4", False),
        ("return 1", "return 2", False),
    ],
)
def test_some_methods_of_a_class(root, old, new, changes):
    (root / "nnrd/model.py").write_text(METHODS)
    before = Sources(root).hash("nnrd.model:Model.load")
    (root / "nnrd/model.py").write_text(METHODS.replace(old, new))
    assert (Sources(root).hash("nnrd.model:Model.load") != before) is changes


def test_a_module_that_its_package_imports(root):
    (root / "nnrd/pack/__init__.py").write_text("from nnrd.pack import own\ndef g(): own.h()\n")
    (root / "nnrd/pack/own.py").write_text("def h(): return 1\n")
    before = Sources(root).hash("nnrd.pack:g")
    (root / "nnrd/pack/own.py").write_text("def h(): return 2\n")
    assert Sources(root).hash("nnrd.pack:g") != before


def test_the_sources_of_a_compiled_module(root):
    (root / "nnrd/fast.py").write_text("from nnrd import _native\ndef f(): return _native.g()\n")
    (root / "nnrd/native").mkdir()
    found = set()
    for text in ("int g() { return 1; }", "int g() { return 2; }"):
        (root / "nnrd/native/g.cpp").write_text(text)
        found.add(Sources(root).hash("nnrd.fast:f"))
    assert len(found) == 2


def test_every_module_of_nnrd_is_hashed_fast():
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in sorted(Path(ROOT, "nnrd").rglob("*.py"))
    ]
    start = time.process_time()
    sources = Sources(ROOT)
    assert all(len(sources.hash(name)) == 12 for name in names)
    assert time.process_time() - start < 5
