"""The native coder by each compiler and for each processor at hand: NNCodec's levels and bytes.

The extension that the other tests use is of one compiler. Here NNCodec makes levels and data, and
a small program (``tests/native/replay.cpp``) compares them with those of the coder as another
compiler makes it, for 64-bit Arm under QEMU's user mode. What is not installed is skipped; on
Debian it comes with ``apt-get install clang g++-aarch64-linux-gnu qemu-user``.
"""

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nnrd.nnc import Options, by_nncodec
from nnrd.nnc.options import step_size
from nnrd.nnc.syntax import Codebook, TensorUnit

ROOT = Path(__file__).parents[3]
NATIVE = ROOT / "scripts/nnrd/nnc/native"
F = np.float32


def values(kind: str, shape: tuple[int, ...]) -> np.ndarray:
    r = np.random.default_rng(len(kind) + sum(shape))
    drawn = r.laplace(size=shape) * 0.05
    if kind == "sparse":
        drawn *= r.random(shape) < 0.1
    if kind == "ties":
        drawn = np.round(drawn * 256) / 512
    if kind == "wide":
        drawn *= 10.0 ** r.integers(-6, 6, size=shape)
    return drawn.astype(F)


CASES = [
    (kind, shape, Options(qp=qp, **more))
    for kind in ("dense", "sparse", "ties", "wide")
    for shape in ((300,), (40, 70), (1, 9000), (9000, 1))
    for qp in (-75, -38, -20, 3)
    for more in (
        {},
        {"use_dq": False},
        {"param_opt": False, "cabac_unary_length_minus1": 0},
        {"row_skipping": True, "cabac_unary_length_minus1": 40},
        {"lambda_scale": 1.5},
        {"lambda_scale": 1.5, "use_dq": False},
    )
]


def case(values: np.ndarray, options: Options, book: Codebook | None = None) -> bytes:
    """Return a tensor, and what NNCodec makes of it, as the program reads it."""
    if book is None:
        levels, qp = by_nncodec.quantise(values, options.qp, options, options.use_dq)
    else:
        levels, qp = values.astype(np.int32), options.qp
    unary, dq = options.cabac_unary_length_minus1, options.use_dq
    head = TensorUnit("", 0, values.shape, True, dq, unary, book)
    data = by_nncodec.encode(levels, head, qp, options)
    fields = struct.pack(
        "<QQdfi9I4x",
        *(values.size, values.size // len(values), options.lambda_scale),
        *(F(step_size(qp, options.qp_density)), qp, unary + 1, 6 + options.qp_density),
        *(dq, options.param_opt, options.row_skipping),
        *((len(book.values), book.zero) if book else (0, 0)),
        *(book is None, len(data)),
    )
    coded = b"" if book else values.tobytes()
    return fields + coded + levels.tobytes() + data


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    file = tmp_path_factory.mktemp("replay") / "cases"
    r = np.random.default_rng(0)
    book = Codebook(list(range(-3, 9)), 3, 0)
    indices = r.integers(-3, 9, size=(50, 60)).astype(F)
    with file.open("wb") as out:
        for kind, shape, options in CASES:
            out.write(case(values(kind, shape), options))
        out.write(case(indices, Options(use_dq=False), book))
        out.write(case(values("dense", (512, 1024)), Options()))
    return file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("compiler", "runner"),
    [
        ("g++", ()),
        ("clang++", ()),
        ("aarch64-linux-gnu-g++", ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")),
    ],
)
def test_levels_and_bytes_are_nncodecs(tmp_path, cases, compiler, runner):
    for program in (compiler, *runner[:1]):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    program = tmp_path / "replay"
    sources = [ROOT / "tests/native/replay.cpp", *NATIVE.glob("kernels_*.cpp")]
    flags = ["-std=c++20", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, *sources, "-o", program], check=True)
    run = subprocess.run([*runner, program, cases], capture_output=True, text=True, check=False)
    print(compiler, run.stdout)
    assert (run.returncode, run.stdout.split(" (")[0]) == (0, f"{len(CASES) + 2} cases equal")
