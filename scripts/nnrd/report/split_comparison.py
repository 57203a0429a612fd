"""TR 26.847's published tables of splits beside ours (clause 5.3.9)."""

from collections.abc import Mapping

import pandas as pd

from nnrd.core.errors import UserError
from nnrd.split.sizes import RATES, latency_ms

# Sizes are published to 0.01 MB; for RetinaNet 1 % is as near as another file can come.
TOLERANCE = 0.01

# Why the largest number of branches of a model differs from the TR's, which names no files.
# Each was found by looking at the split with the most branches.
EXPLAINED = {
    "yolo-v4": "ONNX's model zoo has one that decodes the boxes too; ours ends at the three raw"
    " maps, and has 6 where a residual block of the last stage waits for two finer maps, the"
    " stage's other half, its own input, a convolution and its softplus",
    "inception": "our exporter joins the inner Concats of Inception v3's last blocks to the outer"
    " one, so two tensors wait instead of one; with the inner ones put back it has 5 too",
    "nerf": "an implementation the TR doesn't name; in ours, of the paper's network, the 20 sines"
    " and cosines of the positions wait beside positions and directions",
}
# The TR's names of the table's models, and ours.
MODELS = {
    "ssd_resnet": "ssd300_resnet50",
    "retinanet": "retinanet_resnet50_fpn_v2",
    "tinyyolov2": "tiny-yolo-v2",
    "mobilenetv3": "mobilenet-v3",
    "Resnet152": "resnet152",
    "Resnet18": "resnet18",
    "ResNext50FF": "resnext50",
}


def ranks(reference: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the TR's rows of one model beside ours, with each difference explained.

    ``reference`` has the columns ``node, node_name, size_mbytes, branches,
    latency_ms_500mbps, …`` of the TR's Tables 5.3.9.6; ``table`` is ``nnrd.split.table``'s.
    Rows are matched by node name; where the operator is Constant, whose names are numbers
    counted through the file, by the shift of rank that most of the others have. Sizes are
    in MB of 10⁶ bytes rounded as published, latencies the rounded MB · 8 / rate, as the TR
    reckons. Columns end in ``_theirs`` and ``_ours``; ``lean_…`` is what has to cross.
    Raises UserError where no name matches.
    """
    ours = table.set_index("rank")
    by_name = {name: rank for rank, name in ours.node_name.items()}
    found = {
        row.node: by_name[row.node_name] for row in rows(reference) if row.node_name in by_name
    }
    if not found:
        raise UserError("no node of the TR's table is in this model: is it another model?")
    shift = pd.Series({node: rank - node for node, rank in found.items()}).mode()[0]
    for row in rows(reference):
        rank = found.get(row.node)
        if rank is None or ours.op_type[rank] == "Constant":
            found[row.node] = row.node + shift
    first_detection = ours.index[ours.op_type == "NonZero"].min()
    sides = [_sides(row, found[row.node], ours.loc[found[row.node]]) for row in rows(reference)]
    for side in sides:
        side["difference"] = "; ".join(_reasons(side, shift, sides[0], first_detection))
    return pd.DataFrame(sides)


def rows(table: pd.DataFrame) -> list:
    """Return the rows of a table as named tuples."""
    return list(table.itertuples(index=False))


def _sides(theirs, rank: int, ours: pd.Series) -> dict:
    size = round(ours.plain_bytes / 1e6, 2)
    side = {"rank_theirs": theirs.node, "rank_ours": int(rank)}
    side |= {"node_theirs": theirs.node_name, "node_ours": ours.node_name}
    side |= {"size_mbytes_theirs": theirs.size_mbytes, "size_mbytes_ours": size}
    side |= {"lean_size_mbytes": round(ours.bytes / 1e6, 2)}
    side |= {"branches_theirs": theirs.branches, "branches_ours": int(ours.plain_branches)}
    side |= {"captured": int(ours.plain_captured), "lean_branches": int(ours.branches)}
    for name, rate in RATES.items():
        column = f"latency_ms_{name}"
        side[f"{column}_theirs"] = getattr(theirs, column)
        side[f"{column}_ours"] = round(latency_ms(size * 1e6, rate), 2)
    return side


def _reasons(side: Mapping, shift: int, first: Mapping, first_detection: float) -> list[str]:
    """Explain a row; ``first_detection`` is the rank from which values decide sizes (NaN: none)."""
    reasons = []
    if side["rank_theirs"] != side["rank_ours"]:
        known = side["rank_ours"] - side["rank_theirs"] == shift
        why = f"their file has {-shift} more nodes before {first['node_ours']}, which don't cross"
        reasons.append(f"rank: {why if known else 'not explained'}")
    if side["node_theirs"] != side["node_ours"]:
        reasons.append("name: constants are numbered, and one of those nodes is a constant")
    extra = side["branches_ours"] - side["branches_theirs"]
    if extra:
        why = f"{extra} are read only within the If, where the TR did not look"
        reasons.append(f"branches: {why if extra == side['captured'] else 'not explained'}")
    theirs, ours = side["size_mbytes_theirs"], side["size_mbytes_ours"]
    if abs(ours - theirs) > TOLERANCE * theirs:
        why = "as many anchors pass the score threshold as the weights let pass"
        known = side["rank_ours"] > first_detection
        reasons.append(f"size: {why if known else 'not explained'}")
    return reasons


def splitability(reference: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the TR's table of 15 models beside ours: the largest numbers of branches.

    ``tables`` are ``nnrd.split.table``'s by our names of the models. Raises UserError where
    one is missing.
    """
    found = []
    for row in rows(reference):
        name = MODELS.get(row.model, row.model)
        if name not in tables:
            raise UserError(f"no table of {name} ({row.model} in the TR) was given")
        table = tables[name]
        side = {"model": row.model, "ours": name, "nodes_ours": len(table) + 1}
        side |= {"max_branches_theirs": row.max_branches}
        side |= {"max_branches_ours": int(table.plain_branches.max())}
        side |= {"max_lean_branches": int(table.branches.max())}
        side["rank_of_max"] = int(table["rank"][table.plain_branches.idxmax()])
        same = side["max_branches_theirs"] == side["max_branches_ours"]
        side["difference"] = "" if same else EXPLAINED.get(name, "not explained")
        found.append(side)
    return pd.DataFrame(found)


def inputs(table: pd.DataFrame, at: list[int]) -> pd.DataFrame:
    """Return the bytes at some ranks on each input, in a row each.

    ``table`` is that of ``tabulate_splits.py`` on several inputs (column ``input``). Columns:
    ``input, shape`` (as ``input`` has it in brackets), ``aspect`` (long side / short side, by
    which the rows are sorted), ``split`` (rank and node name), ``rank, branches, bytes,
    mbytes`` and ``saved_bytes``, what the lean rule saves over the TR's. Raises UserError where
    a rank isn't in the table.
    """
    missing = sorted(set(at) - set(table["rank"]))
    if missing:
        raise UserError(f"the table has no rank {missing[0]}; it ends at {table['rank'].max()}")
    chosen = table[table["rank"].isin(at)].reset_index(drop=True)
    shapes = chosen.input.str.extract(r"\(([^()]*)\)$")[0].fillna(chosen.input)
    found = pd.DataFrame(
        {
            "input": chosen.input,
            "shape": shapes,
            "aspect": shapes.map(_aspect),
            "split": chosen["rank"].astype(str) + " " + chosen.node_name,
            "rank": chosen["rank"],
            "branches": chosen.branches,
            "bytes": chosen.bytes,
            "mbytes": chosen.bytes / 1e6,
            "saved_bytes": chosen.plain_bytes - chosen.bytes,
        }
    )
    return found.sort_values(["aspect", "input", "rank"], kind="stable", ignore_index=True)


def _aspect(shape: str) -> float:
    sides = [int(side) for side in shape.split("×")[-2:] if side.isdigit()]
    return round(max(sides) / min(sides), 3) if len(sides) == 2 else 1.0


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    lines = [list(table.columns), ["---"] * len(table.columns)]
    lines += table.astype(str).to_numpy().tolist()
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


PAGE_STYLE = """<style>
body { font: 13px/1.4 sans-serif; margin: 1em }
table { border-collapse: collapse }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid #ddd;
         overflow-wrap: anywhere }
th { position: sticky; top: 0; background: #f4f4f4 }
td:last-child { text-align: left; min-width: 24em }
</style>
"""


def page(table: pd.DataFrame) -> str:
    """Return a table as an HTML page that needs nothing else."""
    body = table.to_html(index=False, border=0, na_rep="", float_format="{:g}".format)
    return f"<!doctype html><meta charset=utf-8><title>TR 26.847</title>{PAGE_STYLE}{body}"
