"""What does not fit a model, in our own words: the same from the API, a file and the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from gateway.admin.refused import InputRefused

_MOST = 50

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be a text",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "string_pattern_mismatch": "is not written as {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "too_short": "must have {min_length} entries or more",
    "too_long": "must have {max_length} entries or fewer",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must have as {discriminator} one of {expected_tags}",
    "union_tag_not_found": "must say its {discriminator}",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def problems_of(err: ValidationError, whole: str) -> list[tuple[str, str]]:
    """(path, what is wrong) of each. whole: how the input itself is called."""
    return [
        (".".join(str(part) for part in e["loc"]) or whole, _message(e))
        for e in err.errors(include_url=False, include_input=False)[:_MOST]
    ]


def _message(error: Mapping[str, Any]) -> str:
    words = _WORDS.get(error["type"])
    return words.format(**error.get("ctx", {})) if words else str(error["msg"])


def whole_number(field: str, text: str) -> int:
    """Read what was typed. Raise InputRefused in the words in which the API refuses the same."""
    try:
        return int(text)
    except ValueError as err:
        raise InputRefused(field, _WORDS["int_parsing"], "write it in digits") from err


def refuse_unstorable(value: Any, whole: str) -> None:
    """Raise InputRefused for a text that no database stores, keys included. value: as JSON or YAML gave it. whole: how the
    input itself is called."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, str):
            if "\x00" in part or (not part.isprintable() and _SURROGATE.search(part)):
                raise InputRefused(path or whole, "holds a NUL character or half a character", "leave it out")
        elif isinstance(part, dict):
            waiting += ((path or whole, key) for key in part)
            waiting += ((f"{path}.{key}".lstrip("."), v) for key, v in part.items())
        elif isinstance(part, list):
            waiting += ((f"{path}.{position}".lstrip("."), v) for position, v in enumerate(part))


_SURROGATE = re.compile("[\ud800-\udfff]")


def described(pattern: str) -> Any:
    """Return a field whose form is told to programs here, and judged by the service, in the same words for every door."""
    return Field(json_schema_extra={"pattern": pattern})


SHORT_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
COUNTRY = r"^[A-Z]{2}$"
EMPLOYEE_ID = r"^[A-Za-z0-9._@-]{1,64}$"
USER_ID = r"^[0-9]{1,18}$"
EXTENSION = re.compile(r"[A-Za-z0-9*#+._-]{1,64}", re.ASCII)
EXTENSION_REMEDY = "write up to 64 letters, digits and * # + . _ -"
