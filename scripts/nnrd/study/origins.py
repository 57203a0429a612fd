"""Which file of a configuration says what, so that a message names the file to mend."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nnrd.core.errors import UserError
from nnrd.core.schema import beyond_bounds

COMMAND_LINE = "--config"
WHOLE = "the configuration"  # given by another workflow, in no file


class Origins:
    """The parts that a configuration was merged of, by what messages call them, the last on top."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.parts = parts

    def of(self, key: str) -> str:
        """Return the part that says a key, ``studies.demo.codecs[1]``, or most of its path.

        Where several say it the last one counts, as it does in the merged configuration.
        """
        if not self.parts:
            return WHOLE
        steps = [int(s) if s.isdigit() else s for s in re.findall(r"[^.\[\]]+", key)]
        return max(reversed(list(self.parts)), key=lambda name: _depth(self.parts[name], steps))


def read(files: Iterable[str | Path], command_line: Mapping[str, Any] | None = None) -> Origins:
    """Return the origins of some files, in the order in which they are merged.

    ``command_line``: what ``--config`` gave, which comes last. Raises UserError for a file that
    is missing or is not YAML.
    """
    parts = {_called(Path(file)): _content(Path(file)) for file in files}
    return Origins(parts | ({COMMAND_LINE: command_line} if command_line else {}))


def merged(origins: Origins) -> dict[str, Any]:
    """Return the configuration: mappings are joined, all else is replaced, as Snakemake does."""
    found: dict[str, Any] = {}
    for part in origins.parts.values():
        found = _joined(found, part)
    return found


def _called(file: Path) -> str:
    """Return what a message calls a file: its path from here, where it is below."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def look(file: str | Path) -> None:
    """Raise UserError for a file that is there and is no configuration, or too large to be one."""
    if Path(file).exists():
        _content(Path(file))


class _Loader(yaml.SafeLoader):
    """Reads YAML in which no key is given twice; YAML's own rule is that the last one counts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value != "<<" and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"key {key.value!r:.60} is given twice"
                    raise yaml.constructor.ConstructorError(
                        problem=problem, problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8-sig"), _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{file}:{line}: {error.problem}") from None
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{file}: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: not a configuration: keys with values")
    mistake = beyond_bounds(content)
    if mistake:
        raise UserError(": ".join(part for part in (str(file), *mistake) if part))
    return content


def _joined(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _joined(below.get(key), value) for key, value in above.items()}


def _depth(content: Any, steps: list[str | int]) -> int:
    """Return how many steps of a path are there."""
    for count, step in enumerate(steps):
        there = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if not there and not (isinstance(content, dict) and step in content):
            return count
        content = content[step]
    return len(steps)
