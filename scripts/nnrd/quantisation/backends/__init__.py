"""What quantises: ONNX Runtime and NNCF; others' are found under ``nnrd.quantisers``."""

from nnrd.core.registry import Registry
from nnrd.quantisation.backends.base import Backend

REGISTRY: Registry[type[Backend]] = Registry(
    "nnrd.quantisers",
    "quantiser",
    {
        "nncf_onnx": "nnrd.quantisation.backends.nncf_onnx:NncfOnnx",
        "nncf_openvino": "nnrd.quantisation.backends.nncf_openvino:NncfOpenvino",
        "ort_dynamic": "nnrd.quantisation.backends.ort_dynamic:OrtDynamic",
        "ort_static": "nnrd.quantisation.backends.ort_static:OrtStatic",
    },
    of="nnrd.quantisation.backends.base:Backend",
)
