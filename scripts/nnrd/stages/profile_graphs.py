"""Models that are measured as graphs, in ONNX Runtime or OpenVINO; it needs no PyTorch."""

from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.lineage import checked
from nnrd.models.pipeline import Arrays, Pipeline, Run
from nnrd.quantisation.graphs import open_graph
from nnrd.stages import arguments
from nnrd.stages.profile_runs import ProfileRun


class GraphProfile(ProfileRun):
    """The graphs of a model, nothing quantised, with all optimisations of their runtime."""

    def opened(self) -> tuple[Pipeline, Run, dict[str, Any]]:
        """Return the pipeline, what runs its first graph, and how."""
        args, names = self.args, arguments.family(self.args).graphs
        if len(args.graphs) != len(names) or len(args.facts) != len(names):
            raise UserError(f"--graphs, --facts: give a file each of {', '.join(names)}")
        files = [checked(*pair) for pair in zip(args.graphs, args.facts, strict=True)]
        graphs = {
            name: open_graph(file, args.threads, args.precision, args.runtime)
            for name, file in zip(names, files, strict=True)
        }
        pipeline = arguments.graph_pipeline(args)
        pipeline.graphs = graphs
        return pipeline, graphs[names[0]], {"provider": args.runtime, "precision": args.precision}

    def macs(self, pipeline: Pipeline, run: Run, feeds: Arrays) -> int | None:
        """Return those of the forward pass; None of a graph with operators that are not counted."""
        from nnrd.split.computing import Counted
        from nnrd.split.files import read

        file = self.args.graphs[0]
        counted = Counted(run, read(file), file.parent)
        pipeline.infer(counted, feeds)
        return counted.macs
