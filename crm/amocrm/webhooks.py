"""CRM webhooks as values: the PHP-bracket form that amoCRM posts -> `WebhookChange`s. Pure, no framework.

Every value arrives as text, what is empty is often absent, companies arrive under `contacts` with `type=company`, and
one delivery may hold several changes. Keys that we do not know are left alone; a change of a kind that we do not know is
passed over, since a new kind of webhook must not stop the others. For the same reason an item that makes no sense, or a
value of it, costs itself only: it is told of beside the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from crm.amocrm.changes import WebhookChange, What, entity_changes, observed
from crm.amocrm.fields import ID
from crm.amocrm.rows.form import FormPart, WebhookInvalid, form_of
from crm.amocrm.tables import CLOSED_STAGES, KIND_OF_ELEMENT
from crm.entity_changes import EntityChange
from crm.port import Observed
from crm.unread import Unread, UnreadKind, UnreadRef, nameless, shown_raw
from runtime.masking import mask_text

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """account_id, subdomain: as the delivery names its account, None where it does not.

    told: everything that it holds, for triggers. changes: what of it concerns the directory. unread: by what it is about,
    what could not be read.
    """

    account_id: str | None
    subdomain: str | None
    told: tuple[WebhookChange, ...]
    unread: Mapping[UnreadRef, tuple[Unread, ...]] = field(default_factory=dict)

    @property
    def changes(self) -> list[EntityChange]:
        return entity_changes(self.told)

    @property
    def observed(self) -> list[Observed]:
        return observed(self.told)


def parse_webhook(body: bytes) -> Delivery:
    """Read one delivery. body: the form exactly as received. Raises WebhookInvalid where it is no form at all."""
    form, strange = form_of(body)
    tree = FormPart(form, "")
    account = tree.maybe(lambda: tree.part("account"), FormPart(None, "account"))
    told: list[WebhookChange] = []
    unread: dict[UnreadRef, list[Unread]] = {}
    for section, read in _READERS.items():
        verbs = FormPart(form.get(section), section)
        for verb, what in _VERBS.items():
            for found in verbs.some_parts(verb):
                item = FormPart(found.value, found.path)  # whose faults are its own
                change = _read_item(section, what, read, item)
                told += [change] if change is not None else []
                if item.faults:
                    ref = _ref(section, FormPart(found.value, found.path), change)
                    unread.setdefault(ref, []).extend(map(_unread, item.faults))
        strange += verbs.faults
    if strange:
        unread["webhook", nameless([fault.field for fault in strange])] = [*map(_unread, strange)]
    return Delivery(
        account_id=account.maybe(lambda: account.text("id"), None),
        subdomain=account.maybe(lambda: account.text("subdomain"), None),
        told=tuple(told),
        unread={ref: tuple(faults) for ref, faults in unread.items()},
    )


def _read_item(
    section: str, what: What, read: Callable[[What, FormPart], WebhookChange], item: FormPart
) -> WebhookChange | None:
    try:
        return _note_of(section, item) if what == "noted" else read(what, item)
    except WebhookInvalid as err:
        err.is_lost = True
        item.faults.append(err)
        return None


def _ref(section: str, item: FormPart, change: WebhookChange | None) -> UnreadRef:
    """Return what an item is about, as far as can be told."""
    if change is not None:
        return change.kind, change.id
    kind: UnreadKind = _KINDS[section]
    if section == "contacts" and item.maybe(lambda: item.text("type"), None) == "company":
        kind = "company"
    id = item.maybe(lambda: item.text("uid") if kind == "lead" else item.id(), None)
    return (kind, id) if id and ID.fullmatch(id) else ("webhook", nameless(item.value))


def _unread(fault: WebhookInvalid) -> Unread:
    return Unread(
        field=fault.field, why=mask_text(str(fault)), raw=shown_raw(fault.value), is_lost=fault.is_lost
    )


_NOTHING = FormPart(None, "")


def _deal(what: What, item: FormPart) -> WebhookChange:
    stage = item.some_id("status_id")
    return WebhookChange(
        kind="deal",
        what=what,
        id=item.id(),
        name=item.some_text("name"),
        owner_id=item.some_id("responsible_user_id"),
        old_owner_id=item.some_id("old_responsible_user_id"),
        pipeline_id=item.some_id("pipeline_id"),
        stage_id=stage,
        old_stage_id=item.some_id("old_status_id"),
        is_open=None if stage is None else stage not in CLOSED_STAGES,
        price=item.some_text("price"),
        created_at=item.some_moment("created_at", "date_create"),
        updated_at=item.some_moment("updated_at", "last_modified"),
        by_user=item.some_id("modified_user_id"),
    )


def _person(what: What, item: FormPart) -> WebhookChange:
    """Return a contact or company. A deletion may leave out which: then it is a contact, as the section says."""
    return WebhookChange(
        kind="company" if item.some_text("type") == "company" else "contact",
        what=what,
        id=item.id(),
        name=item.some_text("name"),
        owner_id=item.some_id("responsible_user_id"),
        old_owner_id=item.some_id("old_responsible_user_id"),
        numbers=item.maybe(lambda: _numbers(item.part("custom_fields")), None),
        created_at=item.some_moment("created_at", "date_create"),
        updated_at=item.some_moment("updated_at", "last_modified"),
        by_user=item.some_id("modified_user_id"),
        deal_ids=_ids(item, "linked_leads_id", "ID"),
        company_id=item.some_id("linked_company_id"),
    )


def _company(what: What, item: FormPart) -> WebhookChange:
    """Read a company, should they come under their own name after all."""
    return replace(_person(what, item), kind="company")


def _lead(what: What, item: FormPart) -> WebhookChange:
    """Return a lead of Unsorted. What a form or a mail brings has no ids inside `data`: the lead is read for them."""
    uid = item.text("uid")
    if uid is None or not ID.fullmatch(uid):
        raise WebhookInvalid(f"{item.path}.uid", "an id expected", uid)
    action = item.some_text("action")
    accepted = item.maybe(
        lambda: item.part("accept_result" if action == "accept" else "decline_result"), _NOTHING
    )
    data = item.maybe(lambda: item.part("data"), _NOTHING)
    return WebhookChange(
        kind="lead",
        what=what,
        id=uid,
        name=item.some_text("source"),
        owner_id=item.some_id("user_id"),
        numbers=_source_numbers(item),
        pipeline_id=item.some_id("pipeline_id"),
        created_at=item.some_moment("created_at"),
        deal_ids=_ids(accepted if accepted.is_told else data, "leads", "id"),
        contact_ids=_ids(data, "contacts", "id"),
        outcome=_OUTCOMES.get(action or ""),
    )


def _task(what: What, item: FormPart) -> WebhookChange:
    element = item.some_id("element_type")
    kind = KIND_OF_ELEMENT.get(int(element)) if element else None
    status = item.some_text("status")
    return WebhookChange(
        kind="task",
        what=what,
        id=item.id(),
        owner_id=item.some_id("responsible_user_id"),
        old_owner_id=item.some_id("old_responsible_user_id"),
        target_kind=kind,
        target_id=item.some_id("element_id") if kind else None,
        text=item.some_text("text"),
        is_completed=None if status is None else status == "1",
        updated_at=item.some_moment("last_modified"),
        by_user=item.some_id("modified_user_id"),
    )


def _note_of(section: str, item: FormPart) -> WebhookChange | None:
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
_KINDS: Mapping[str, UnreadKind] = {
    "leads": "deal",
    "contacts": "contact",
    "companies": "company",
    "unsorted": "lead",
    "task": "task",
}


def _ids(item: FormPart, key: str, id_key: str) -> tuple[str, ...] | None:
    """Ids of `[key][n][id_key]=7` and of `[key][n]=7`: both are seen. One without any is no link; None: not told."""
    if not item.has(key):
        return None
    found = [_id_of(part, id_key) for part in item.some_parts(key)]
    ids = tuple(id for id in found if id is not None)
    return ids if ids or not found else None


def _id_of(part: FormPart, key: str) -> str | None:
    if isinstance(part.value, str):
        return FormPart({key: part.value}, part.path, part.faults).some_id(key)
    return part.some_id(key)


def _numbers(fields: FormPart) -> tuple[str, ...] | None:
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


def _source_numbers(item: FormPart) -> tuple[str, ...] | None:
    """Of a call. Who wrote a mail stands under `from` as an object, and a form has fields of its own."""
    if not item.has("source_data"):
        return None
    source = item.maybe(lambda: item.part("source_data"), _NOTHING)
    texts = [part.value for key in ("from", "phone") if source.has(key) and (part := source.part(key))]
    calls = [t for t in texts if isinstance(t, str) and sum(c.isdigit() for c in t) >= 7 and "@" not in t]
    return tuple(dict.fromkeys(calls))
