"""The configuration: checked before any work, with one line a mistake."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnrd import availability, codecs, encoder_config, sheets
from nnrd.errors import UserError
from nnrd.points import (
    ALL,
    KINDS,
    Anchor,
    Point,
    Split,
    combinations,
    fits_a_path,
    shards,
    slug,
)
from nnrd.schema import first_mistake, unknown


@dataclass(frozen=True)
class Study:
    """A study: a model on a dataset, at some splits, through some codecs."""

    name: str
    kind: str
    model: str
    dataset: str
    shards: list[str]
    items: int
    splits: list[Split]
    points: list[Point]
    overlays: list[Point]
    plots: tuple[str, ...]

    @property
    def anchor(self) -> Anchor:
        """What the points are held against."""
        return Anchor(self.model, self.dataset)

    @property
    def records(self) -> list[Anchor | Point]:
        """All that is measured: the anchor, then the points."""
        return [self.anchor, *self.points]


@dataclass(frozen=True)
class Settings:
    """A configuration with its defaults filled in, its sheets, and the studies to make."""

    config: dict
    assets: dict[str, list[dict]]
    models: dict[str, dict]
    datasets: dict[str, dict]
    studies: dict[str, Study]
    left_out: dict[str, str]  # study → why an optional study cannot be made here


def load(config: Mapping[str, Any], file: str, root: str | Path = ".") -> Settings:
    """Check a configuration and expand the studies that it wants made.

    ``file`` is what messages call it; ``root`` is the checkout. Raises UserError, one line with
    the file and the key's path: unknown keys and names, values that are out of range, splits
    outside the model, operating points that a codec does not take.
    """
    return _Loader(dict(config), file, Path(root)).load()


class _Loader:
    def __init__(self, config: dict, file: str, root: Path):
        self.config, self.file, self.root = config, file, root

    def fail(self, key: str, reason: str) -> None:
        raise UserError(f"{self.file}: {key}: {reason}" if key else f"{self.file}: {reason}")

    def load(self) -> Settings:
        schema = sheets.schema("config")
        self.config = from_command_line(schema, self.config)
        mistake = first_mistake(schema, self.config)
        if mistake:
            self.fail(*mistake)
        config = with_defaults(schema, self.config)
        self.assets = self.read_assets(config["sheets"]["assets"])
        self.models = self.named(config, "models", "model")
        self.datasets = self.named(config, "datasets", "dataset")
        for i, name in enumerate(config["run"]):
            if name not in config["studies"]:
                self.fail(f"run[{i}]", unknown("study", name, config["studies"]))
        if ALL in config["studies"]:
            self.fail(f"studies.{ALL}", "a study cannot have this name")
        studies = {name: self.study(name, study) for name, study in config["studies"].items()}
        left_out = self.left_out(config, studies)
        chosen = {name: studies[name] for name in config["run"] if name not in left_out}
        if not chosen:
            self.fail("run", "; ".join(f"{name}: {why}" for name, why in left_out.items()))
        self.check_shards(chosen)
        return Settings(config, self.assets, self.models, self.datasets, chosen, left_out)

    def left_out(self, config: dict, studies: dict[str, Study]) -> dict[str, str]:
        """Return the optional studies whose assets this machine cannot get, and why."""
        reasons = {}
        for name in config["run"]:
            rows = (self.models[studies[name].model], self.datasets[studies[name].dataset])
            assets = [row["asset"] for row in rows if "asset" in row]
            if config["studies"][name]["optional"]:
                found = [availability.missing(self.assets[asset], self.root) for asset in assets]
                if any(found):
                    reasons[name] = next(filter(None, found))
        return reasons

    def read_assets(self, sheet: str) -> dict[str, list[dict]]:
        assets: dict[str, list[dict]] = {}
        for row in sheets.read(self.root / sheet, "assets"):
            assets.setdefault(row["asset"], []).append(row)
        return assets

    def named(self, config: dict, sheet: str, column: str) -> dict[str, dict]:
        rows = sheets.by_name(self.root / config["sheets"][sheet], sheet, column)
        for name, row in rows.items():
            if "asset" in row and row["asset"] not in self.assets:
                reason = unknown("asset", row["asset"], self.assets)
                raise UserError(f"{config['sheets'][sheet]}: {name}: {reason}")
        return rows

    def study(self, name: str, study: dict) -> Study:
        key = f"studies.{name}"
        for column, rows in (("model", self.models), ("dataset", self.datasets)):
            if study[column] not in rows:
                self.fail(f"{key}.{column}", unknown(column, study[column], rows))
        model, dataset = self.models[study["model"]], self.datasets[study["dataset"]]
        if model.get("task") != dataset["task"]:
            task = model.get("task", "no task")
            self.fail(f"{key}.dataset", f"is for {dataset['task']}, the model for {task}")
        items = study.get("items", dataset["items"])
        if items > dataset["items"]:
            self.fail(f"{key}.items", f"{items} of {dataset['items']} items")
        kind = KINDS[study["kind"]]
        for column in kind.columns:
            if column not in model:
                need = f"which a study of kind {study['kind']} needs"
                self.fail(f"{key}.model", f"{study['model']} has no {column} in the sheet, {need}")
        splits = self.splits(f"{key}.splits", study, model)
        points = [
            kind(study["model"], study["dataset"], split, codec, parameters)
            for codec, parameters in self.operating_points(f"{key}.codecs", study["codecs"])
            for split in splits or [None]
        ]
        overlays = self.overlays(f"{key}.overlays", study["overlays"], splits, points)
        names = shards(items, study["shard_size"])
        return Study(
            name, study["kind"], study["model"], study["dataset"], names, items, splits, points,
            overlays, kind.plots,
        )  # fmt: skip

    def splits(self, key: str, study: dict, model: dict) -> list[Split]:
        if KINDS[study["kind"]].is_split != ("splits" in study):
            need = "missing: needed in" if "splits" not in study else "must not be in"
            self.fail(key, f"{need} a study of kind {study['kind']}")
        splits: dict[str, Split] = {}
        for i, given in enumerate(study.get("splits", [])):
            split = Split(rank=given) if isinstance(given, int) else Split(**given)
            nodes = model.get("nodes")
            if split.rank is not None and nodes and split.rank >= nodes:
                where = f"1..{nodes - 1} of {study['model']}"
                self.fail(f"{key}[{i}]", f"rank {split.rank} is out of range {where}")
            if split.id in splits:
                self.fail(f"{key}[{i}]", f"{given!r} stands there twice")
            splits[split.id] = split
        return list(splits.values())

    def operating_points(self, key: str, given: list) -> list[tuple[str, dict]]:
        found: dict[tuple[str, str], tuple[str, dict]] = {}
        for i, entry in enumerate(given):
            codec, values = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
            where = f"{key}[{i}]"
            if codec not in codecs.available():
                self.fail(where, unknown("codec", codec, codecs.available()))
            if not isinstance(values, dict):
                self.fail(f"{where}.{codec}", f"{values!r} is not a mapping of parameters")
            for parameters in combinations(self.with_file(f"{where}.{codec}", codec, values)):
                self.check_operating_point(f"{where}.{codec}", codec, parameters)
                if (codec, slug(parameters)) in found:
                    self.fail(where, f"{codec} at {slug(parameters)} stands there twice")
                found[codec, slug(parameters)] = (codec, parameters)
        return list(found.values())

    def with_file(self, key: str, codec: str, values: dict) -> dict:
        """Return parameters with those of an encoder configuration file below them."""
        if codec != encoder_config.CODEC or encoder_config.KEY not in values:
            return values
        try:
            read = encoder_config.read(self.root / str(values[encoder_config.KEY]))
        except UserError as error:
            self.fail(f"{key}.{encoder_config.KEY}", str(error))
        return read | {name: v for name, v in values.items() if name != encoder_config.KEY}

    def check_operating_point(self, key: str, codec: str, parameters: dict) -> None:
        try:
            codecs.check(codec, parameters)
        except UserError as error:
            self.fail(key, str(error).removeprefix(f"codec {codec}: "))
        for name, value in parameters.items():
            if not fits_a_path(value):
                self.fail(f"{key}.{name}", f"{value!r} cannot stand in a path")

    def overlays(self, key: str, given: list, splits: list, points: list) -> list[Point]:
        overlays = []
        for i, entry in enumerate(given):
            if entry["split"] >= len(splits):
                self.fail(f"{key}[{i}].split", f"there are {len(splits)} splits, from 0")
            wanted = (splits[entry["split"]], entry["codec"], slug(entry["parameters"]))
            for point in points:
                if (point.split, point.codec, slug(point.parameters)) == wanted:
                    overlays.append(point)
                    break
            else:
                self.fail(f"{key}[{i}]", f"{wanted[1]} at {wanted[2]} is no point of the study")
        return overlays

    def check_shards(self, studies: dict[str, Study]) -> None:
        """Studies that are made together share a dataset's index and its shards."""
        seen: dict[str, Study] = {}
        for study in studies.values():
            other = seen.setdefault(study.dataset, study)
            if (other.items, other.shards) != (study.items, study.shards):
                reason = f"items and shard_size must be those of study {other.name}"
                self.fail(f"studies.{study.name}", f"{reason}, which has the same dataset")


def from_command_line(schema: dict, config: dict) -> dict:
    """Return a configuration with the switches that ``--config KEY=true`` left as words."""
    switches = [key for key, rule in schema["properties"].items() if rule["type"] == "boolean"]
    words = {"true": True, "false": False}
    found = {key: words[config[key]] for key in switches if config.get(key) in words}
    return config | found


def with_defaults(schema: dict, value: Any) -> Any:
    """Return a value that fits ``schema`` with the schema's defaults filled in."""
    if isinstance(value, dict):
        named = schema.get("properties", {})
        filled = {key: with_defaults(_rule(schema, key), item) for key, item in value.items()}
        for key, rule in named.items():
            if key not in filled and ("default" in rule or "properties" in rule):
                filled[key] = with_defaults(rule, rule.get("default", {}))
        return filled
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    return value


def _rule(schema: dict, key: str) -> dict:
    extra = schema.get("additionalProperties")
    return schema.get("properties", {}).get(key, extra if isinstance(extra, dict) else {})
