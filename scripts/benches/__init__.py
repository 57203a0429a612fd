"""What the benchmarks (`bench_*.py`) share: tensors, paired timing, peaks of memory."""
