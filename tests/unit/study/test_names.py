"""A name that passes its schema passes the workflow's wildcards, and the other way round."""

import re
from pathlib import Path

import pytest

from nnrd.core import sheets
from nnrd.core.schema import first_mistake
from nnrd.study import paths

COMMON = (Path(__file__).parents[3] / "workflow/rules/common.smk").read_text()
PATTERNS = paths.name_patterns()
DATA = re.search(r'data="(.*)"', COMMON).group(1)


def rule(name):
    """The schema of a name, as the sheets and the configuration are checked against."""
    if name == "study":
        return sheets.schema("config")["properties"]["studies"]["propertyNames"]
    sheet = "datasets" if name == "data" else f"{name}s"
    return sheets.schema(sheet)["properties"][{"data": "dataset"}.get(name, name)]


NAMES = ["asset", "model", "study", "data"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["a", "my-name", "A_1", "1", "a-b-c", "ab" * 10 + "c" * 19])
def test_a_good_name_passes_both(name, value):
    assert first_mistake(rule(name), value) is None
    assert re.fullmatch(PATTERNS.get(name, DATA), value)


@pytest.mark.fault("hostile: a name")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "$(touch pwned)",
        "a;b",
        "a'b",
        "",
        "a\n",
        "-a",
        "a b",
        "a/b",
        "a.b",
        "ä",
        "..",
        "a" * 65,
        "ab-" * 100,
    ],
)
def test_a_bad_name_passes_neither(name, value):
    assert first_mistake(rule(name), value)
    if name != "data":  # whose wildcard has the number of items, too
        assert not re.fullmatch(PATTERNS[name], value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["a" * 20, "b" + "a" * 20, "ab" * 20, "abc" * 20])
def test_a_name_that_snakemake_takes_for_a_recursion_is_refused(name, value):
    _, reason = first_mistake(rule(name), value)
    assert "ends in 20 repetitions" in reason


@pytest.mark.parametrize("value", ["a-5", "a-5-b", "my-50"])
def test_a_dataset_cannot_have_the_name_of_items_of_another(value):
    assert first_mistake(rule("data"), value)


def test_the_rules_take_their_names_from_the_schemas():
    for name in PATTERNS:
        assert f'{name}=NAMES["{name}"],' in COMMON
