"""Values against a JSON schema; mistakes are said in one line with the key's path."""

import difflib
from collections.abc import Callable
from typing import Any

import jsonschema

# JSON Schema takes 3.0 for an integer; coders do not.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
_TYPES = {"array": "a list", "object": "a mapping", "integer": "an integer", "null": "empty"}


def first_mistake(schema: dict, value: Any) -> tuple[str, str] | None:
    """Return the first mistake as (key path, reason), e.g. ``("qp[1]", "3.5 is not an integer")``.

    The path is empty where the whole value is wrong; None if the value fits the schema.
    """
    errors = sorted(_Validator(schema).iter_errors(value), key=lambda e: list(map(str, e.path)))
    if not errors:
        return None
    error = jsonschema.exceptions.best_match(errors[:1])
    say = _REASONS.get(error.validator, lambda e: e.message)
    return key_path(error.absolute_path), say(error)


def key_path(parts: Any) -> str:
    """Return the parts of a path as a person writes them: ``splits[2].name``."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def unknown(word: str, name: Any, known: Any) -> str:
    """Say that a name is not known, with the nearest known ones or all of them."""
    known = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), known, n=3)
    if near:
        return f"unknown {word} {name!r}; did you mean {' or '.join(near)}?"
    return f"unknown {word} {name!r}; known: {', '.join(known) or 'none'}"


def _unknown_key(error: jsonschema.ValidationError) -> str:
    schema: Any = error.schema
    instance: Any = error.instance
    known = schema.get("properties", {})
    extra = next(key for key in instance if key not in known)
    return unknown("key", extra, known)


def _wrong_type(error: jsonschema.ValidationError) -> str:
    value: Any = error.validator_value
    kinds = [value] if isinstance(value, str) else value
    return f"{error.instance!r} is not {' or '.join(_TYPES.get(k, f'a {k}') for k in kinds)}"


def _not_in_enum(error: jsonschema.ValidationError) -> str:
    allowed: Any = error.validator_value
    return f"{error.instance!r} is none of {', '.join(map(str, allowed))}"


_REASONS: dict[str, Callable[[jsonschema.ValidationError], str]] = {
    "additionalProperties": _unknown_key,
    "type": _wrong_type,
    "minimum": lambda e: f"{e.instance!r} is below {e.validator_value}",
    "maximum": lambda e: f"{e.instance!r} is above {e.validator_value}",
    "enum": _not_in_enum,
    "required": lambda e: e.message.replace("a required property", "missing"),
    "minItems": lambda e: "the list is empty",
    "pattern": lambda e: f"{e.instance!r} does not match {e.validator_value}",
    "minLength": lambda e: "it is empty",
}
