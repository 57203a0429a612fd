"""Which node of a graph a name means, and which ones may have been meant."""

import difflib
from collections.abc import Mapping, Sequence

from nnrd.core.errors import UserError

SUGGESTIONS = 3
ALIKE = 0.6  # of difflib's ratio; below it names have nothing to do with each other


def rank_named(name: str, nodes: Sequence[str], makers: Mapping[str, int]) -> int:
    """Return the rank of the node called ``name``, or of the one that makes the tensor ``name``.

    ``nodes``: the nodes' names by rank, empty where one has none; ``makers``: the rank that makes
    a tensor. Raises UserError where there is none, with the nearest names, and where several
    nodes have that name.
    """
    ranks = [rank for rank, node in enumerate(nodes) if node == name]
    if len(ranks) > 1:
        raise UserError(f"{len(ranks)} nodes are called {name!r}: split by rank, of {ranks}")
    if ranks:
        return ranks[0]
    if makers.get(name, -1) >= 0:
        return makers[name]
    near = nearest(name, [node for node in nodes if node] or list(makers))
    hint = f"nearest: {', '.join(near)}" if near else "`nnrd tabulate MODEL` lists them"
    raise UserError(f"no node is called {name!r}; {hint}")


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Return up to three names that may have been meant: those that hold it, or are like it."""
    word = name.strip("/").lower()
    holding = [other for other in known if word and word in other.lower()]
    holding.sort(key=len)
    alike = difflib.get_close_matches(name, known, SUGGESTIONS, ALIKE)
    return list(dict.fromkeys([*holding, *alike]))[:SUGGESTIONS]
