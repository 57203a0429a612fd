"""Say what a run will cost before it is made."""

import argparse
from collections.abc import Sequence

from nnrd.stages import planning
from nnrd.study import estimate

UNKNOWN = (
    "nothing like them was measured (what crosses splits is known once there is a table of them: "
    "snakemake --cores 1 results/splits/MODEL.csv)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    planning.add_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Print a line a rule and study, and the sums."""
    costs = estimate.estimate(planning.settings(args), args.folder)
    width = 2 + max([len("study"), *(len(cost.study) for cost in costs)])
    print(f"{'study':<{width}}{'rule':<22}{'jobs':>6}{'core-h':>9}{'GPU-h':>8}{'GB':>8}  from")
    for cost in costs:
        figures = (cost.seconds / 3600, cost.gpu_seconds / 3600, cost.size / 1e9)
        shown = ["?" if cost.unknown == cost.jobs else f"{figure:.2f}" for figure in figures]
        print(
            f"{cost.study:<{width}}{cost.rule:<22}{cost.jobs:>6}"
            f"{shown[0]:>9}{shown[1]:>8}{shown[2]:>8}  {_origin(cost)}"
        )
    print(_sums(costs))


def _origin(cost: estimate.Cost) -> str:
    """Say where a line's figures come from."""
    stated = cost.jobs - cost.measured - cost.unknown
    figures = "figures a value"
    if cost.tables:
        figures += f" and the splits of {' and '.join(cost.tables)}"
    words = {"benchmark files": cost.measured, figures: stated}
    found = {word: n for word, n in (words | {"not known": cost.unknown}).items() if n}
    return ", ".join(word + (f": {n} jobs" if n < cost.jobs else "") for word, n in found.items())


def _sums(costs: Sequence[estimate.Cost]) -> str:
    unknown = sum(cost.unknown for cost in costs)
    return (
        f"in all {sum(c.jobs for c in costs)} jobs to come, "
        f"{sum(c.seconds for c in costs) / 3600:.2f} core-hours, of them "
        f"{sum(c.gpu_seconds for c in costs) / 3600:.2f} hours on the GPU where there is one "
        f"(at the speed measured), {sum(c.size for c in costs) / 1e9:.2f} GB"
        + (f"; {unknown} jobs are not in it: {UNKNOWN}" if unknown else "")
    )
