"""The ways through a model that options ask for: whole, and splits with codecs between."""

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from onnxruntime import InferenceSession

from nnrd import codecs
from nnrd.codecs import encode_algo
from nnrd.codecs.base import Codec
from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import read_record
from nnrd.core.options import json_object
from nnrd.inference.chain import Chain, Parts, Whole
from nnrd.runtime import sessions
from nnrd.runtime.cuda import DEVICES
from nnrd.split import files
from nnrd.split.graph import Graph
from nnrd.split.parts import extract
from nnrd.split.plan import AT, Plan, cut
from nnrd.stages.by_hand import Model
from nnrd.stages.split_model import PARTS

WHOLE = "whole"
LONGEST = 80  # characters of a name; what is longer ends with a sum
ODD = re.compile(r"[^A-Za-z0-9.-]+")  # what no name of a file should have


@dataclass(frozen=True)
class Way:
    """One run: its name, what opens it, what the table says of it; ``whole`` to compare with.

    It is opened when its turn comes: many runs of a large model do not fit into memory together.
    """

    name: str
    open: Callable[[], Chain]
    labels: dict[str, Any]
    whole: InferenceSession | None = None


@dataclass(frozen=True)
class Split:
    """A split model: its plan, and its two files."""

    name: str
    plan: Plan
    parts: tuple[Path, Path]

    @property
    def labels(self) -> dict[str, Any]:
        """What the table says of it."""
        plan = self.plan
        return {"split": plan.rank, "split_name": plan.node_name, "branches": plan.branches}


class _Parameters(argparse.Action):
    """Gives parameters to the codec that was named last."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, *_: Any
    ) -> None:
        if not namespace.codec:
            raise UserError("--parameters: are of the --codec before them")
        name, given = namespace.codec[-1]
        if given:
            raise UserError(f"--parameters: the {name} before them has parameters already")
        namespace.codec[-1] = (name, values)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the model is split, what is between the parts, and what runs them."""
    group = parser.add_argument_group("the ways through the model", "by default, whole")
    group.add_argument("--whole", action="store_true", help="whole too, and the parts beside it")
    place = group.add_mutually_exclusive_group()
    place.add_argument("--rank", type=int, nargs="+", help="split before nodes, by rank")
    place.add_argument("--name", help="split at a node, or at a tensor that it makes")
    place.add_argument("--tensors", nargs="+", help="part II starts from these tensors")
    parts = "a folder with part1.onnx, part2.onnx and split.json, as nnrd split writes them"
    place.add_argument("--parts", type=Path, metavar="FOLDER", help=parts)
    group.add_argument("--where", choices=["before", "after"], default="before")
    names = f"what compresses what crosses ({', '.join(codecs.available())}); may be repeated"
    group.add_argument("--codec", type=_named, action="append", metavar="NAME", help=names)
    group.add_argument(
        "--encode-algo", dest="codec", type=encode_algo.of_number, action="append",
        metavar="NUMBER", help=encode_algo.HELP,
    )  # fmt: skip
    words = "of the codec before them, as a JSON object"
    group.add_argument(
        "--parameters", type=json_object, action=_Parameters, metavar="JSON", help=words
    )
    for part, what in (("part1", "part I, and a whole model"), ("part2", "part II")):
        words = f"what runs {what} (by default a GPU if there is one)"
        group.add_argument(f"--{part}-provider", choices=DEVICES, help=words)


def _named(text: str) -> tuple[str, dict[str, Any]]:
    return text, {}


def of(args: argparse.Namespace, model: Model, work: Path) -> list[Way]:
    """Return the runs that the options ask for; UserError for two of the same name."""
    for device in (args.part1_provider, args.part2_provider):
        sessions.providers(device=device)  # refuses what is not here before anything runs
    splits = _splits(args, model, work)
    if not splits and args.codec:
        raise UserError("--codec: nothing is split; give --rank, --name, --tensors or --parts")
    whole = None
    if args.whole or not splits:
        whole = sessions.session(model.onnx, args.threads, device=args.part1_provider)
    ways = [Way(WHOLE, partial(Whole, whole), {})] if whole else []
    chosen = args.codec or [("raw", {})]
    ways += [_split(args, split, codec, whole) for split in splits for codec in chosen]
    names = [way.name for way in ways]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"run {name} is asked for twice")
    return ways


def _split(
    args: argparse.Namespace,
    split: Split,
    point: tuple[str, dict[str, Any]],
    whole: InferenceSession | None,
) -> Way:
    codec, parameters = point
    made = codecs.make(codec, **parameters)
    if not made.decodable:
        raise UserError(f"codec {codec}: is a bound on the rate; nothing can be decoded")
    said = {"codec": codec, "parameters": json.dumps(parameters, separators=(",", ":"))}
    name = ODD.sub("_", "-".join([split.name, codec, *(f"{k}{v}" for k, v in parameters.items())]))
    if len(name) > LONGEST:
        name = f"{name[:LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return Way(name, partial(_parts, args, split, made), split.labels | said, whole)


def _parts(args: argparse.Namespace, split: Split, codec: Codec) -> Chain:
    devices = (args.part1_provider, args.part2_provider)
    part1, part2 = (
        sessions.session(part, args.threads, device=device)
        for part, device in zip(split.parts, devices, strict=True)
    )
    return Parts(part1, part2, list(split.plan.crossing), codec, args.threads)


def _splits(args: argparse.Namespace, model: Model, work: Path) -> Sequence[Split]:
    if args.parts:
        return [_existing(args.parts)]
    asked: list[dict[str, Any]] = [{"rank": rank} for rank in args.rank or ()]
    asked += [{"name": args.name}] if args.name else []
    asked += [{"tensors": args.tensors}] if args.tensors else []
    if not asked:
        return []
    graph = Graph(files.load(model.onnx))
    plans = [cut(graph, where=args.where, **place) for place in asked]
    return [_cut(graph, plan, model.onnx, work) for plan in plans]


def _existing(folder: Path) -> Split:
    record = folder / "split.json"
    plan = Plan.from_record(read_record(record))
    first, second = (folder / f"{part}.onnx" for part in PARTS)
    for part in (first, second):
        lineage.verify_made(part, record)
    return Split(_name(plan), plan, (first, second))


def _cut(graph: Graph, plan: Plan, source: Path, work: Path) -> Split:
    folder = work / _name(plan)
    folder.mkdir(exist_ok=True)
    first, second = (folder / f"{part}.onnx" for part in PARTS)
    for model, path in zip(extract(graph, plan), (first, second), strict=True):
        files.save(model, path, folder=source.parent)
    return Split(_name(plan), plan, (first, second))


def _name(plan: Plan) -> str:
    return f"{AT if plan.where == AT else 'rank'}{plan.rank}"
