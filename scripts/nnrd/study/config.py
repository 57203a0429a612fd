"""The configuration: checked before any work, with one line a mistake."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from nnrd.assets import availability
from nnrd.core import plug_ins
from nnrd.core import sheets as core_sheets
from nnrd.core.errors import UserError
from nnrd.core.schema import first_mistake, unknown, with_defaults
from nnrd.study import sheets
from nnrd.study.graphs import Graphs
from nnrd.study.kinds import KINDS
from nnrd.study.kinds.base import Context, Study
from nnrd.study.origins import Origins
from nnrd.study.paths import ALL
from nnrd.study.places import Places

SHEETS = ("assets", "models", "datasets")


@dataclass(frozen=True)
class Settings:
    """A configuration with its defaults filled in, its sheets, and its studies.

    ``places`` says where the files are that it names. ``studies`` are those to make; ``left_out``:
    why an optional one cannot be made here. Of all that the configuration declares, ``declared``
    are right, to be made or not, and ``broken`` have a mistake, which it says.
    """

    config: dict[str, Any]
    places: Places
    sheets: sheets.Sheets
    studies: dict[str, Study]
    left_out: dict[str, str]
    declared: dict[str, Study]
    broken: dict[str, str]


def load(
    config: Mapping[str, Any],
    origin: str | Origins,
    root: str | Path = ".",
    checkout: str | Path | None = None,
) -> Settings:
    """Check a configuration and expand its studies.

    ``origin`` is what messages call it, or the files that it was merged of; ``root`` is where the
    run is, ``checkout`` where nnrd is, if elsewhere. Raises UserError, one line with the file and
    the key's path: unknown keys and names, values that are out of range, splits outside the
    model, operating points that a codec does not take, a plug-in that fails. A study that is not to
    be made may have any mistake but one of its shape.
    """
    origins = Origins({origin: config}) if isinstance(origin, str) else origin
    with plug_ins.told():
        return _Loader(origins, Places(Path(root), Path(checkout or root))).load(dict(config))


def read_sheets(config: Mapping[str, Any], origins: Origins, root: str | Path) -> sheets.Sheets:
    """Return the rows of a configuration's sheets, whatever its studies are."""
    loader = _Loader(origins, Places(Path(root), Path(root)))  # UserErrors are those of `load`
    schema = core_sheets.schema("config")
    return sheets.read(loader.sheets(loader.check(schema, from_command_line(schema, dict(config)))))


class _Loader:
    def __init__(self, origins: Origins, places: Places) -> None:
        self.origins, self.places = origins, places

    def fail(self, key: str, reason: str) -> NoReturn:
        file = self.origins.of(key)
        raise UserError(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")

    def check(self, schema: dict[str, Any], value: Any, key: str = "") -> Any:
        """Return a value with the schema's defaults, having checked it."""
        mistake = first_mistake(schema, value)
        if mistake:
            path, reason = mistake
            joined = path if path.startswith("[") or not (key and path) else f".{path}"
            self.fail(f"{key}{joined}", reason)
        return with_defaults(schema, value)

    def load(self, given: dict[str, Any]) -> Settings:
        schema = core_sheets.schema("config")
        config = self.check(schema, from_command_line(schema, given))
        found = sheets.read(self.sheets(config))
        context = Context(found, self.places, Graphs(found, self.places), self.fail)
        if ALL in config["studies"]:
            self.fail(f"studies.{ALL}", "a study cannot have this name")
        for i, name in enumerate(config["run"]):
            if name not in config["studies"]:
                self.fail(f"run[{i}]", unknown("study", name, config["studies"]))
        declared, broken = self.studies(context, schema, config)
        left_out = self.left_out(config, context, declared)
        chosen = {name: declared[name] for name in config["run"] if name not in left_out}
        if not chosen:
            self.fail("run", "; ".join(f"{name}: {why}" for name, why in left_out.items()))
        self.check_shards(chosen)
        self.check_files(context, chosen)
        return Settings(config, self.places, context.sheets, chosen, left_out, declared, broken)

    def sheets(self, config: dict[str, Any]) -> sheets.Given:
        """Return what the configuration says of its sheets: files, and rows of its own."""
        files = {name: config["sheets"][name] for name in SHEETS}
        lists = {name: [file] if isinstance(file, str) else file for name, file in files.items()}
        rows = {name: config[name] for name in SHEETS}
        return sheets.Given(lists, rows, self.origins.of, self.places.file)

    def studies(
        self, context: Context, schema: dict, config: dict
    ) -> tuple[dict[str, Study], dict[str, str]]:
        """Return the studies that are right, and the mistakes of those that nobody asked for."""
        right: dict[str, Study] = {}
        broken: dict[str, str] = {}
        for name, given in config["studies"].items():
            try:
                right[name] = self.study(context, schema, name, given)
            except UserError as error:
                if name in config["run"]:
                    raise
                broken[name] = str(error)
        return right, broken

    def study(self, context: Context, schema: dict, name: str, given: dict) -> Study:
        """Check a study against its kind's schema, and expand it."""
        key = f"studies.{name}"
        if given["kind"] not in KINDS:
            self.fail(f"{key}.kind", unknown("kind", given["kind"], KINDS))
        kind = KINDS[given["kind"]]
        checked = self.check(study_schema(schema, kind.name), given, key)
        return kind.study(context, name, checked)

    def left_out(self, config: dict, context: Context, studies: dict[str, Study]) -> dict[str, str]:
        """Return the optional studies whose assets this machine cannot get, and why."""
        reasons: dict[str, str] = {}
        for name in config["run"]:
            if not config["studies"][name].get("optional"):
                continue
            for asset in studies[name].assets(context.sheets):
                reason = availability.missing(context.sheets.assets[asset], self.places.root)
                if reason:
                    reasons.setdefault(name, reason)
        return reasons

    def check_shards(self, studies: dict[str, Study]) -> None:
        """Refuse studies that would cut the same items into other shards."""
        seen: dict[str, tuple[str, list[str]]] = {}
        for study in studies.values():
            for data in study.selections:
                other, shards = seen.setdefault(data.id, (study.name, data.shards))
                if shards != data.shards:
                    reason = f"shard_size must be that of study {other}"
                    self.fail(f"studies.{study.name}", f"{reason}, which has the same items")

    def check_files(self, context: Context, studies: dict[str, Study]) -> None:
        """Refuse studies of files that are not on this machine, or that it cannot get."""
        if self.places.root.resolve() != self.places.checkout.resolve():
            return  # another workflow, of which nnrd is a module, may make them
        for study in studies.values():
            for data in study.selections:
                reason = context.sheets.missing(data.dataset, self.places)
                if reason:
                    self.fail(f"studies.{study.name}", reason)
            for asset in study.assets(context.sheets):
                reason = availability.missing(context.sheets.assets[asset], self.places.root)
                if reason:
                    self.fail(f"studies.{study.name}", f"asset {asset}: {reason}")


def study_schema(schema: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the schema of a study of a kind: its own properties with those of what it extends."""
    own = schema["$defs"][kind]
    base = schema["$defs"].get(own.get("extends"), {"properties": {}, "required": []})
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*base["required"], *own.get("required", [])],
        "dependentRequired": base.get("dependentRequired", {}) | own.get("dependentRequired", {}),
        "properties": base["properties"] | own["properties"],
    }


def from_command_line(schema: Mapping[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with the switches that ``--config KEY=true`` left as words."""
    switches = [key for key, rule in schema["properties"].items() if rule["type"] == "boolean"]
    words = {"true": True, "false": False}
    found = {
        key: words[config[key]]
        for key in switches
        if isinstance(config.get(key), str) and config[key] in words
    }
    return config | found
