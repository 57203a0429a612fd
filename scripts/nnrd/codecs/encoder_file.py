"""Encoder configuration files: JSON with the keys of NNCodec's ``compress``.

3GPP TR 26.847 calls such a file ``enc_cfg_file_name``.
"""

from pathlib import Path
from typing import Any

from nnrd.codecs.nnc import Codec
from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.core.schema import beyond_bounds, unknown
from nnrd.core.written import json_once

CODEC, KEY = "nnc", "enc_cfg_file"
CODED = tuple(Codec.properties)
SWITCHES = tuple(key for key, schema in Codec.properties.items() if schema.get("type") == "boolean")
# NNCodec's names for what looks at data, changes the tensors or writes another kind of stream.
TOOLS = {
    "ioq": "inference-optimised quantisation",
    "bnf": "batch-norm folding",
    "bnf_mapping": "batch-norm folding",
    "lsa": "local scaling adaptation",
    "fine_tune": "fine-tuning",
    "tca": "temporal context adaptation",
    "hdsp_tool": "history-dependent significance probability",
    "int_quant_bw": "integer quantisation",
    "compress_differences": "differences to a base model",
    "approx_param_base": "differences to a base model",
    "update_base_param": "differences to a base model",
    "pre_signalling": "signalling before the tensors",
    "device_id": "several devices",
    "scan_order": "block scanning",
    "quantize_only": "quantising without coding",
    "block_id_and_param_type": "block identifiers",
}
# NNCodec's keys that change no byte here: where files lie, what is said or returned, and how the
# tools above train and evaluate.
WITHOUT_EFFECT = (
    *("bitstream_path", "verbose", "return_bitstream", "return_model_data", "wandb_logging"),
    *("model", "model_name", "model_struct", "model_executer", "dataset_path", "use_case"),
    *("learning_rate", "batch_size", "epochs", "max_batches", "num_workers"),
)


def read(path: str | Path) -> dict[str, Any]:
    """Return the parameters of codec ``nnc`` in an encoder configuration file.

    Keys are taken as NNCodec 2.1.3 takes them: those of its ``compress`` and ``compress_model``,
    0 and 1 for switches, and ``nonweight_qp: null`` for qp − 2^(qp_density + 1). A list gives
    several operating points, as in the YAML. Raises UserError, one line: no JSON object, an
    unknown key or one given twice, a tool that is switched on and not supported yet.
    """
    given = read_json(path, json_once)
    if not isinstance(given, dict):
        raise UserError(f"{path}: not a JSON object")
    mistake = beyond_bounds(given)
    if mistake:
        raise UserError(f"{path}: {mistake[0]}: {mistake[1]}")
    for key, value in given.items():
        if key in TOOLS and value:
            raise UserError(f"{path}: {key}: {TOOLS[key]} is not yet supported; set it to false")
        if key not in (*CODED, *TOOLS, *WITHOUT_EFFECT):
            raise UserError(f"{path}: {unknown('key', key, [*CODED, *TOOLS, *WITHOUT_EFFECT])}")
    coded = {key: _taken(key, value) for key, value in given.items() if key in CODED}
    return {key: value for key, value in coded.items() if value is not None}


def _taken(key: str, value: Any) -> Any:
    """Return a value, or each of a list, as the codec's parameter; None where it says nothing."""
    if isinstance(value, list):
        return [_taken(key, each) for each in value]
    if key in SWITCHES and value in (0, 1):
        return bool(value)
    if key == "nonweight_qp" and value is None:
        return 0  # NNCodec takes 0 and null alike, and a path has no null
    return value
