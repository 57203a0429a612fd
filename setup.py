"""Build the coder of nnrd.nnc; where that cannot be done, NNCodec's coder does its work."""

import sys
from pathlib import Path

from setuptools import setup

NATIVE = Path("scripts/nnrd/nnc/native")

try:
    from pybind11.setup_helpers import Pybind11Extension
except ImportError:
    print("nnrd: no pybind11, so NNCodec's coder will be used for NNC", file=sys.stderr)
    extensions = []
else:
    extensions = [
        Pybind11Extension(
            "nnrd.nnc._native",
            sorted(map(str, NATIVE.glob("*.cpp"))),
            depends=sorted(map(str, NATIVE.glob("*.[hi]*"))),
            cxx_std=20,
            # No contraction: a fused multiply-add rounds once where the reference rounds twice.
            extra_compile_args=["-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"],
            optional=True,
        )
    ]

setup(ext_modules=extensions, package_dir={"": "scripts"})
