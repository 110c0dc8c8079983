"""CRM webhooks as values: the PHP-bracket form that amoCRM posts -> `WebhookChange`s. Pure, no framework.

Every value arrives as text, what is empty is often absent, companies arrive under `contacts` with `type=company`, and
one delivery may hold several changes. Keys that we do not know are left alone; a change of a kind that we do not know is
passed over, since a new kind of webhook must not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl

from crm.amocrm.changes import WebhookChange, What, entity_changes, observed
from crm.amocrm.tables import CLOSED_STAGES, KIND_OF_ELEMENT
from crm.port import EntityChange, Observed

LONGEST_BODY = 1024 * 1024
MOST_PAIRS = 50_000
DEEPEST = 12

Tree = dict[str, "Tree | str"]

_VERBS: Mapping[str, What] = {
    "add": "added",
    "update": "updated",
    "delete": "deleted",
    "restore": "restored",
    "status": "stage_changed",
    "responsible": "owner_changed",
    "note": "noted",
}


_OUTCOMES: Mapping[str, Literal["accepted", "declined"]] = {"accept": "accepted", "decline": "declined"}


class WebhookInvalid(Exception):
    """The delivery cannot be understood. field: the key that is wrong, e.g. `leads.add.0.id`."""

    code = "webhook-invalid"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field or 'body'}: {why}")
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """account_id, subdomain: as the delivery names its account, None where it does not.

    told: everything that it holds, for triggers. changes: what of it concerns the directory.
    """

    account_id: str | None
    subdomain: str | None
    told: tuple[WebhookChange, ...]

    @property
    def changes(self) -> list[EntityChange]:
        return entity_changes(self.told)

    @property
    def observed(self) -> list[Observed]:
        return observed(self.told)


def parse_webhook(body: bytes) -> Delivery:
    """Read one delivery. body: the form exactly as received. Raises WebhookInvalid naming the field."""
    tree = _Part(_tree(body), "")
    account = tree.part("account")
    told: list[WebhookChange] = []
    for section, read in _READERS.items():
        for verb, what in _VERBS.items():
            for item in tree.part(section).part(verb).parts():
                change = _note_of(section, item) if what == "noted" else read(what, item)
                if change is not None:
                    told.append(change)
    return Delivery(account_id=account.text("id"), subdomain=account.text("subdomain"), told=tuple(told))


def _tree(body: bytes) -> Tree:
    """`a[b][0]=v` as nested mappings, arrays included (their keys are indices)."""
    if len(body) > LONGEST_BODY:
        raise WebhookInvalid("", f"more than {LONGEST_BODY} bytes")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_PAIRS, errors="strict"
        )
    except ValueError as err:
        raise WebhookInvalid("", "not an UTF-8 form") from err
    root: Tree = {}
    for key, value in pairs:
        _put(root, _path(key), value)
    return root


def _path(key: str) -> list[str]:
    head, *rest = key.split("[")
    if not head or len(rest) > DEEPEST or any(not part.endswith("]") for part in rest):
        raise WebhookInvalid(key[:100], "no key of a PHP form")
    return [head, *(part[:-1] for part in rest)]


def _put(root: Tree, path: list[str], value: str) -> None:
    node = root
    for part in path[:-1]:
        part = part or str(len(node))
        below = node.setdefault(part, {})
        if isinstance(below, str):
            raise WebhookInvalid(".".join(path), "both a value and an object")
        node = below
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise WebhookInvalid(".".join(path), "both a value and an object")
    node[last] = value


class _Part:
    """A place in the form. Reading what is absent gives None or an empty part; what is malformed raises."""

    __slots__ = ("path", "value")

    def __init__(self, value: Tree | str | None, path: str) -> None:
        self.value, self.path = value, path

    def part(self, key: str) -> _Part:
        path = f"{self.path}.{key}" if self.path else key
        if self.value is None or self.value == "":
            return _Part(None, path)
        if isinstance(self.value, str):
            raise WebhookInvalid(self.path, "an object expected")
        return _Part(self.value.get(key), path)

    def parts(self) -> Iterator[_Part]:
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield _Part(value, f"{self.path}.{key}")
        elif self.value:
            raise WebhookInvalid(self.path, "a list expected")

    @property
    def is_told(self) -> bool:
        return self.value is not None

    def text(self, key: str) -> str | None:
        """None when absent or empty."""
        found = self.part(key)
        if isinstance(found.value, dict):
            raise WebhookInvalid(found.path, "text expected")
        return found.value or None

    def whole(self, key: str) -> str | None:
        """A whole number as text; None when absent, empty or 0."""
        text = self.text(key)
        if text is not None and not (text.isascii() and text.isdigit()):
            raise WebhookInvalid(self.part(key).path, f"a whole number expected, got {text[:40]!r}")
        return None if text in (None, "0") else text

    def id(self, key: str = "id") -> str:
        found = self.whole(key)
        if found is None:
            raise WebhookInvalid(self.part(key).path, "an id expected")
        return found

    def moment(self, *keys: str) -> datetime | None:
        """The first of these that is told, Unix seconds as aware UTC."""
        for key in keys:
            if (text := self.whole(key)) is not None:
                try:
                    return datetime.fromtimestamp(int(text), UTC)
                except (OverflowError, OSError, ValueError) as err:
                    raise WebhookInvalid(self.part(key).path, "Unix seconds expected") from err
        return None


def _deal(what: What, item: _Part) -> WebhookChange:
    stage = item.whole("status_id")
    return WebhookChange(
        kind="deal",
        what=what,
        id=item.id(),
        name=item.text("name"),
        owner_id=item.whole("responsible_user_id"),
        old_owner_id=item.whole("old_responsible_user_id"),
        pipeline_id=item.whole("pipeline_id"),
        stage_id=stage,
        old_stage_id=item.whole("old_status_id"),
        is_open=None if stage is None else stage not in CLOSED_STAGES,
        price=item.text("price"),
        created_at=item.moment("created_at", "date_create"),
        updated_at=item.moment("updated_at", "last_modified"),
        by_user=item.whole("modified_user_id"),
    )


def _person(what: What, item: _Part) -> WebhookChange:
    """A contact or company. A deletion may leave out which: then it is a contact, as the section says."""
    linked = item.part("linked_leads_id")
    return WebhookChange(
        kind="company" if item.text("type") == "company" else "contact",
        what=what,
        id=item.id(),
        name=item.text("name"),
        owner_id=item.whole("responsible_user_id"),
        old_owner_id=item.whole("old_responsible_user_id"),
        numbers=_numbers(item.part("custom_fields")),
        created_at=item.moment("created_at", "date_create"),
        updated_at=item.moment("updated_at", "last_modified"),
        by_user=item.whole("modified_user_id"),
        deal_ids=_ids(linked, "ID") if linked.is_told else None,
        company_id=item.whole("linked_company_id"),
    )


def _company(what: What, item: _Part) -> WebhookChange:
    """Should companies come under their own name after all."""
    return replace(_person(what, item), kind="company")


def _lead(what: What, item: _Part) -> WebhookChange:
    uid = item.text("uid")
    if uid is None:
        raise WebhookInvalid(f"{item.path}.uid", "an id expected")
    data, source = item.part("data"), item.part("source_data")
    action = item.text("action")
    result = item.part("accept_result" if action == "accept" else "decline_result")
    deals, contacts = (result if result.is_told else data).part("leads"), data.part("contacts")
    return WebhookChange(
        kind="lead",
        what=what,
        id=uid,
        name=item.text("source"),
        owner_id=item.whole("user_id"),
        numbers=_source_numbers(source) if source.is_told else None,
        pipeline_id=item.whole("pipeline_id"),
        created_at=item.moment("created_at"),
        deal_ids=_ids(deals, "id") if deals.is_told else None,
        contact_ids=_ids(contacts, "id") if contacts.is_told else None,
        outcome=_OUTCOMES.get(action or ""),
    )


def _task(what: What, item: _Part) -> WebhookChange:
    element = item.whole("element_type")
    kind = KIND_OF_ELEMENT.get(int(element)) if element else None
    status = item.text("status")
    return WebhookChange(
        kind="task",
        what=what,
        id=item.id(),
        owner_id=item.whole("responsible_user_id"),
        old_owner_id=item.whole("old_responsible_user_id"),
        target_kind=kind,
        target_id=item.whole("element_id") if kind else None,
        text=item.text("text"),
        is_completed=None if status is None else status == "1",
        updated_at=item.moment("last_modified"),
        by_user=item.whole("modified_user_id"),
    )


def _note_of(section: str, item: _Part) -> WebhookChange | None:
    """`leads[note][0][note][…]`; note types are numbers here, and only that there is a note is of use."""
    note = item.part("note")
    if not note.is_told:
        return None
    element = note.whole("element_type")
    kind = KIND_OF_ELEMENT.get(int(element)) if element else None
    return WebhookChange(
        kind="note",
        what="noted",
        id=note.id(),
        target_kind=kind,
        target_id=note.whole("element_id") if kind else None,
        text=note.text("text"),
        by_user=note.whole("created_by"),
    )


_READERS = {
    "leads": _deal,
    "contacts": _person,
    "companies": _company,
    "unsorted": _lead,
    "task": _task,
}


def _ids(part: _Part, key: str) -> tuple[str, ...]:
    """Ids of `[n][key]=7` and of `[n]=7`: both are seen."""
    found: list[str] = []
    for item in part.parts():
        if isinstance(item.value, str):
            if not (item.value.isascii() and item.value.isdigit()):
                raise WebhookInvalid(item.path, "an id expected")
            found.append(item.value)
        else:
            found.append(item.id(key))
    return tuple(found)


def _numbers(fields: _Part) -> tuple[str, ...] | None:
    """PHONE values. Values of some other fields are plain text instead of objects."""
    if not fields.is_told:
        return None
    found: list[str] = []
    for item in fields.parts():
        if item.text("code") != "PHONE":
            continue
        for value in item.part("values").parts():
            text = value.value if isinstance(value.value, str) else value.text("value")
            if text and text.strip():
                found.append(text.strip())
    return tuple(found)


def _source_numbers(source: _Part) -> tuple[str, ...]:
    texts = (source.text("from"), source.text("phone"))
    return tuple(dict.fromkeys(t for t in texts if t and sum(c.isdigit() for c in t) >= 7))
