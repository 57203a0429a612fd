"""Values against a JSON schema; mistakes are said in one line with the key's path."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a job that has nothing to check does without its import
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """Check a pattern as JSON Schema means it: in Python ``$`` would let a line's end pass."""
    from jsonschema import ValidationError

    exact = re.sub(r"\$$", r"\\Z", pattern)
    if isinstance(value, str) and not re.search(exact, value):
        yield ValidationError("")


def _needed(_: Any, needs: dict, value: Any, __: Any) -> Iterator[ValidationError]:
    """Check ``dependentRequired``, and blame the key that would be ignored, not the mapping.

    A key that is empty is as one that is not there.
    """
    from jsonschema import ValidationError

    if isinstance(value, dict):
        for key in needs.keys() & value.keys():
            missing = [other for other in needs[key] if value.get(other) in (None, [], {})]
            if missing:
                reason = f"is ignored without {' and '.join(map(repr, missing))}"
                yield ValidationError(f"{reason}: leave it out", path=[key])


@cache
def _validator() -> type[Validator]:
    """Return what checks a value; JSON Schema takes 3.0 for an integer, coders do not."""
    import jsonschema

    return jsonschema.validators.extend(
        jsonschema.Draft202012Validator,
        {"pattern": _pattern, "dependentRequired": _needed},
        type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
            "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
        ),
    )


MAX_DEPTH, MAX_VALUES = 32, 100_000
_TYPES = {"array": "a list", "object": "a mapping", "integer": "an integer", "null": "empty"}


def first_mistake(schema: dict, value: Any) -> tuple[str, str] | None:
    """Return the first mistake as (key path, reason), e.g. ``("qp[1]", "3.5 is not an integer")``.

    The path is empty where the whole value is wrong; None if the value fits the schema. Whatever
    the schema, a value is refused that is nested deeper than `MAX_DEPTH`, has more values than
    `MAX_VALUES` with YAML's aliases written out, keys that are no text, NUL characters, or
    integers of more than 64 bits.
    """
    outside = beyond_bounds(value)
    if outside or fits_plainly(schema, value):
        return outside
    from jsonschema.exceptions import best_match

    errors = sorted(_validator()(schema).iter_errors(value), key=lambda e: list(map(str, e.path)))
    if not errors:
        return None
    error = best_match(errors[:1])
    say = _REASONS.get(error.validator, lambda e: e.message[:200])
    return key_path(error.absolute_path), say(error)


# What `fits_plainly` knows of the schema of a mapping, and of that of a value in it.
OUTER = {"type", "properties", "required", "additionalProperties", "description"}
INNER = {"type", "minimum", "maximum", "description"}
KINDS: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
}


def fits_plainly(schema: dict, value: Any) -> bool:
    """Say whether a mapping certainly fits; False: it may still, `first_mistake` finds out.

    Most of what a job checks is a few numbers, which are right; importing jsonschema to say so
    would take it longer than anything else that it imports but NumPy.
    """
    if schema.keys() - OUTER or schema.get("type") != "object" or type(value) is not dict:
        return False
    rules, missing = schema.get("properties", {}), set(schema.get("required", ())) - value.keys()
    return not missing and all(k in rules and _plainly(rules[k], v) for k, v in value.items())


def _plainly(rule: dict, value: Any) -> bool:
    if not rule.keys() - {"enum", "description"}:
        return any(type(value) is type(v) and value == v for v in rule.get("enum", ()))
    if rule.keys() - INNER or type(value) not in KINDS.get(str(rule.get("type")), ()):
        return False
    return rule.get("minimum", value) <= value <= rule.get("maximum", value)


def beyond_bounds(value: Any) -> tuple[str, str] | None:
    """Return a place that is beyond what any value may be, and the reason; see `first_mistake`."""
    seen: list[tuple] = []
    for path, item in itertools.islice(_walk(value), MAX_VALUES):
        reason = _beyond(item) if len(path) <= MAX_DEPTH else f"is nested deeper than {MAX_DEPTH}"
        if reason:
            return key_path(path[:3]), reason
        seen.append(path[:3])
    if len(seen) < MAX_VALUES:
        return None
    reason = f"more than {MAX_VALUES} values, those that YAML's aliases repeat included"
    return key_path(_crowded(seen)), reason


def _walk(value: Any) -> Iterator[tuple[tuple, Any]]:
    """Yield the path of each value and the value, with what aliases repeat; perhaps without end."""
    waiting: list[tuple[tuple, Any]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        yield path, item
        waiting.extend(((*path, key), part) for key, part in _inner(item))


def _crowded(paths: list[tuple]) -> tuple:
    """Return the longest path below which most of some are."""
    counts = Counter(path[:length] for path in paths for length in range(len(path) + 1))
    return max((path for path, n in counts.items() if n > len(paths) / 2), key=len)


def _inner(item: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(item, dict):
        return item.items()
    return enumerate(item) if isinstance(item, list) else ()


def _beyond(item: Any) -> str | None:
    if isinstance(item, str) and "\0" in item:
        return "a NUL character cannot stand in it"
    if isinstance(item, int) and abs(item) >= 2**63:
        return "an integer of more than 64 bits"
    if isinstance(item, dict):
        odd = [key for key in item if not isinstance(key, str)]
        return f"the key {odd[0]!r} is no text: put it in quotes" if odd else None
    return None


def key_path(parts: Any) -> str:
    """Return the parts of a path as a person writes them: ``splits[2].name``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def unknown(word: str, name: Any, known: Any) -> str:
    """Say that a name is not known, with the nearest known ones or all of them."""
    import difflib

    known = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), known, n=3)
    if near:
        return f"unknown {word} {name!r}; did you mean {' or '.join(near)}?"
    return f"unknown {word} {name!r}; known: {', '.join(known) or 'none'}"


def _unknown_key(error: ValidationError) -> str:
    schema: Any = error.schema
    instance: Any = error.instance
    known = schema.get("properties", {})
    extra = next(key for key in instance if key not in known)
    return unknown("key", extra, known)


def _wrong_type(error: ValidationError) -> str:
    value: Any = error.validator_value
    kinds = [value] if isinstance(value, str) else value
    return f"{error.instance!r:.60} is not {' or '.join(_TYPES.get(k, f'a {k}') for k in kinds)}"


def _not_in_enum(error: ValidationError) -> str:
    allowed: Any = error.validator_value
    return f"{error.instance!r:.60} is none of {', '.join(map(str, allowed))}"


def _excluded(error: ValidationError) -> str:
    """Say which of the two things that the schemas refuse so it is.

    Anything (``{}``), where another key makes it of no use; or a name that Snakemake takes for an
    endless recursion.
    """
    if error.validator_value == {}:
        return "is ignored beside the other keys: leave it out"
    return f"{error.instance!r} ends in 20 repetitions, which Snakemake refuses in a path"


_REASONS: dict[str, Callable[[ValidationError], str]] = {
    "additionalProperties": _unknown_key,
    "type": _wrong_type,
    "minimum": lambda e: f"{e.instance!r:.60} is below {e.validator_value}",
    "maximum": lambda e: f"{e.instance!r:.60} is above {e.validator_value}",
    "enum": _not_in_enum,
    "required": lambda e: e.message.replace("a required property", "missing"),
    "minItems": lambda e: "the list is empty",
    "pattern": lambda e: f"{e.instance!r:.60} does not match {e.validator_value}",
    "minLength": lambda e: "it is empty",
    "maxLength": lambda e: f"{e.instance!r:.60} has more than {e.validator_value} characters",
    "not": _excluded,
}


def with_defaults(schema: dict[str, Any], value: Any) -> Any:
    """Return a value that fits ``schema`` with the schema's defaults filled in."""
    if isinstance(value, dict):
        named = schema.get("properties", {})
        filled = {key: with_defaults(_rule(schema, key), item) for key, item in value.items()}
        for key, rule in named.items():
            optional = "properties" in rule and "required" not in rule
            if key not in filled and ("default" in rule or optional):
                filled[key] = with_defaults(rule, rule.get("default", {}))
        return filled
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), item) for item in value]
    return value


def _rule(schema: dict[str, Any], key: str) -> dict[str, Any]:
    extra = schema.get("additionalProperties")
    return schema.get("properties", {}).get(key, extra if isinstance(extra, dict) else {})
