"""The code that makes a job's result: its hash, which is a parameter of the job's rule."""

import json
from collections.abc import Callable

from nnrd import codecs, tasks, transforms
from nnrd.datasets import file_codecs, formats
from nnrd.quantisation import backends
from nnrd.quantisation import codecs as model_codecs
from nnrd.report import plots
from nnrd.stages.profile_runs import TARGETS as PROFILE_RUNS
from nnrd.stages.runtimes import REGISTRY as RUNTIMES
from nnrd.study import paths, points
from nnrd.study.jobs import Jobs, Wildcards
from nnrd.study.lists import LISTS
from nnrd.study.memo import Memo
from nnrd.study.points import NOTHING
from nnrd.study.tables import Tables


class JobCode:
    """What the code is that a job reaches: its stage, and what its wildcards find by name."""

    def __init__(self, jobs: Jobs, tables: Tables) -> None:
        self.jobs = jobs
        self.tables = tables
        self.source_hash = Memo(LISTS / "source_hash.json")

    def hashed(self, stage: str, *parts: str) -> Callable[[Wildcards], str]:
        """Return a params function: the hash of a stage with what the job's wildcards name.

        ``parts`` are names of the methods below; those that a job does not have are left out.
        """

        def function(wildcards: Wildcards) -> str:
            return self.source_hash(f"nnrd.stages.{stage}", *self.targets(wildcards, *parts))

        return function

    def targets(self, wildcards: Wildcards, *parts: str) -> list[str]:
        """Return what a job finds by name, as `source_hash` takes it."""
        found = (getattr(self, f"_{part}")(wildcards) for part in parts)
        return [t for one in found for t in ([one] if isinstance(one, str) else one or [])]

    def _pipeline(self, wildcards: Wildcards) -> str:
        """Return what predicts; not what makes inputs to measure by."""
        return f"{self.jobs.family(wildcards).pipeline}.open,predict,predict_one"

    def _example(self, wildcards: Wildcards) -> list[str]:
        """Return what makes inputs to measure by, and what is measured on them."""
        steps = "open,check_example,example,example_item,infer,postprocess_batch"
        return [f"{self.jobs.family(wildcards).pipeline}.{steps}", "nnrd.models.inputs:Inputs"]

    def _preprocessing(self, wildcards: Wildcards) -> str:
        return f"{self.jobs.family(wildcards).pipeline}.open,load,preprocess"

    def _postprocessing(self, wildcards: Wildcards) -> str:
        return f"{self.jobs.family(wildcards).pipeline}.open,postprocess"

    def _network(self, wildcards: Wildcards) -> str | None:
        """Return the network where the job runs it; ONNX jobs do so for a decoding loop only."""
        family = self.jobs.family(wildcards)
        runs = self.jobs.runtime(wildcards) == "torch" or family.needs_network
        return family.network if runs else None

    def _parts(self, wildcards: Wildcards) -> str:
        """Return what builds a network and names its parts."""
        return f"{self.jobs.family(wildcards).network}.bare,parts"

    def _profiled(self, wildcards: Wildcards) -> list[str]:
        """Return what runs a model that is measured: in PyTorch its network, too."""
        runtime = points.parsed(wildcards.get("runs"))["runtime"]
        network = self.jobs.family(wildcards).network if runtime == "torch" else None
        return [PROFILE_RUNS[runtime], *([network] if network else [])]

    def _profile_plot(self, wildcards: Wildcards) -> str:
        return f"nnrd.report.profile.{wildcards.get('plot')}:draw"

    def _export(self, wildcards: Wildcards) -> str | None:
        return self.jobs.family(wildcards).exporter

    def _graphs(self, wildcards: Wildcards) -> str | None:
        return self.jobs.family(wildcards).graph_exporter

    def _weights(self, wildcards: Wildcards) -> str | None:
        network = self.jobs.family(wildcards).network
        return network and f"{network}.load"

    def _tensors(self, wildcards: Wildcards) -> str:
        return f"{RUNTIMES.target(self.jobs.runtime(wildcards))}.tensors"

    def _size(self, wildcards: Wildcards) -> str:
        return f"{RUNTIMES.target(self.jobs.runtime(wildcards))}.size"

    def _trained(self, wildcards: Wildcards) -> str:
        return f"{RUNTIMES.target(self.jobs.runtime(wildcards))}.trained"

    def _received(self, wildcards: Wildcards) -> str:
        return f"{RUNTIMES.target(self.jobs.runtime(wildcards))}.received"

    def _codec(self, wildcards: Wildcards) -> str:
        return codecs.REGISTRY.target(wildcards.get("codec"))

    def _model_codec(self, wildcards: Wildcards) -> list[str]:
        """Return a codec of whole models and, where it has one, the backend that does its work."""
        name, parameters = wildcards.get("codec"), self.jobs.parameters(wildcards)
        backend = json.loads(parameters).get("backend")
        found = [model_codecs.REGISTRY.target(name)]
        return found + ([backends.REGISTRY.target(backend)] if backend else [])

    def _looked_at_task(self, wildcards: Wildcards) -> str | None:
        """Return the task that scores what such a codec looks at."""
        if wildcards.get("calibration") == NOTHING:
            return None
        row = self.jobs.settings.sheets.models[self.jobs.model_name(wildcards)]
        return tasks.REGISTRY.target(str(row.task))

    def _file_codec(self, wildcards: Wildcards) -> str:
        return file_codecs.REGISTRY.target(wildcards.get("codec"))

    def _format(self, wildcards: Wildcards) -> str:
        row = self.jobs.settings.sheets.datasets[self.jobs.selection(wildcards).dataset]
        return formats.REGISTRY.target(row.format)

    def _task(self, wildcards: Wildcards) -> str:
        return tasks.REGISTRY.target(self.jobs.task(self.jobs.records[wildcards.get("folder")]))

    def _plot(self, wildcards: Wildcards) -> str:
        return plots.REGISTRY.target(wildcards.get("plot"))

    def _transform(self, wildcards: Wildcards) -> str | None:
        _, point = self.jobs.source(wildcards)
        if point.transform is None:
            return None
        return transforms.REGISTRY.target(point.transform.name)

    def _metrics(self, wildcards: Wildcards) -> list[str]:
        """Return what the tasks of a study, or of all, say of their metrics; not how they score."""
        of = wildcards.get("study")
        studies = [study for name, study in self.tables.joined.items() if of in (name, paths.ALL)]
        names = dict.fromkeys(self.jobs.task(study.records[0]) for study in studies)
        return [f"{tasks.REGISTRY.target(name)}.metric" for name in names]

    def _scored_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the same of what is scored for a study whose records are in no table of points."""
        scored = self.jobs.studies[wildcards.get("study")].scored
        names = dict.fromkeys(map(self.jobs.task, scored))
        return [f"{tasks.REGISTRY.target(name)}.metric" for name in names]

    def _judging(self, wildcards: Wildcards) -> list[str]:
        """Return the same with how a metric is found by its name."""
        return [f"{target},named" for target in self._metrics(wildcards)]
