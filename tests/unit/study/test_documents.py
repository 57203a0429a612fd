"""The documents name what there is."""

import re
from pathlib import Path

import pytest

from nnrd import codecs
from nnrd.core import sheets

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = (ROOT / "config/README.md").read_text()


def keys(schema, prefix=""):
    """Yield every key of a schema, as the reference writes it."""
    for name, rule in schema.get("properties", {}).items():
        yield prefix + name
        yield from keys(rule, f"{prefix}{name}.")
        yield from keys(rule.get("items", {}), f"{prefix}{name}[].")


def config_keys():
    schema = sheets.schema("config")
    found = [key for key in keys(schema) if key not in ("studies", "sheets")]
    for kind in schema["$defs"].values():
        found += keys(kind)
    return set(found)


@pytest.mark.parametrize("key", sorted(config_keys()))
def test_reference_names_every_key_of_the_configuration(key):
    assert f"| `{key}` |" in REFERENCE


@pytest.mark.parametrize("sheet", ["assets", "models", "datasets"])
def test_reference_names_every_column(sheet):
    section = REFERENCE.split(f"## {sheet}.tsv")[1].split("\n## ")[0]
    missing = [c for c in sheets.schema(sheet)["properties"] if f"| `{c}` |" not in section]
    assert not missing


def test_readme_names_every_codec():
    readme = (ROOT / "README.md").read_text()
    assert not [name for name in codecs.available() if f"`{name}`" not in readme]


def test_readme_names_programs_and_targets_that_exist():
    text = (ROOT / "README.md").read_text()
    for program in re.findall(r"scripts/(\w+)\.py", text):
        assert (ROOT / f"scripts/{program}.py").is_file(), program
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make (\w[\w-]*)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
