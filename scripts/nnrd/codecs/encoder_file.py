"""Encoder configuration files: JSON with the keys of NNCodec's ``compress``.

3GPP TR 26.847 calls such a file ``enc_cfg_file_name``.
"""

from pathlib import Path
from typing import Any

from nnrd.codecs.nnc import Codec
from nnrd.core.errors import UserError
from nnrd.core.files import read_json
from nnrd.core.schema import unknown

CODEC, KEY = "nnc", "enc_cfg_file"
CODED = tuple(Codec.properties)
# NNCodec's names for what looks at data, or changes the tensors before they are coded.
TOOLS = {
    "ioq": "inference-optimised quantisation",
    "bnf": "batch-norm folding",
    "lsa": "local scaling adaptation",
    "fine_tune": "fine-tuning",
    "tca": "temporal context adaptation",
    "hdsp_tool": "history-dependent significance probability",
    "int_quant_bw": "integer quantisation",
    "compress_differences": "differences to a base model",
    "scan_order": "block scanning",
}


def read(path: str | Path) -> dict[str, Any]:
    """Return the parameters of codec ``nnc`` in an encoder configuration file.

    A list gives several operating points, as in the YAML. Raises UserError, one line: no JSON
    object, an unknown key, a tool that is switched on and not supported yet.
    """
    given = read_json(path)
    if not isinstance(given, dict):
        raise UserError(f"{path}: not a JSON object")
    for key, value in given.items():
        if key in TOOLS and value:
            raise UserError(f"{path}: {key}: {TOOLS[key]} is not yet supported; set it to false")
        if key not in CODED and key not in TOOLS:
            raise UserError(f"{path}: {unknown('key', key, [*CODED, *TOOLS])}")
    return {key: value for key, value in given.items() if key in CODED and value is not None}
