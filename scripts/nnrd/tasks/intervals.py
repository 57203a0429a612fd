"""The columns that say how sure a task's numbers are."""

from collections.abc import Mapping, Sequence

from nnrd.datasets.index import Index
from nnrd.metrics.bootstrap import Bootstrap, Statistic
from nnrd.tasks import Prediction


def intervals(
    index: Index,
    predictions: Sequence[Prediction],
    ours: Mapping[str, Statistic],
    theirs: Mapping[str, Statistic],
) -> dict[str, float]:
    """Return ``NAME_low`` and ``NAME_high`` of each of ``ours``, in the order of ``predictions``.

    ``theirs`` are the anchor's statistics on the same items; for these there are also
    ``NAME_difference_low`` and ``_high``, of the paired difference, ours minus the anchor's. Items
    of one group, such as a speaker, are drawn together.
    """
    groups = {item.name: item.facts.get("group", item.name) for item in index.items}
    bootstrap = Bootstrap([groups[prediction["item"]] for prediction in predictions])
    found: dict[str, float] = {}
    for name, statistic in ours.items():
        draws = bootstrap.draws(statistic)
        found |= _ends(name, bootstrap.interval(draws))
        if name in theirs:
            held = bootstrap.draws(theirs[name])
            found |= _ends(f"{name}_difference", bootstrap.interval(draws, held))
    return found


def _ends(name: str, ends: tuple[float, float]) -> dict[str, float]:
    low, high = ends
    return {f"{name}_low": low, f"{name}_high": high}
