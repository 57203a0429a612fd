"""Published tables of splits beside ours; a reason is given where a check on our graph shows it.

The publication is 3GPP TR 26.847, clause 5.3.9, or one with such tables; see `published`.
"""

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from nnrd.core.errors import UserError
from nnrd.core.links import latency_ms
from nnrd.datasets.published import ANCHOR, LATENCY, Row
from nnrd.split.sizes import AT_TENSORS, PART_BYTES

DIGITS = 2  # sizes in MB and latencies in ms are published to so many
NOT_EXPLAINED = "not explained"


def ranks(
    published: Sequence[Row], table: pd.DataFrame, rates: Mapping[str, float]
) -> pd.DataFrame:
    """Return the published rows of one model beside ours, with each difference and its reason.

    ``published`` is from `published.read_ranks`; ``table`` is ``nnrd.split.table``'s from rank
    0, ``rates`` are in bit/s by name. Rows are matched by node name; where the operator is
    Constant, whose names are numbers counted through the file, by the shift of rank that most
    of the others have; rank 0 is the inputs, sent whole. Sizes are in MB of 10⁶ bytes rounded
    as published, latencies in ms are bytes · 8 / rate, of the bytes themselves. Columns end in
    ``_theirs`` and ``_ours``; ``lean_…`` is what has to cross. Raises UserError where no name
    matches.
    """
    ours = table.set_index("rank")
    places, shift = _places(published, ours)
    sides = [_side(row, ours.loc[places[row["node"]]], rates) for row in published]
    split = [side for side in sides if side["rank_theirs"] != ANCHOR]
    for side in sides:
        row = ours.loc[side["rank_ours"]]
        side["difference"] = "; ".join(_reasons(side, row, shift, split[0], rates))
    return pd.DataFrame(sides)


def _places(published: Sequence[Row], ours: pd.DataFrame) -> tuple[dict[int, int], int]:
    """Return our rank of each of theirs, and the shift that most of them have."""
    by_name = {name: rank for rank, name in ours.node_name.items()}
    split = [row for row in published if row["node"] != ANCHOR]
    found = {row["node"]: by_name[row["node_name"]] for row in split if row["node_name"] in by_name}
    if not found:
        raise UserError("no node of the published table is in this model: is it another model?")
    shift = statistics.mode(rank - node for node, rank in found.items())
    for row in split:
        rank = found.get(row["node"])
        if rank is None or ours.op_type[rank] == "Constant":
            found[row["node"]] = row["node"] + shift
        if found[row["node"]] not in ours.index:
            raise UserError(f"node {row['node']} of the published table is not in this model")
    return found | {ANCHOR: ANCHOR}, shift


def _side(theirs: Row, ours: pd.Series, rates: Mapping[str, float]) -> dict[str, Any]:
    side = {"rank_theirs": theirs["node"], "rank_ours": int(ours.name)}
    anchor = theirs["node"] == ANCHOR
    side["node_theirs"] = theirs["node_name"]
    side["node_ours"] = theirs["node_name"] if anchor else ours.node_name
    side["size_mbytes_theirs"] = theirs["size_mbytes"]
    side["size_mbytes_ours"] = round(ours.plain_bytes / 1e6, DIGITS)
    side["lean_size_mbytes"] = round(ours.bytes / 1e6, DIGITS)
    side["branches_theirs"], side["branches_ours"] = theirs["branches"], int(ours.plain_branches)
    side |= {"captured": int(ours.plain_captured), "lean_branches": int(ours.branches)}
    for name, rate in rates.items():
        column = f"{LATENCY}{name}"
        side[f"{column}_theirs"] = theirs.get(column)
        side[f"{column}_ours"] = round(latency_ms(float(ours.plain_bytes), rate), DIGITS)
    return side


def _reasons(
    side: Row, ours: pd.Series, shift: int, first: Row, rates: Mapping[str, float]
) -> list[str]:
    found = {
        "rank": _rank(side, shift, first),
        "name": _name(side, ours),
        "branches": _branches(side),
        "size": _size(side, ours),
        "latency": _latency(side, rates),
    }
    return [f"{what}: {reason}" for what, reason in found.items() if reason]


def _rank(side: Row, shift: int, first: Row) -> str:
    behind = side["rank_theirs"] - side["rank_ours"]
    if behind == 0:
        return ""
    if behind != -shift or first["rank_theirs"] - first["rank_ours"] != behind:
        return NOT_EXPLAINED
    return f"their file has {_more(behind)} before {first['node_ours']}, the first row"


def _name(side: Row, ours: pd.Series) -> str:
    theirs, name = side["node_theirs"], side["node_ours"]
    if theirs == name:
        return ""
    stems, numbers = zip(*(_numbered(text) for text in (theirs, name)), strict=True)
    if ours.op_type != "Constant" or stems[0] != stems[1]:
        return NOT_EXPLAINED
    return f"constants are numbered, and their file has {_more(numbers[0] - numbers[1])} before it"


def _numbered(name: str) -> tuple[str, int]:
    number = re.search(r"\d*$", name)
    digits = number.group() if number else ""
    return name.removesuffix(digits), int(digits or 0)


def _more(count: int) -> str:
    nodes = "node" if abs(count) == 1 else "nodes"
    return f"{abs(count)} {nodes} {'more' if count > 0 else 'less'}"


def _branches(side: Row) -> str:
    theirs, ours = side["branches_theirs"], side["branches_ours"]
    if theirs is None or theirs == ours:
        return ""
    if ours - theirs == side["captured"]:
        return f"{side['captured']} of ours are read only within the body of a control-flow node"
    return NOT_EXPLAINED


def _size(side: Row, ours: pd.Series) -> str:
    theirs = side["size_mbytes_theirs"]
    if theirs == side["size_mbytes_ours"]:
        return ""
    if side["rank_theirs"] == ANCHOR and round(ours.plain_bytes / 4e6, DIGITS) == theirs:
        return "theirs is a quarter of ours: one byte a value, as an image has, not four"
    if ours.plain_selected:
        return f"{ours.plain_selected} of the branches follow from what passes a threshold"
    return NOT_EXPLAINED


def _latency(side: Row, rates: Mapping[str, float]) -> str:
    pairs = [(rate, *_pair(side, f"{LATENCY}{name}")) for name, rate in rates.items()]
    known = [pair for pair in pairs if pair[1] is not None and abs(pair[1] - pair[2]) > 1e-6]
    if not known:
        return ""
    if side["size_mbytes_theirs"] != side["size_mbytes_ours"]:
        size = side["size_mbytes_theirs"]
        half = 0.5 * 10**-DIGITS
        near = all(
            abs(theirs - latency_ms(size * 1e6, rate)) <= latency_ms(half * 1e6, rate) + half
            for rate, theirs, _ in known
        )
        return "follows from the size" if near else NOT_EXPLAINED
    rounded = side["size_mbytes_ours"] * 1e6
    same = all(
        round(latency_ms(rounded, rate), DIGITS) == theirs for rate, theirs, _ in pairs if theirs
    )
    return "theirs is of the rounded size" if same else NOT_EXPLAINED


def _pair(side: Row, column: str) -> tuple[float | None, float]:
    return side[f"{column}_theirs"], side[f"{column}_ours"]


def branches(published: Iterable[Row], tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a published table of models beside ours: the largest numbers of branches.

    ``published`` is from `published.read_branches`; ``tables`` are ``nnrd.split.table``'s, from
    rank 0, by our names of the models. Raises UserError where one is missing.
    """
    found = []
    for row in published:
        name = row["ours"]
        if name not in tables:
            raise UserError(f"no table of {name} ({row['model']} in the publication) was given")
        found.append(_most(row, tables[name]))
    return pd.DataFrame(found)


def _most(theirs: Row, table: pd.DataFrame) -> dict[str, Any]:
    split = table[table["rank"] != ANCHOR].reset_index(drop=True)
    most = split.iloc[int(split.plain_branches.to_numpy().argmax())]
    side = {"model": theirs["model"], "ours": theirs["ours"], "nodes_ours": len(table)}
    pair = {
        "branches_theirs": theirs["max_branches"],
        "branches_ours": int(most.plain_branches),
        "captured": int(most.plain_captured),
    }
    side |= {f"max_{name}": count for name, count in pair.items() if name != "captured"}
    side |= {"max_lean_branches": int(split.branches.max()), "rank_of_max": int(most["rank"])}
    return side | {"difference": _branches(pair)}


def inputs(table: pd.DataFrame, at: list[int]) -> pd.DataFrame:
    """Return the bytes at some ranks, and at the table's cuts at tensors, on each input.

    ``table`` has several inputs, told apart by the column ``input``. Columns: ``input, shape``
    (as ``input`` has it in brackets), ``aspect`` (long side / short side, by which the rows are
    sorted, then by size), ``split`` (rank and node name), ``rank, branches, bytes, mbytes``,
    ``saved_bytes``, what the lean rule saves over the plain one, and, where there are cuts at
    tensors, ``part1_kib`` and ``part2_kib``, the files of their parts in KiB (1,024 bytes), rounded
    up as a file manager does. Raises UserError where a rank isn't in the table.
    """
    missing = sorted(set(at) - set(table["rank"]))
    if missing:
        raise UserError(f"the table has no rank {missing[0]}; it ends at {table['rank'].max()}")
    chosen = table[table["rank"].isin(at) | (table.op_type == AT_TENSORS)].reset_index(drop=True)
    found = _sized(chosen).join(_parts(chosen))
    found["pixels"] = found["shape"].map(lambda shape: math.prod(_sides(shape)))
    keys = ["aspect", "pixels", "input", "rank"]
    found = found.sort_values(keys, kind="stable", ignore_index=True)
    return found.drop(columns="pixels")


def _sized(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs, the splits and what crosses them."""
    shapes = chosen.input.str.extract(r"\(([^()]*)\)$")[0].fillna(chosen.input)
    ranked = chosen["rank"].astype(str) + " " + chosen.node_name
    return pd.DataFrame(
        {
            "input": chosen.input,
            "shape": shapes,
            "aspect": shapes.map(_aspect),
            "split": chosen.node_name.where(chosen.op_type == AT_TENSORS, ranked),
            "rank": chosen["rank"],
            "branches": chosen.branches,
            "bytes": chosen.bytes,
            "mbytes": chosen.bytes / 1e6,
            "saved_bytes": chosen.plain_bytes - chosen.bytes,
        }
    )


def _parts(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the KiB of the files of both parts, where there are some."""
    known = [column for column in PART_BYTES if column in chosen]
    return pd.DataFrame(
        {f"{column.removesuffix('_bytes')}_kib": -(-chosen[column] // 1024) for column in known},
        index=chosen.index,
    )


def _aspect(shape: str) -> float:
    sides = _sides(shape)
    return round(max(sides) / min(sides), 3) if len(sides) == 2 else 1.0


def _sides(shape: str) -> list[int]:
    return [int(side) for side in shape.split("×")[-2:] if side.isdigit()]
