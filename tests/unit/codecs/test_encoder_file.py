"""Encoder configuration files are taken as NNCodec takes their keys."""

import inspect
import json

import numpy as np
import pytest

from nnrd import UserError, codecs
from nnrd.codecs import encoder_file

TENSORS = {
    "w": np.random.default_rng(0).normal(size=(8, 9)).astype(np.float32),
    "b": np.random.default_rng(1).normal(size=9).astype(np.float32),
}


def read(folder, content):
    path = folder / "enc_cfg.json"
    path.write_text(json.dumps(content))
    return encoder_file.read(path)


@pytest.mark.parametrize("function", ["compress", "compress_model"])
def test_every_key_of_nncodec_is_known(function, tmp_path):
    import nncodec.nnc

    parameters = inspect.signature(getattr(nncodec.nnc, function)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
    found = read(tmp_path, defaults)
    assert found == {
        "qp": -38,
        "qp_density": 2,
        "nonweight_qp": -75,
        "use_dq": True,
        "codebook_mode": 0,
        "lambda_scale": 0,
        "param_opt": True,
        "cabac_unary_length_minus1": 10,
        "opt_qp": False,
        "row_skipping": False,
    }
    codecs.check("nnc", found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"verbose": True, "bitstream_path": "b.nnc", "epochs": 30, "learning_rate": 1e-4}, {}),
        ({"use_dq": 1, "opt_qp": 0, "lsa": 0}, {"use_dq": True, "opt_qp": False}),
        ({"use_dq": [0, 1, True]}, {"use_dq": [False, True, True]}),
        ({"nonweight_qp": None}, {"nonweight_qp": 0}),
        ({"nonweight_qp": [None, -75]}, {"nonweight_qp": [0, -75]}),
        ({"qp_per_tensor": None, "hdsp_tool": None, "model": None}, {}),
        ({"codebook_mode": 1, "qp": 1}, {"codebook_mode": 1, "qp": 1}),
    ],
    ids=str,
)
def test_keys_are_taken_as_nncodec_takes_them(tmp_path, content, expected):
    found = read(tmp_path, content)
    assert found == expected
    assert json.dumps(found) == json.dumps(expected)  # 1 is not true


@pytest.mark.parametrize(
    "content",
    [
        {"nonweight_qp": None, "qp": -30},
        {"nonweight_qp": None, "qp": -30, "qp_density": 3, "use_dq": 0, "verbose": 0},
        {"use_dq": 1, "param_opt": 0, "epochs": 3},
    ],
    ids=str,
)
def test_the_stream_is_nncodecs_with_the_same_file(tmp_path, content):
    from nncodec import nnc

    from nnrd.codecs import container

    given = {key: value for key, value in content.items() if key != "epochs"}
    ours = codecs.make("nnc", **read(tmp_path, content)).encode(
        {"0": TENSORS["w"], "1": TENSORS["b"]}
    )
    theirs = nnc.compress(
        {"0": TENSORS["w"], "1": TENSORS["b"]}, bitstream_path=None, return_bitstream=True, **given
    )
    assert bytes(container.read(ours).payload) == bytes(theirs)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"lsa": 1}, "lsa: local scaling adaptation is not yet supported; set it to false"),
        ({"device_id": 3}, "device_id: several devices is not yet supported"),
        ({"epoch": 3}, "unknown key 'epoch'; did you mean epochs"),
    ],
)
def test_what_changes_the_stream_otherwise_is_refused(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, content)


def test_a_key_is_given_once(tmp_path):
    (tmp_path / "cfg.json").write_text('{"qp": -38, "use_dq": true, "qp": -20}')
    with pytest.raises(UserError, match=r"cfg\.json: key 'qp' is given twice"):
        encoder_file.read(tmp_path / "cfg.json")
