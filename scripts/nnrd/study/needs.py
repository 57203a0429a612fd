"""What a job that depends on its model's size asks of a cluster: memory and time.

Where nothing is said, a job takes what the profile gives by default. On a workstation Snakemake
heeds neither unless it is told how much there is (``--resources mem_mb=…``).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from nnrd.study.estimate import DECODE, ENCODE, EVALUATE
from nnrd.study.jobs import Jobs, Wildcards
from nnrd.study.points import parsed

OWN = 300  # MB of the Snakemakes that run a job on its node; on SLURM these are two
SLACK = 5  # times the stated seconds: nodes differ, and GPUs only make it less
START = 10  # minutes to import PyTorch, read a model from a slow disk and warm up
Needed = Callable[[Wildcards, int], int]


class Memory(NamedTuple):
    """MB of a process with its imports, and bytes for each value of the model."""

    base: float
    value: float


# Measured peaks, rounded up: with PyTorch 1,251 MB for Whisper tiny's 37.8 million values, with
# ONNX Runtime 146 MB for SSDLite's 4.5 million; the coder keeps within 1.3 times the tensors and
# 64 MB beside them.
TORCH = Memory(800, 16)
ONNX = Memory(300, 16)
CODER = Memory(350, 4 * 2.3)
# NNCF holds the activations of a sample beside the model, and ONNX Runtime's quantiser copies it.
QUANTISER = Memory(2000, 64)

QUANTISE, PROFILE = "quantise_model", "profile_model"
RUNS_AN_ITEM = 20  # of a model, with the validations of accuracy control
PARTS = ("extract_features", "extract_outputs", "infer_features")  # in ONNX Runtime
# In whichever runtime the model runs.
WHOLE = ("infer_anchor", "infer_files", "infer_weights", "infer_quantised")
CODED = ("encode_tensors", "decode_weights")
OF_RULE = {
    **dict.fromkeys(("convert_model", "convert_graph"), TORCH),
    **dict.fromkeys(("extract_weights", "transform_model", "count_parameters", PROFILE), TORCH),
    QUANTISE: QUANTISER,
    **dict.fromkeys(("split_model", "tabulate_splits", *PARTS, *WHOLE), ONNX),
    **dict.fromkeys(CODED, CODER),
}
RUNS = {*PARTS, *WHOLE}
TIMED = {*RUNS, *CODED, QUANTISE, PROFILE}
EXTRA = "slurm_extra"  # what Snakemake's executor of SLURM adds to sbatch


class Needs:
    """The resources of jobs by their rule; more at each attempt."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def of(self, rule: str) -> Mapping[str, Needed | str]:
        """Return ``mem_mb`` and ``runtime`` (minutes) of a rule as Snakemake takes them.

        Where times are to be published, a timed job has its node to itself too.
        """

        def mem_mb(wildcards: Wildcards, attempt: int) -> int:
            return attempt * self.megabytes(rule, wildcards)

        def runtime(wildcards: Wildcards, attempt: int) -> int:
            return attempt * self.minutes(rule, wildcards)

        alone = self.jobs.settings.config["isolated"] and rule in TIMED
        extra = {EXTRA: "--exclusive"} if alone else {}
        return {"mem_mb": mem_mb, "runtime": runtime, **extra}

    def megabytes(self, rule: str, wildcards: Wildcards) -> int:
        """Return the memory of a job's first attempt, in MB (10⁶ bytes)."""
        need = OF_RULE[rule]
        if rule in RUNS and self._runs_torch(wildcards):
            need = TORCH
        return round(OWN + need.base + need.value * self._values(wildcards) / 1e6)

    def minutes(self, rule: str, wildcards: Wildcards) -> int:
        """Return the time of a job's first attempt."""
        seconds = (ENCODE + DECODE) * self._values(wildcards)
        if rule in RUNS:
            seconds = EVALUATE * self._values(wildcards) * self._items(wildcards, "data")
        if rule == QUANTISE:
            looked_at = self._items(wildcards, "calibration")
            seconds = RUNS_AN_ITEM * EVALUATE * self._values(wildcards) * looked_at
        if rule == PROFILE:
            told = parsed(wildcards.get("measured"))
            runs = int(told["repeats"]) * (int(told["samples"]) + int(told["warm_up"]))
            seconds = EVALUATE * self._values(wildcards) * runs * int(told["batch"])
            seconds += float(told["power_seconds"]) / SLACK
        return round(START + SLACK * seconds / 60)

    def _values(self, wildcards: Wildcards) -> int:
        name = self.jobs.model_name(wildcards)
        return self.jobs.settings.sheets.models[name].values or 0

    def _runs_torch(self, wildcards: Wildcards) -> bool:
        runtime, family = self.jobs.runtime(wildcards), self.jobs.family(wildcards)
        return runtime == "torch" or family.needs_network

    def _items(self, wildcards: Wildcards, of: str) -> int:
        """Return how many items a shard has at most; ``of``: the wildcard that names the data."""
        data = self.jobs.selections.get(wildcards.get(of))
        return min(data.shard_size, data.count) if data else 0
