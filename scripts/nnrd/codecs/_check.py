"""Parameters against their JSON schema, mistakes said in one line."""

from typing import Any

import jsonschema

# JSON Schema takes 3.0 for an integer; the coders do not.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
_WORDS = {
    "type": lambda e: f"{e.instance!r} is not {_article(e.validator_value)}",
    "minimum": lambda e: f"{e.instance!r} is below {e.validator_value}",
    "maximum": lambda e: f"{e.instance!r} is above {e.validator_value}",
    "enum": lambda e: f"{e.instance!r} is none of {', '.join(map(repr, e.validator_value))}",
}


def first_mistake(schema: dict, parameters: Any) -> str | None:
    """Return the first mistake, as "qp: 3.5 is not an integer", or None."""
    errors = sorted(
        _Validator(schema).iter_errors(parameters), key=lambda e: list(map(str, e.path))
    )
    if not errors:
        return None
    error = errors[0]
    if error.validator == "additionalProperties":
        return _unknown(error)
    words = _WORDS.get(error.validator, lambda e: e.message)(error)
    return ": ".join([".".join(map(str, error.path)), words]) if error.path else words


def _unknown(error: jsonschema.ValidationError) -> str:
    known = error.schema["properties"]
    extra = next(key for key in error.instance if key not in known)
    return f"{extra}: unknown parameter; known are {', '.join(known) or 'none'}"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
