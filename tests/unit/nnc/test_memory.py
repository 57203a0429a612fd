"""The memory that encoding takes: 1.3 times the tensors beside them, and 64 MB, at any options."""

import os
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

if util.find_spec("nnrd.nnc._native") is None:
    pytest.skip("no native coder here", allow_module_level=True)

SCRIPTS = Path(__file__).parents[3] / "scripts"
OPTIONS = [
    {},
    {"qp": -128},  # the longest stream: nearly as long as the tensor
    {"qp": -128, "use_dq": False},
    {"qp": -75, "row_skipping": True},
    {"qp": -75, "opt_qp": True},
    {"qp": 0, "nonweight_qp": 0, "codebook_mode": 2},
    {"qp": 0, "codebook_mode": 1, "use_dq": False},
]


def peak(rows: int, options: dict) -> float:
    """Return the growth in bytes while one tensor of rows × 384 values is made and encoded."""
    code = f"from benches import peaks; peaks.print_peak('one', {options!r}, {rows})"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    run = [sys.executable, "-c", code]
    return 1e6 * float(subprocess.check_output(run, env=environment, text=True).split()[-1])


@pytest.mark.parametrize("options", [OPTIONS[1], OPTIONS[3]], ids=str)
def test_one_tensor_takes_little_beside_itself(options):
    assert peak(10_000, options) <= 2.3 * 4 * 10_000 * 384 + 8e6


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_whispers_token_embedding_takes_little_beside_itself(options):
    assert peak(51_864, options) <= 2.3 * 4 * 51_864 * 384 + 64e6
