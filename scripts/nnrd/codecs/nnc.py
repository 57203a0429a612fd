"""Codec ``nnc``: ISO/IEC 15938-17 (NNC) by NNCodec, in nnrd's container."""

from typing import ClassVar

import numpy as np

from nnrd import nnc
from nnrd.codecs import base
from nnrd.codecs.qp import OPT_QP, QP_PROPERTIES, mistake_in_qp
from nnrd.core.errors import BitstreamError
from nnrd.nnc import coders


class Codec(base.Codec):
    """The payload is a standard stream; tensors are called 0, 1, … 9, a, … in base 36 there.

    Floats are coded as float32 with the loss that ``qp`` sets, integers without loss.
    """

    codes_integers = True
    properties: ClassVar = {
        **QP_PROPERTIES,
        **OPT_QP,
        "use_dq": {"type": "boolean", "description": "dependent (trellis-coded) quantisation"},
        "param_opt": {"type": "boolean", "description": "optimised initial context states"},
        "codebook_mode": {
            "enum": [0, 1, 2],
            "description": "codebooks: 0 never, 1 always, 2 where they are smaller",
        },
        "cabac_unary_length_minus1": {
            "type": "integer",
            "minimum": 0,
            "maximum": 255,
            "description": "context-coded greater-than flags of a value, minus 1",
        },
        "row_skipping": {"type": "boolean", "description": "rows of zeros cost one flag"},
        "lambda_scale": {
            "type": "number",
            "minimum": 0,
            "description": "weight of the rate in quantisation; 0 minimises the error alone",
        },
        "coder": {
            "enum": list(coders.NAMES),
            "description": "what computes the stream, which is the same; by default the faster",
        },
    }

    @property
    def coder(self) -> str:
        """``native``, or ``nncodec`` with its version."""
        return nnc.coder_in_use(self.parameters.get("coder"))

    @classmethod
    def validate(cls, parameters):
        """Check each qp against the range that its density leaves, and codebooks."""
        # A codebook rules DQ out, for which a step half as large makes up.
        finer = bool(parameters.get("codebook_mode")) and parameters.get("use_dq", True)
        return mistake_in_qp(parameters, finer=finer)

    def compress(self, tensors, names, workers):
        """Return the stream."""
        ids = {name: np.base_repr(index, 36).lower() for index, name in enumerate(names)}
        options = {k: v for k, v in self.parameters.items() if k != "nonfinite"}
        if "qp_per_tensor" in options:
            options["qp_per_tensor"] = {
                ids[name]: qp for name, qp in options["qp_per_tensor"].items() if name in ids
            }
        return nnc.encode(dict(zip(ids.values(), tensors, strict=True)), workers=workers, **options)

    def expand(self, payload, entries, parameters, workers):
        """Return the tensors of the stream."""
        # What is more than the entries announce is refused before it is decoded.
        size = sum(4 * entry.size for entry in entries)
        # A stream that was coded natively is decoded everywhere.
        coder = "nncodec" if parameters.get("coder") == "nncodec" else None
        decoded = nnc.decode(payload, workers=workers, max_bytes=size, coder=coder)
        arrays = list(decoded.values())
        if len(arrays) != len(entries):
            raise BitstreamError(f"{len(arrays)} tensors in the stream, {len(entries)} expected")
        for array, entry in zip(arrays, entries, strict=True):
            if (array.dtype == np.float32) != (entry.mode == base.CODED_FLOAT):
                raise BitstreamError("a tensor of the stream has another dtype than announced")
        return arrays
