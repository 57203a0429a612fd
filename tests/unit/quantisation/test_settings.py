"""Parameters of a quantisation: what is refused, in one line with the key."""

import pytest

from nnrd.core.errors import UserError
from nnrd.quantisation.settings import AccuracyControl, Ignored, Settings

NNCF = {"backend": "nncf_openvino"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "'backend' is missing"),
        ({"backend": "ort_statik"}, "did you mean ort_static"),
        ({"backend": 3}, "backend: 3 is not"),
        (NNCF | {"preset": "fast"}, "preset: 'fast' is none of performance, mixed"),
        (NNCF | {"subset_size": 0}, "subset_size: 0 is below 1"),
        (NNCF | {"subset_size": 10**7}, "subset_size: 10000000 is above"),
        (NNCF | {"subset_size": 1.5}, "subset_size: 1.5 is not an integer"),
        (NNCF | {"per_channel": "yes"}, "per_channel: 'yes' is not"),
        (NNCF | {"per_chanel": True}, "did you mean per_channel"),
        (NNCF | {"ignored": {"name": ["a"]}}, "ignored: unknown key 'name'"),
        (NNCF | {"ignored": {"names": "a"}}, "ignored.names: 'a' is not a list"),
        (NNCF | {"accuracy_control": {}}, "accuracy_control: 'max_drop' is missing"),
        (NNCF | {"accuracy_control": {"max_drop": -1}}, "max_drop: -1 is below 0"),
        (
            NNCF | {"accuracy_control": {"max_drop": 1, "max_iterations": 0}},
            "max_iterations: 0 is below 1",
        ),
        (
            {"backend": "ort_static", "accuracy_control": {"max_drop": 1}},
            "accuracy_control: backend ort_static has none; nncf_onnx and nncf_openvino have",
        ),
        (
            {"backend": "ort_dynamic", "preset": "mixed"},
            "preset: backend ort_dynamic ignores it: leave it out",
        ),
        ({"backend": "ort_static", "preset": "mixed"}, "preset: backend ort_static ignores it"),
        ({"backend": "ort_dynamic", "subset_size": 3}, "subset_size: backend ort_dynamic ignores"),
    ],
)
def test_what_is_refused(given, says):
    with pytest.raises(UserError, match=r"^[^\n]+$") as caught:
        Settings.of(given)
    assert says in str(caught.value)


def test_what_is_given_and_what_is_not():
    plain = Settings.of(NNCF)
    assert plain == Settings("nncf_openvino", "performance", 300, True, Ignored(), None)
    control = {"max_drop": 1, "ranking_subset_size": 20, "max_iterations": 2}
    full = Settings.of(
        NNCF
        | {"preset": "mixed", "subset_size": 8, "per_channel": False, "accuracy_control": control}
        | {"ignored": {"names": ["a", "b"], "types": ["LSTMSequence"]}}
    )
    assert full.ignored == Ignored(("a", "b"), ("LSTMSequence",))
    assert full.accuracy_control == AccuracyControl(1, 20, 2)
    assert (full.preset, full.subset_size, full.per_channel) == ("mixed", 8, False)
