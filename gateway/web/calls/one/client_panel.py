"""Who called: as the CRM has them now, with what went before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.decisions.names_then import PlaceThen
from gateway.web.calls.call_words import result_of
from gateway.web.calls.one.call_file import CallFile
from gateway.web.frame import AnyPageCall
from routing.client import ClientEntity

_MOST_DEALS = 3


@dataclass(frozen=True, slots=True)
class ClientCard:
    """icon: of its kind. owner "": nobody. place: of a deal."""

    icon: str
    name: str
    url: str
    owner: str = ""
    is_owner_off: bool = False
    place: PlaceThen | None = None


@dataclass(frozen=True, slots=True)
class ClientPanel:
    """calls: in three months with this one, as they are written. before: (address, when, how it came out), the address "" where it is not theirs to open."""

    entities: Sequence[ClientCard]
    more_deals: int
    calls: str
    before: tuple[str, datetime, str] | None
    all_calls: str


def client_panel(call: AnyPageCall, file: CallFile) -> ClientPanel | None:
    """Return None for a call without a number: there is nobody to show."""
    if file.client is None or file.row.client is None:
        return None
    entities = file.client.entities
    people = [e for kind in ("contact", "company", "lead") for e in entities if e.ref.kind == kind][:2]
    deals = [e for e in entities if e.ref.kind == "deal" and e.is_open]
    shown = [_entity(call, file, e) for e in (*people, *deals[:_MOST_DEALS])]
    counts = file.history
    calls = call.texts.say("calls.history", n=counts.calls) if counts else ""
    before = None
    if file.before is not None:
        when, result = file.before.call.started_at, result_of(file.before.call, call.words).text
        before = (call.here(f"/calls/{file.before.call_id}") if file.is_before_open else "", when, result)
    number = file.row.client if call.who.sees_numbers else None
    everything = call.here("/calls", q=number, period="all") if number else ""
    return ClientPanel(shown, max(0, len(deals) - _MOST_DEALS), calls, before, everything)


def _entity(call: AnyPageCall, file: CallFile, entity: ClientEntity) -> ClientCard:
    kind, id = entity.ref.kind, entity.ref.id or ""
    staff = file.now.staff
    person = staff.by_crm_user.get(entity.owner_id or "")
    return ClientCard(
        icon={"deal": "briefcase", "company": "building", "lead": "inbox"}.get(kind, "user"),
        name=call.words.text(entity.name) or call.texts.say("why.no-name"),
        url=call.services.url_of(call.account.id, kind, id) if id else "",
        owner=file.now.user(entity.owner_id) if entity.owner_id else "",
        is_owner_off=entity.owner_id in staff.gone_users or (person is not None and not person.is_active),
        place=file.now.place(entity.pipeline_id, entity.stage_id)
        if kind == "deal" and entity.stage_id
        else None,
    )
