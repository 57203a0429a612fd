"""What a model may run on, and whether there is an NVIDIA GPU."""

import ctypes
from functools import cache

CPU, CUDA = DEVICES = ("cpu", "cuda")  # that a caller may ask for


@cache
def has_cuda() -> bool:
    """Say whether this process can use an NVIDIA GPU; asks the driver, not a package."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return (
        driver.cuInit(0) == 0
        and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
        and count.value > 0
    )
