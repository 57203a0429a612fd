"""Records: all that was measured of one point, gathered from the files of its steps."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnrd.core.errors import UserError
from nnrd.metrics.outputs import nmse

STEPS = ("source", "encoded", "decoded", "inferred")
TIMES = ("pre_time", "run_time", "post_time")
ROW_DEVICE = ("provider", "number_format")
ERRORS = "output_errors"
ANCHOR_SIZES = ("input_size", "model_size")
# What a codec of whole models says beside the size of its files: that after zstd, that with the
# integers coded by NNC's entropy coder, and the layers that it turned back to float.
OF_MODEL = ("zstd_size", "nnc_size", "reverted")


def total(step: Mapping[str, Any] | None, column: str) -> Any:
    """Return the sum of a column over a step's items; None where the step has no such column.

    What several shards said of the same item, such as the whole model, counts once, by its mean.
    """
    values: dict[str, list] = {}
    for row in step["rows"] if step else []:
        if column in row:
            values.setdefault(row["item"], []).append(row[column])
    means = [v[0] if len(v) == 1 else sum(v) / len(v) for v in values.values()]
    return sum(means) if means else None


def measured(steps: Mapping[str, dict | None]) -> dict:
    """Return a point's measured columns from its steps' joined files.

    ``steps``: ``source``, ``encoded``, ``decoded`` (None where the inference decodes), and
    ``inferred``; an anchor has the last only, a bound on the rate has it not, and where items are
    sent as files it codes and decodes too. Times are
    totals over the items, in seconds of wall time: ``pre_time``, ``run_time``, ``post_time`` of
    what stands before, in and behind the graph, both parts of a split together, and their sum
    ``rec_eval_time``; ``part1_time`` is part I's share of the run. Of an anchor, ``input_size``
    and ``model_size`` are the bytes of the graph's inputs and of the model's tensors. Weights that
    were published have ``published_size``, bytes of the files as they are, and
    ``published_ratio``, rec_size over that. A codec of whole models gives `OF_MODEL`.
    Where part II's outputs were held against the whole model's, ``output_nmse`` and
    ``output_nmse_by_output`` say how far they are.
    Of a split, ``part1_provider`` and ``part1_number_format`` say what ran part I, ``provider``
    and ``number_format`` what ran part II.
    Raises UserError where the two parts of a split ran on different devices, and nobody asked for
    that.
    """
    encoded, inferred = steps["encoded"], steps["inferred"]
    if inferred is None and encoded is None:
        raise UserError("a record needs the times of the inference, or those of the encoding")
    if inferred is not None and _asked(steps["source"]) == _asked(inferred):
        same_device(steps["source"], inferred, "part I", "part II")
    ran, coded = inferred or {}, encoded or inferred
    anc_size, rec_size = total(coded, "anc_size"), total(coded, "rec_size")
    decoded = steps.get("decoded") or inferred
    times: dict[str, Any] = dict.fromkeys(TIMES)
    if inferred is not None:
        times = {name: _both(steps, name) for name in TIMES}
    return {
        "anc_size": anc_size,
        "rec_size": rec_size,
        "compress_ratio": rec_size / anc_size if anc_size else None,
        "enc_time": total(coded, "enc_time"),
        "dec_time": total(decoded, "dec_time"),
        "rec_eval_time": sum(times.values()) if inferred else None,
        **times,
        "part1_time": total(steps["source"], "run_time"),
        "items": _items(encoded, inferred),
        **{key: ran.get(key) for key in ("threads", "isolated", "provider")},
        "number_format": ran.get("precision"),  # of detections, precision is a metric
        "coder": encoded.get("coder") if encoded else None,
        "enc_threads": encoded["threads"] if encoded else None,
        "dec_threads": decoded["threads"] if encoded and decoded else None,
        **(_anchor_sizes(ran) if encoded is None else {}),
        **_part1(steps["source"]),
        **_published(steps["source"], rec_size),
        **{key: encoded[key] for key in OF_MODEL if encoded and key in encoded},
        **_output_nmse(ran.get("rows", [])),
    }


def held_size(point: Mapping[str, Any], anchor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sizes of a point whose codec took the model as a whole: over the anchor's."""
    size = anchor["model_size"]
    return {"anc_size": size, "compress_ratio": point["rec_size"] / size if size else None}


def _asked(step: Mapping[str, Any] | None) -> str | None:
    return step.get("asked") if step else None


def _part1(source: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what ran part I, where the source ran one."""
    if source is None or "provider" not in source:
        return {}
    return {"part1_provider": source["provider"], "part1_number_format": source.get("precision")}


def _output_nmse(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how far the outputs are from the whole model's, where rows say so.

    ``output_nmse`` is the largest of the outputs', empty where one's is not known;
    ``output_nmse_by_output`` has all as JSON.
    """
    errors = [row[ERRORS] for row in rows if ERRORS in row]
    if not errors:
        return {}
    found = nmse(errors)
    known = [value for value in found.values() if value is not None]
    largest = max(known) if known and len(known) == len(found) else None
    shown = {name: value and float(f"{value:.6g}") for name, value in found.items()}
    by_output = json.dumps(shown, separators=(",", ":"))
    return {"output_nmse": largest, "output_nmse_by_output": by_output}


def _published(source: Mapping[str, Any] | None, rec_size: int | None) -> dict[str, Any]:
    """Return the bytes of the files that weights came in, and the bitstream's share of them."""
    size = total(source, "published_size")
    return {"published_size": size, "published_ratio": (rec_size or 0) / size} if size else {}


def _anchor_sizes(inferred: Mapping[str, Any]) -> dict[str, int | None]:
    return {name: total(inferred, name) for name in ANCHOR_SIZES}


def same_device(
    first: Mapping[str, Any] | None,
    second: Mapping[str, Any],
    first_name: str,
    second_name: str,
    keys: tuple[str, str] = ("provider", "precision"),
) -> None:
    """Raise UserError where two steps ran on different devices or in different formats.

    Between numbers of two devices lies more than a codec. A step without a device, such as the
    taking of a model's weights, fits any. ``keys``: where steps, or rows (`ROW_DEVICE`), say it.
    """
    for key in keys:
        ours, theirs = (step.get(key) if step else None for step in (second, first))
        if theirs is not None and ours != theirs:
            raise UserError(
                f"{second_name} ran on {ours}, {first_name} on {theirs}: their difference would "
                "not be the codec's alone; delete the results of one and run both on one device"
            )


def _items(encoded: Mapping[str, Any] | None, inferred: Mapping[str, Any] | None) -> int:
    """Return the number of items that the model ran on, or, of a bound, that were coded."""
    if inferred is not None:
        return sum("run_time" in row for row in inferred["rows"])
    return len(encoded["rows"]) if encoded else 0


def _both(steps: Mapping[str, dict | None], name: str) -> float:
    """Return a time of source and sink together."""
    return sum(total(steps[step], name) or 0.0 for step in ("source", "inferred"))


def items(scores: Sequence[dict], steps: Mapping[str, dict | None]) -> list[dict]:
    """Return a row an item: what every step measured on it alone, and its scores."""
    rows: dict[str, dict] = {row["item"]: {"item": row["item"]} for row in scores}
    for name in STEPS:
        for row in (steps.get(name) or {"rows": []})["rows"]:
            if row["item"] in rows:
                _gather(rows[row["item"]], row, name)
    for row in scores:
        rows[row["item"]] |= row
    return list(rows.values())


def _gather(found: dict, row: Mapping[str, Any], step: str) -> None:
    """Add what a step measured on an item; times of both parts add up."""
    for key, value in row.items():
        if key in TIMES:
            found[key] = found.get(key, 0.0) + value
        elif key == ERRORS:
            found |= _output_nmse([row])
        elif key != "checksum":
            found[key] = value
    if step == "source" and "run_time" in row:
        found["part1_time"] = row["run_time"]
