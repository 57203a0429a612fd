"""Every kind of damage to every kind of file of a features study: one table for two tests.

Who reads a damaged file refuses it and `nnrd check` names it (`study/test_check.py`); `nnrd check
--repair` makes it again (`tests/workflow/test_check.py`).
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from small_run import edited

from nnrd.core.files import checksum
from nnrd.study.check import DAMAGED, MISSING, NOBODYS

Places = Mapping[str, str]
Damage = Callable[[Places], object]


def places(
    model: str,
    data: str,
    split: str,
    points: tuple[str, str],
    study: str,
    items: tuple[str, str],
    net: str,
    images: tuple[str, str],
    shard: str = "0-of-2",
) -> Places:
    """Return which files of a run are damaged, by the names that the table has for them.

    ``points``: codec and parameters of two points of the split, as in paths; ``items``: those of
    the shard, one of two; ``net``: a file of the model; ``images``: those of the items.
    """
    folder = f"results/features/{model}/{data}/{split}"
    others = {"0-of-2": "1-of-2", "1-of-2": "0-of-2"}[shard]
    point, other = (f"{folder}/{name}" for name in points)
    tensors, bits = f"{folder}/tensors/{shard}", f"{point}/bitstreams/{shard}"
    outputs = f"results/anchor/{model}/{data}/onnx/outputs/{shard}"
    first, second = items
    return {
        **{"net": net, "asset": str(Path(net).parent), "image": images[0]},
        **{
            "another_image": images[1],
            "images": str(Path(images[0]).parent),
            "index": f"results/datasets/{data}.json",
        },
        **{"onnx": f"results/models/{model}.onnx", "facts": f"results/models/{model}.json"},
        **{"parts": f"results/split/{model}/{split}", "tensors": tensors},
        **{"source": f"{tensors}.times.json", "encoded": f"{bits}.times.json"},
        "another_tensors": f"{folder}/tensors/{others}",
        "bundle": f"{tensors}/{first}.safetensors",
        "another_bundle": f"{tensors}/{second}.safetensors",
        **{"bits": bits, "other_bits": f"{other}/bitstreams/{shard}"},
        **{"stream": f"{bits}/{first}.bin", "another_stream": f"{bits}/{second}.bin"},
        "predicted": f"{point}/predictions/{shard}",
        "others": f"{other}/predictions/{shard}",
        **{"record": f"{point}/point.json", "other_record": f"{other}/point.json"},
        "anchor": f"results/anchor/{model}/{data}/onnx/point.json",
        "outputs": outputs,
        "output": f"{outputs}/{first}.safetensors",
        "another_output": f"{outputs}/{second}.safetensors",
        "anchored": f"results/anchor/{model}/{data}/onnx/predictions/{shard}",
        **{"table": f"results/tables/{study}/points.csv", "joined": "results/tables/points.csv"},
        "latency": f"results/tables/{study}/latency.csv",
        "picture": f"results/plots/{study}/accuracy_bytes.png",
    }


# Kinds of damage, to the files that templates name. The time of each file stays what it was.
def kept_time(file: Path, change: Callable[[Path], object]) -> None:
    before = file.stat().st_mtime_ns, file.parent.stat().st_mtime_ns
    change(file)
    for place, old in zip((file, file.parent), before, strict=True):
        if place.exists():
            os.utime(place, ns=(old, old))


def changed(path: str, change: Callable[[Path], object]) -> Damage:
    return lambda at: kept_time(Path(path.format_map(at)), change)


def flip(path, share=0.6):
    def change(file):
        data = bytearray(file.read_bytes())
        data[int(len(data) * share)] ^= 4
        file.write_bytes(data)

    return changed(path, change)


def cut(path):
    return changed(path, lambda file: file.write_bytes(file.read_bytes()[:-7]))


# What a power cut leaves of a file that has its name already, and not yet its content.
TORN: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "ends in zeros": lambda data: data[: -min(512, len(data) // 2)].ljust(len(data), b"\0"),
}


def torn(path, manner):
    return changed(path, lambda file: file.write_bytes(TORN[manner](file.read_bytes())))


def gone(path):
    return changed(path, lambda file: file.unlink())


def more(path, like):
    return lambda at: shutil.copy2(like.format_map(at), path.format_map(at))


def replaced(*pairs):
    """Put other whole files in place of some; of folders, all that is in them, under its names."""

    def change(at):
        for path, other in pairs:
            file, other = Path(path.format_map(at)), other.format_map(at)
            if file.is_dir():
                shutil.rmtree(file)
                shutil.copytree(other, file)
            else:
                kept_time(file, lambda file, other=other: shutil.copyfile(other, file))

    return change


def swapped(one, two):
    def change(at):
        files = [Path(path.format_map(at)) for path in (one, two)]
        contents = [file.read_bytes() for file in files]
        for file, content in zip(files, contents[::-1], strict=True):
            kept_time(file, lambda file, content=content: file.write_bytes(content))

    return change


def forged(path, change):
    """Edit a record and give it the checksum of what it says now."""
    return changed(path, lambda file: edited(str(file), change))


def text(path, old, new):
    def change(file):
        content = file.read_text()
        assert old in content
        file.write_text(content.replace(old, new, 1))

    return changed(path, change)


def both(one, two):
    return lambda at: (one(at), two(at))


def forge_sums(at):
    sums = {Path(at["net"]).name: checksum(at["net"])}
    forged("{asset}.sums.json", lambda record: record["files"].update(sums))(at)


# What is written into a record.
def swap_sums(record):
    one, two = record["rows"]
    one["checksum"], two["checksum"] = two["checksum"], one["checksum"]


def turned(record):
    for row in record["predictions"]:
        row |= {key: value[::-1] for key, value in row.items() if key != "item"}


def slower(record):
    record["rows"][0] |= {"rec_size": 1, "run_time": 1.0}


def better(record):
    record["point"]["rec_perf"] = 100.0


class Row(NamedTuple):
    """What is done, which jobs read it and must refuse, and what the check calls the files.

    Where no job reads a file, or it would make the file itself again, there is only the check.
    """

    damage: Damage
    readers: tuple[str, ...] = ()
    found: Mapping[str, str] = {}

    def states(self, at: Places) -> dict[str, str]:
        """Return what the check calls the files, by path; a pattern stands for all that fit it."""
        named = {path.format_map(at): state for path, state in self.found.items()}
        found = {str(p): s for name, s in named.items() for p in Path().glob(name) if p.is_file()}
        return {path: state for path, state in named.items() if "*" not in path} | found


def damaged(*paths):
    return dict.fromkeys(paths, DAMAGED)


def missing(path):
    return {path: MISSING}


PICTURES = "results/plots/**/*"  # of which the provenance has the sums
USERS = ("convert_model", "infer_anchor", "extract_features", "infer_features")
DAMAGES = {
    "a file of a model, one bit": Row(flip("{net}"), USERS, damaged("{net}")),
    "a file of a model, cut": Row(cut("{net}"), ("convert_model",), damaged("{net}")),
    "a file of a model, missing": Row(
        gone("{net}"), ("convert_model", "infer_anchor"), missing("{net}")
    ),
    "a file more in an asset": Row(
        more("{asset}/a.bin", "{net}"), ("convert_model",), damaged("{asset}/a.bin")
    ),
    "the sums of an asset": Row(
        flip("{asset}.sums.json"), ("convert_model", "infer_anchor"), damaged("{asset}.sums.json")
    ),
    "an asset and its sums, forged": Row(
        both(flip("{net}"), forge_sums), (), damaged("{net}", "{asset}.sums.json")
    ),
    "an image, one bit": Row(
        flip("{image}"), ("index_dataset", "infer_anchor", "extract_features"), damaged("{image}")
    ),
    "two images swapped": Row(
        swapped("{image}", "{another_image}"),
        ("index_dataset", "infer_anchor", "extract_features"),
        damaged("{image}", "{another_image}"),
    ),
    "an image missing": Row(
        gone("{image}"), ("index_dataset", "infer_anchor", "extract_features"), missing("{image}")
    ),
    "the index": Row(
        flip("{index}"),
        ("infer_anchor", "extract_features", "infer_features", "score_point"),
        damaged("{index}"),
    ),
    "the index, forged": Row(
        forged("{index}", lambda record: record["items"][0]["facts"].update(label=9)),
        ("score_point",),
        damaged("{index}"),
    ),
    "a model": Row(flip("{onnx}"), ("split_model", "infer_anchor"), damaged("{onnx}")),
    "a part in place of a model": Row(
        replaced(("{onnx}", "{parts}/part1.onnx")),
        ("split_model", "infer_anchor"),
        damaged("{onnx}"),
    ),
    "the facts of a model": Row(
        flip("{facts}"), ("split_model", "infer_anchor"), damaged("{facts}")
    ),
    "the facts of a model, forged": Row(
        forged("{facts}", lambda record: record.update(nodes=6)), (), damaged("{facts}")
    ),
    "part I": Row(flip("{parts}/part1.onnx"), ("extract_features",), damaged("{parts}/part1.onnx")),
    "part II": Row(flip("{parts}/part2.onnx"), ("infer_features",), damaged("{parts}/part2.onnx")),
    "both parts swapped": Row(
        swapped("{parts}/part1.onnx", "{parts}/part2.onnx"),
        ("extract_features", "infer_features"),
        damaged("{parts}/part1.onnx", "{parts}/part2.onnx"),
    ),
    "a split's record": Row(
        flip("{parts}/split.json"),
        ("extract_features", "infer_features", "score_point"),
        damaged("{parts}/split.json"),
    ),
    "a split's record, forged": Row(
        forged("{parts}/split.json", lambda record: record.update(branches=7)),
        ("score_point",),
        damaged("{parts}/split.json"),
    ),
    "a bundle, one bit": Row(flip("{bundle}", 0.99), ("encode_tensors",), damaged("{bundle}")),
    "a bundle, cut": Row(cut("{bundle}"), ("encode_tensors",), damaged("{bundle}")),
    "a bundle missing": Row(gone("{bundle}"), ("encode_tensors",), missing("{bundle}")),
    "a bundle too many": Row(
        more("{tensors}/x.safetensors", "{bundle}"),
        ("encode_tensors",),
        damaged("{tensors}/x.safetensors"),
    ),
    "two bundles swapped": Row(
        swapped("{bundle}", "{another_bundle}"),
        ("encode_tensors",),
        damaged("{bundle}", "{another_bundle}"),
    ),
    "times of the source": Row(
        flip("{source}"), ("encode_tensors", "score_point"), damaged("{source}")
    ),
    "times of the source, forged": Row(
        forged("{source}", slower), ("score_point",), damaged("{source}")
    ),
    "the bundles of another shard with their times": Row(
        replaced(("{tensors}", "{another_tensors}"), ("{source}", "{another_tensors}.times.json")),
        ("score_point",),
        damaged("{source}"),
    ),
    "an output of the whole model, one bit": Row(
        flip("{output}"), ("infer_features",), damaged("{output}")
    ),
    "an output of the whole model missing": Row(
        gone("{output}"), ("infer_features",), missing("{output}")
    ),
    "two outputs of the whole model swapped": Row(
        swapped("{output}", "{another_output}"),
        ("infer_features",),
        damaged("{output}", "{another_output}"),
    ),
    "a bitstream, one bit": Row(flip("{stream}"), ("infer_features",), damaged("{stream}")),
    "a bitstream missing": Row(gone("{stream}"), ("infer_features",), missing("{stream}")),
    "a bitstream too many": Row(
        more("{bits}/x.bin", "{stream}"), ("infer_features",), damaged("{bits}/x.bin")
    ),
    "two bitstreams swapped": Row(
        swapped("{stream}", "{another_stream}"),
        ("infer_features",),
        damaged("{stream}", "{another_stream}"),
    ),
    "the bitstreams of another QP": Row(
        replaced(("{bits}", "{other_bits}")),
        ("infer_features",),
        damaged("{stream}", "{another_stream}"),
    ),
    "the bitstreams of another QP with their times": Row(
        replaced(("{bits}", "{other_bits}"), ("{encoded}", "{other_bits}.times.json")),
        ("infer_features", "score_point"),
        damaged("{encoded}"),
    ),
    "two bitstreams swapped with their sums": Row(
        both(swapped("{stream}", "{another_stream}"), forged("{encoded}", swap_sums)),
        ("infer_features", "score_point"),
        damaged("{encoded}"),
    ),
    "sizes in times, edited": Row(
        text("{encoded}", '"rec_size": ', '"rec_size": 1'),
        ("infer_features", "score_point"),
        damaged("{encoded}"),
    ),
    "sizes in times, forged": Row(
        forged("{encoded}", slower), ("score_point",), damaged("{encoded}")
    ),
    "predictions": Row(flip("{predicted}.json"), ("score_point",), damaged("{predicted}.json")),
    "predictions, forged": Row(
        forged("{predicted}.json", turned), ("score_point",), damaged("{predicted}.json")
    ),
    "predictions of another point": Row(
        replaced(("{predicted}.json", "{others}.json")),
        ("score_point",),
        damaged("{predicted}.json"),
    ),
    "predictions of another point with their times": Row(
        replaced(
            ("{predicted}.json", "{others}.json"),
            ("{predicted}.times.json", "{others}.times.json"),
        ),
        ("score_point",),
        damaged("{predicted}.json", "{predicted}.times.json"),
    ),
    "the anchor's predictions": Row(
        flip("{anchored}.json"),
        ("score_point", "score_anchor"),
        damaged("{anchored}.json"),
    ),
    "the anchor's predictions, forged": Row(
        forged("{anchored}.json", turned),
        ("score_point", "score_anchor"),
        damaged("{anchored}.json"),
    ),
    "the anchor's record": Row(
        text("{anchor}", '"rec_perf": ', '"rec_perf": 1'),
        ("score_point", "tabulate_points"),
        damaged("{anchor}"),
    ),
    "the anchor's record, forged": Row(
        forged("{anchor}", better), ("tabulate_points",), damaged("{anchor}")
    ),
    "a point's record": Row(flip("{record}"), ("tabulate_points",), damaged("{record}")),
    "a point's record, forged": Row(forged("{record}", better), (), damaged("{record}")),
    "two points' records swapped": Row(
        swapped("{record}", "{other_record}"), (), damaged("{record}", "{other_record}")
    ),
    "a table, one digit": Row(
        text("{table}", "anchor", "ancher"),
        ("join_tables", "plot_points", "tabulate_latency"),
        damaged("{table}"),
    ),
    "the table of latencies": Row(cut("{latency}"), ("plot_latency",), damaged("{latency}")),
    "a table, cut": Row(cut("{table}"), ("join_tables", "plot_points"), damaged("{table}")),
    "a table missing": Row(gone("{table}"), ("join_tables",), missing("{table}")),
    "the sums of a table": Row(
        flip("{table}.sums.json"), ("join_tables", "plot_points"), damaged("{table}.sums.json")
    ),
    "the joined table": Row(
        text("{joined}", "anchor", "ancher"), ("plot_all",), damaged("{joined}")
    ),
    "a picture": Row(flip("{picture}"), (), damaged("{picture}")),
    "a picture missing": Row(gone("{picture}"), (), missing("{picture}")),
    "the provenance": Row(
        flip("results/provenance.json"), (), damaged("results/provenance.json", PICTURES)
    ),
    "a point's record missing": Row(gone("{record}"), ("tabulate_points",), missing("{record}")),
    "what nobody declares": Row(
        more("results/notes.txt", "{index}"), (), {"results/notes.txt": NOBODYS}
    ),
}
