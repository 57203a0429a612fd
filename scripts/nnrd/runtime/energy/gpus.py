"""The energy counters of GPUs, by zeus (https://ml.energy/zeus), an optional package.

It reads NVML's total-energy counter (``nvmlDeviceGetTotalEnergyConsumption``: millijoules since the
driver was loaded, of the whole board; Volta and later), of those GPUs that ``CUDA_VISIBLE_DEVICES``
leaves, and says so where there is none. Extra ``energy``.
"""

import errno
from collections.abc import Callable
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.extras import needed
from nnrd.runtime.cuda import has_cuda
from nnrd.runtime.energy.counters import GPU, Counter, Found

PER_JOULE = 1000


def find(present: Callable[[], bool] = has_cuda) -> Found:
    """Return the counters of the GPUs that this process may use, and the reasons why not.

    ``present`` says whether there is a GPU: where there is none, zeus is not asked for.
    """
    if not present():
        return [], ["GPU: none that can be used"]
    try:
        with needed("energy of the GPU"):
            from zeus.device import get_gpus
        found = get_gpus()
    except UserError as error:
        return [], [str(error)]
    except Exception as error:  # zeus's and the drivers' exceptions share no narrower base class
        return [], [f"GPU: {_first_line(error)}"]
    counters: list[Counter] = []
    reasons: list[str] = []
    for index in range(len(found)):
        counter = Counter(f"gpu {index}", GPU, _reader(found, index), PER_JOULE)
        try:
            counter.read()
        except OSError as error:
            reasons.append(f"gpu {index}: {error.strerror}")
        else:
            counters.append(counter)
    return counters, reasons


def _reader(found: Any, index: int) -> Callable[[], int]:
    """Return what reads the counter of a GPU, in millijoules; OSError where it cannot be read."""

    def read() -> int:
        try:
            return int(found.get_total_energy_consumption(index))
        except Exception as error:  # as in `find`
            raise OSError(errno.EIO, _first_line(error)) from error

    return read


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
