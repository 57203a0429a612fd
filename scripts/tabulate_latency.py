"""Tabulate what an item takes over links of some rates: device, encoding, sending, network."""

from nnrd.core.program import run
from nnrd.stages import tabulate_latency

if __name__ == "__main__":
    run(tabulate_latency)
