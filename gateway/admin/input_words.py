"""What does not fit a model, in our own words: the same from the API, a file and the environment."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import BaseModel, Field, ValidationError

from campaigns.model import FIELD_ID
from gateway.admin.refused import InputRefused, NameOdd
from routing.dialogues.plain_line import is_plain, plain_line
from routing.distribution.template import CLOCK_TIME
from routing.matrix.actions import RESPONSIBLE
from routing.outbound.settings import ZONE_FIELD
from routing.settings import DialoguePolicy
from routing.triggers.model import CHANGED_FIELD, CONDITION_OF
from runtime.typed.plain_numbers import is_plain_number, number_kind

M = TypeVar("M", bound=BaseModel)

_MOST = 50

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be a text",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "string_pattern_mismatch": "must be {form}",
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
    "date_type": "must be a day as 2026-12-31",
    "date_parsing": "must be a day as 2026-12-31",
    "date_from_datetime_parsing": "must be a day as 2026-12-31",
    "date_from_datetime_inexact": "must be a day as 2026-12-31",
    "datetime_type": "must be a moment as 2026-12-31T10:00:00+03:00",
    "datetime_parsing": "must be a moment as 2026-12-31T10:00:00+03:00",
    "datetime_from_date_parsing": "must be a moment as 2026-12-31T10:00:00+03:00",
    "timezone_aware": "must say its offset from UTC too, e.g. 2026-12-31T10:00:00+03:00",
    "finite_number": "must be a number",
    "int_parsing_size": "is too large a number",
    "path_type": "must be the path of a file or folder",
    "url_parsing": "must be an address as scheme://host",
    "url_type": "must be an address as scheme://host",
    "url_scheme": "must be an address that begins with {expected_schemes}",
    "url_syntax_violation": "must be an address as scheme://host",
    "url_too_long": "must be an address of {max_length} characters or fewer",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "decimal_max_digits": "must have {max_digits} digits or fewer",
    "decimal_max_places": "must have {decimal_places} places after the point or fewer",
    "decimal_whole_digits": "must have {whole_digits} digits before the point or fewer",
    "multiple_of": "must be a multiple of {multiple_of}",
    "mapping_type": "must be an object",
    "dataclass_type": "must be an object",
    "iterable_type": "must be a list",
    "none_required": "must be null",
    "bytes_type": "must be a text",
    "string_unicode": "must be a text in UTF-8",
    "time_type": "must be a time as 09:00",
    "time_parsing": "must be a time as 09:00",
    "uuid_type": "must be an id as 8f14e45f-ceea-467f-a1d6-91a1b2c3d4e5",
    "uuid_parsing": "must be an id as 8f14e45f-ceea-467f-a1d6-91a1b2c3d4e5",
    "timezone_naive": "must be a moment without an offset from UTC",
    "datetime_object_invalid": "must be a moment as 2026-12-31T10:00:00+03:00",
    "recursion_loop": "names itself",
    "value_error": "{error}",
    "assertion_error": "{error}",
}


def problems_of(err: ValidationError, whole: str, body: Any = None) -> list[tuple[str, str]]:
    """(path, what is wrong) of each. whole: how the input itself is called. body: the input, whose names make the path then."""
    found = err.errors(include_url=False, include_input=False)[:_MOST]
    return [(".".join(map(str, _place(e, body))) or whole, _message(e)) for e in found]


def _place(error: Mapping[str, Any], body: Any) -> list[str | int]:
    """Return where it stands in the body. Not every part of what the library says is a key: some name which model was tried."""
    loc = list(error["loc"])
    if body is None:
        return loc
    missing = loc[-1:] if error["type"] == "missing" else []
    named: list[str | int] = []
    for part in loc[: len(loc) - len(missing)]:
        if _is_inside(part, body):
            named.append(part)
            body = body[part]
    return [*named, *missing]


def _is_inside(part: str | int, body: Any) -> bool:
    if isinstance(body, dict):
        return part in body
    return isinstance(body, list) and isinstance(part, int) and part < len(body)


def _message(error: Mapping[str, Any]) -> str:
    words, values = _WORDS.get(error["type"]), error.get("ctx", {})
    form = FORMS.get(values.get("pattern", ""), "written otherwise")
    return words.format(form=form, **values) if words else "cannot be so"


COUNTED, SHORT_COUNTED = r"^[0-9]{1,18}$", r"^[0-9]{1,9}$"
MATRIX_VERSION = "^(draft|current|[0-9]{1,9})$"
JOURNAL_PLACE = r"^[0-9]{1,9}/(deal|contact|company|task)/.{1,64}$"
E164 = r"^\+[0-9]{1,15}$"
PAGE_ID = r"^[0-9A-Za-z_.:-]+$"
MESSAGE_KEY = r"^[A-Za-z0-9_-]{1,64}$"

FORMS: Mapping[str, str] = {
    CLOCK_TIME: "a time of day as 09:30, or 24:00 for its end",
    RESPONSIBLE: "who_answered, owner, owner_of_contact, owner_of_deal, senior, employee:ID, template or template:NAME",
    COUNTED: "a number of at most 18 digits",
    SHORT_COUNTED: "a number of at most 9 digits",
    MATRIX_VERSION: "draft, current, or the number of a version",
    JOURNAL_PLACE: "what `next` of the page before said",
    E164: "a phone number as +74951234567",
    CONDITION_OF: "price, tags, responsible, name, pipeline, stage, contact.name, deal.cf_NUMBER or contact.cf_NUMBER",
    CHANGED_FIELD: "deal.cf_ and the number of the field",
    FIELD_ID: "the number of a field",
    ZONE_FIELD: "contact.cf_ or deal.cf_ and the number of the field",
    PAGE_ID: "letters, digits and _ . : -",
    MESSAGE_KEY: "1 to 64 letters, digits, _ and -",
}
"""What a text must be that one of our patterns judges: nobody who types should have to read a pattern."""


LONGEST_ID, LONGEST_VERSION = 18, 9
"""Digits: as many as the database's numbers always hold."""


def is_counted(text: str, longest: int = LONGEST_ID) -> bool:
    """Whether it is a number as rows and versions are counted: plain digits, none of other scripts, not too many."""
    return text.isascii() and text.isdigit() and len(text) <= longest


def refuse_no_number(field: str, text: str | None) -> None:
    """Raise InputRefused for what no PBX calls a line of ours: nothing of it is a digit."""
    if text and not any(letter.isdigit() for letter in text):
        raise InputRefused(field, f"'{text}' is not a phone number", "write it as +74951234567")


def refuse_no_crm_number(field: str, text: str) -> None:
    """Raise InputRefused for what cannot be the id of anything in the CRM."""
    if not is_counted(text):
        raise InputRefused(field, f"'{text}' is no number of the CRM", CRM_NUMBER_REMEDY)


LONGEST_FREE_NAME = 100


def refuse_odd_name(what: str, name: str) -> None:
    """Raise NameOdd for a new name of a template, schedule or token that could not be written as it is in an address, on
    the command line and in a text. what: e.g. "template"."""
    is_plain = name == name.strip() and name.isprintable() and not set(name) & set("/?#%\\{}")
    if not is_plain or name.startswith("-") or not name.strip(".") or len(name) > LONGEST_FREE_NAME:
        remedy = f"write 1 to {LONGEST_FREE_NAME} characters, no / ? # % \\ {{ }} among them, no - first, no spaces around"
        raise NameOdd("name", f"'{name}' cannot be the name of a {what}", remedy)


LONGEST_NAME, LONGEST_EMAIL, LONGEST_GROUP = 200, 254, 100
LONGEST_REASON, LONGEST_NOTE = 500, 1000


def is_one_line(text: str) -> bool:
    """Whether it shows as it is in a table, a log and a terminal: no line break, no control character, nothing that turns
    the order of letters."""
    return all(map(is_plain, text))


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """Return what a program told as a name that people may give."""
    return plain_line(text, longest)


def fault_of_name(name: str, longest: int = LONGEST_NAME, what: str = "name") -> tuple[str, str] | None:
    """Return (what is wrong, what to do) of a name by which people call somebody or something; None: nothing is."""
    if not name.strip() or len(name) > longest:
        return f"the {what} is empty or too long", f"write 1 to {longest} characters"
    return None if is_one_line(name) else _BROKEN_LINE


def refuse_bad_name(name: str, field: str = "name") -> None:
    """Raise InputRefused where people could not call somebody or something so."""
    if fault := fault_of_name(name):
        raise InputRefused(field, *fault)


def refuse_bad_note(note: str, field: str = "note", what: str = "note") -> None:
    """Raise InputRefused for what says nothing, or too much, to those who ask later."""
    if not note.strip() or len(note) > LONGEST_NOTE:
        remedy = f"say why, in 1 to {LONGEST_NOTE} characters"
        raise InputRefused(field, f"the {what} is empty or too long", remedy)


def refuse_bad_line(field: str, text: str, longest: int) -> None:
    """Raise InputRefused for what is no single line, or too long; it may be empty."""
    refuse_long(field, text, longest)
    if not is_one_line(text):
        raise InputRefused(field, *_BROKEN_LINE)


def refuse_long(field: str, text: str, longest: int) -> None:
    """Raise InputRefused for what is longer, in the words in which a model of the API refuses the same."""
    if len(text) > longest:
        said = _WORDS["string_too_long"].format(max_length=longest)
        raise InputRefused(field, said, f"write {longest} characters or fewer")


_BROKEN_LINE = (
    "it holds a line break or another character that does not show",
    "write it in one line, of letters and signs that show",
)


def whole_number(field: str, text: str) -> int:
    """Read what was typed. Raise InputRefused in the words in which the API refuses the same."""
    if not is_counted(text.removeprefix("-")):
        raise InputRefused(field, _WORDS["int_parsing"], f"write it in {LONGEST_ID} digits or fewer")
    return int(text)


def refuse_odd_numbers(model: type[BaseModel], texts: Mapping[str, Any]) -> None:
    """Raise InputRefused where a number is expected and the text is none to a person, though it is to the program."""
    for name, field in model.model_fields.items():
        kind, text = number_kind(field.annotation), texts.get(name)
        if kind is not None and isinstance(text, str) and not is_plain_number(text, kind):
            said = _WORDS["int_parsing" if kind is int else "float_parsing"]
            raise InputRefused(name, said, "write it in digits, without spaces and signs between")


def validated(model: type[M], body: Any) -> M:
    """Return the body (as JSON or YAML gave it) as this model, nothing guessed but one thing: where a text is expected, a
    whole number stands for its digits, as people write extensions without quotes. Raise ValidationError, InputRefused."""
    try:
        return model.model_validate_json(orjson.dumps(body), strict=True)
    except ValidationError as err:
        texts = [e["loc"] for e in err.errors(include_url=False) if _is_unquoted(e)]
        if not texts:
            raise
    for loc in texts:
        _quote(body, loc)
    return model.model_validate_json(orjson.dumps(body), strict=True)


def _is_unquoted(error: Any) -> bool:
    value = error["input"]
    return error["type"] == "string_type" and isinstance(value, int) and not isinstance(value, bool)


def _quote(body: Any, loc: Sequence[str | int]) -> None:
    """Make a text of the number that stands there. Not every part of loc is a key: some name which model was tried."""
    for part in loc[:-1]:
        body = body[part] if _is_inside(part, body) else body
    last = loc[-1]
    held = body.get(last) if isinstance(body, dict) else body[last] if isinstance(last, int) else None
    if isinstance(held, int) and not isinstance(held, bool):
        body[last] = str(held)


MOST_DEPTH = 50
"""So many lists and objects may stand in one another: the deepest that we read has a fifth of it."""

_LARGEST = 2**63 - 1


def refuse_untakable(value: Any, whole: str) -> None:
    """Raise InputRefused for what no part of an input may be, keys included: a text that no database stores, a number that
    none counts, a depth that nobody means. value: as JSON or YAML gave it, without circles. whole: how the input is called."""
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        path, part, depth = waiting.pop()
        if isinstance(part, str):
            if is_unstorable(part):
                raise InputRefused(path or whole, "holds a NUL character or half a character", "leave it out")
        elif isinstance(part, int) and abs(part) > _LARGEST:
            raise InputRefused(path or whole, "is too large a number", "write it as a text, or smaller")
        elif isinstance(part, (dict, list)):
            if depth >= MOST_DEPTH:
                raise InputRefused(
                    ".".join(path.split(".")[:3]) or whole,
                    f"more than {MOST_DEPTH} levels stand in one another",
                    "write it flatter",
                )
            waiting += _inside(path, part, whole, depth + 1)


def _inside(
    path: str, part: dict[Any, Any] | list[Any], whole: str, depth: int
) -> list[tuple[str, Any, int]]:
    """(path, value, depth) of what a part holds, its keys too."""
    pairs = part.items() if isinstance(part, dict) else enumerate(part)
    held = [(f"{path}.{name}".lstrip("."), value, depth) for name, value in pairs]
    return held + ([(path or whole, key, depth) for key in part] if isinstance(part, dict) else [])


def is_unstorable(text: str) -> bool:
    """Whether no database stores it: a NUL character, or half a character as of bytes that are no UTF-8."""
    return "\x00" in text or (not text.isprintable() and _SURROGATE.search(text) is not None)


_SURROGATE = re.compile("[\ud800-\udfff]")


def described(pattern: str) -> Any:
    """Return a field whose form is told to programs here, and judged by the service, in the same words for every door."""
    return Field(json_schema_extra={"pattern": pattern})


SHORT_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
COUNTRY = r"^[A-Z]{2}$"
EMPLOYEE_ID = r"^[A-Za-z0-9._@-]{1,64}$"
USER_ID = r"^[0-9]{1,18}$"
CRM_NUMBER_REMEDY = "write the digits by which the CRM's address of it ends"
EXTENSION_REMEDY = "write up to 64 letters, digits and * # + . _ -"


def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def refuse_strangers(wanted: DialoguePolicy, before: DialoguePolicy, people: Collection[str]) -> None:
    """Raise InputRefused for an observer who is no employee. people: ids of the account's employees."""
    for who in wanted.observers:
        if who not in people and who not in before.observers:
            remedy = f"one of: {', '.join(sorted(people))}"
            raise InputRefused("dialogues.observers", f"there is no employee '{who}'", remedy)
