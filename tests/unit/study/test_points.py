"""Paths are a pure function of the point."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnrd.study import paths
from nnrd.study.points import (
    Anchor,
    Operation,
    Selection,
    Split,
    at,
    combinations,
    slug,
)

scalars = st.one_of(
    st.integers(-4096, 4095),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["exact", "a-b", "1", "1.0", "1e-05", "true", "a/b", "", "ü", "a,b=1", "x" * 90]
    ),
)
values = st.one_of(scalars, st.dictionaries(st.text(max_size=3), scalars, max_size=2))
names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
parameters = st.dictionaries(names, values, max_size=5)


def same(one, two):
    return json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)


@given(parameters, parameters)
def test_other_parameters_have_another_path(one, two):
    assert (slug(one) == slug(two)) is same(one, two)
    for written in (slug(one), slug(two)):
        assert re.fullmatch(r"[A-Za-z0-9_.,=+-]{1,100}", written)


@pytest.mark.parametrize(
    ("one", "two"),
    [({"a": 1}, {"a": "1"}), ({"a": True}, {"a": "true"}), ({"a": 1.0}, {"a": "1.0"})],
)
def test_values_that_are_written_alike_have_other_paths(one, two):
    assert slug(one) != slug(two)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "default"),
        ({"qp": -38, "use_dq": True}, "qp=-38,use_dq=true"),
        ({"lambda_scale": 1e-5}, "lambda_scale=1e-05"),
        ({"qp": -38, "qp_per_tensor": {"w": -20}}, "qp=-38,hash"),
        ({"nonweight_qp": None, "qp": 1}, "qp=1,hash"),
    ],
)
def test_what_a_path_says_of_parameters(given, path):
    assert re.sub("hash-[0-9a-f]{10}", "hash", slug(given)) == path


def test_parameters_have_one_path_whatever_their_order():
    assert slug({"qp": -38, "use_dq": True}) == slug({"use_dq": True, "qp": -38})
    assert slug({"use_dq": True, "qp": -38}) == "qp=-38,use_dq=true"


@pytest.mark.parametrize(
    ("split", "name"),
    [
        (Split(rank=10), "rank10"),
        (Split(name="node_add_4"), "before-node_add_4"),
        (
            Split(name="/layer1/layer1.0/relu/Relu", where="after"),
            "after-layer1_layer1.0_relu_Relu-c14520",
        ),
    ],
)
def test_split_has_a_name_for_paths(split, name):
    assert split.id == name


@pytest.mark.parametrize(
    ("one", "two"),
    [("/a/b", "/a_b"), ("a/b", "a_b"), ("_a", "a"), ("a:0", "a_0"), ("x" * 200, "x" * 201)],
)
def test_other_names_have_other_paths(one, two):
    ids = [Split(name=name).id for name in (one, two)]
    assert ids[0] != ids[1] and all(re.fullmatch("[A-Za-z0-9_.-]{1,100}", name) for name in ids)


def test_folders():
    assert Anchor("m", Selection("d", 3), "onnx").folder == "anchor/m/d/onnx"
    assert Anchor("m", Selection("d", 3, items=3), "torch").folder == "anchor/m/d-3/torch"
    assert Operation("nnc", {"qp": -4}).id == "nnc/qp=-4"
    assert Operation("raw").id == "raw/default"
    where = {"model": "m", "data": "d", "split": "rank3"}
    assert paths.fill(paths.FEATURES, part1="", **where) == "features/m/d/rank3"
    assert paths.fill(paths.FEATURES, part1=at("cpu"), **where) == "features/m/d/rank3@cpu"


@pytest.mark.parametrize(
    ("items", "size", "count"), [(1, 50, 1), (50, 50, 1), (51, 50, 2), (5000, 50, 100)]
)
def test_shards(items, size, count):
    names = Selection("d", items, shard_size=size).shards
    assert len(names) == count and names[-1] == f"{count - 1}-of-{count}"


def test_another_number_of_items_is_another_selection():
    """So a study of fewer items does not make another's results anew."""
    ids = [Selection("d", 40, items=40).id, Selection("d", 41, items=41).id, Selection("d", 99).id]
    assert ids == ["d-40", "d-41", "d"]


def test_a_cut_at_tensors_has_a_name_for_paths():
    split, same = Split(tensors=("/fpn/p3", "/fpn/p4")), Split(tensors=("/fpn/p4", "/fpn/p3"))
    assert split.id == same.id and split.id.startswith("at-fpn_p3_fpn_p4-")
    assert split.id != Split(tensors=("/fpn_p3", "/fpn/p4")).id
    long = Split(tensors=tuple(f"/tensor/{number}" for number in range(90)))
    assert len(long.id) < 100


def test_another_seed_is_another_selection():
    assert Selection("d", 40, items=40, seed=3).id == "d-40-seed3"
    assert Selection("d", 40, seed=3).id == "d"  # all are all


def test_combinations_keep_the_lists_order():
    found = combinations({"qp": [-38, 0], "use_dq": True})
    assert found == [{"qp": -38, "use_dq": True}, {"qp": 0, "use_dq": True}]
