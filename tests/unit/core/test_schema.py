"""What no value may be, whatever the schema, and messages that stay short."""

import time

import pytest
import yaml

from nnrd import codecs
from nnrd.core import schema as schemas
from nnrd.core.schema import MAX_DEPTH, MAX_VALUES, first_mistake, fits_plainly


def bomb(width=9, levels=12, mapping=False):
    """Return YAML of which each line repeats the line before several times."""
    lines = ["a0: &a0 [x]"]
    for level in range(1, levels):
        parts = [f"*a{level - 1}"] * width
        body = ", ".join(f"k{i}: {p}" if mapping else p for i, p in enumerate(parts))
        lines.append(
            f"a{level}: &a{level} {{{body}}}" if mapping else f"a{level}: &a{level} [{body}]"
        )
    return yaml.safe_load("\n".join(lines))


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"k": value}
    return value


@pytest.mark.parametrize(
    ("value", "place", "said"),
    [
        (bomb(), "a11[8][8]", f"more than {MAX_VALUES} values"),
        (bomb(mapping=True), "a11.k8.k8", f"more than {MAX_VALUES} values"),
        ({"run": ["a"], "qp": [0] * MAX_VALUES}, "qp", f"more than {MAX_VALUES} values"),
        ({str(i): 0 for i in range(MAX_VALUES)}, "", f"more than {MAX_VALUES} values"),
        (yaml.safe_load("a: &a [*a]"), "a[0][0]", "is nested deeper"),
        (nested(MAX_DEPTH + 1), "k.k.k", f"is nested deeper than {MAX_DEPTH}"),
        (nested(5000), "k.k.k", "is nested deeper"),
        ({"a": {1: 2}}, "a", "the key 1 is no text"),
        ({"a": ["x", "y\0z"]}, "a[1]", "a NUL character"),
        ({"a": 2**63}, "a", "an integer of more than 64 bits"),
    ],
)
def test_what_no_value_may_be(value, place, said):
    start = time.process_time()
    path, reason = first_mistake({}, value)
    assert path == place and said in reason
    assert time.process_time() - start < 2


def test_what_a_large_configuration_may_be():
    assert first_mistake({}, {"qp": list(range(30_000)), "k": nested(MAX_DEPTH - 2)}) is None


@pytest.mark.parametrize(
    "schema",
    [{"type": "integer"}, {"enum": ["a"]}, {"pattern": "^a"}, {"maxLength": 3}, {"const": "a"}],
)
def test_a_long_value_makes_no_long_message(schema):
    path, reason = first_mistake(schema, "9" * 5000)
    assert path == "" and len(reason) < 250


VALUES = [0, 1, 2, -38, 300, 2.0, -1.5, float("nan"), True, False, None, "", "exact", "x", [], {}]
ODD = [5, None, [1], "qp", {}, {"unknown": 1}]
OWN = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "number", "minimum": 0}, "b": {"pattern": "x", "type": "string"}},
}
SCHEMAS = {name: codecs.parameter_schema(name) for name in codecs.available()} | {"own": OWN}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_fits_plainly_is_what_json_schema_lets_pass(name):
    """Whatever is said to fit does; and what jobs are given mostly is said to."""
    schema = SCHEMAS[name]
    keys = [*schema["properties"], "unknown"]
    cases = [*ODD, *({key: value} for key in keys for value in VALUES)]
    cases += [{keys[0]: a, keys[-1]: b} for a in VALUES for b in VALUES]
    fitting = [case for case in cases if fits_plainly(schema, case)]
    checker = schemas._validator()(schema)
    assert fitting and all(checker.is_valid(case) for case in fitting)


@pytest.mark.parametrize("given", [{}, {"qp": -38}, {"qp": -10, "use_dq": True, "coder": "native"}])
def test_a_job_s_parameters_fit_plainly(given):
    assert fits_plainly(codecs.parameter_schema("nnc"), given)
