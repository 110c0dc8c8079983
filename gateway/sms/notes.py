"""What stands in the client's card of an SMS: that it was sent, that it came, and why it did not arrive. Pure."""

from __future__ import annotations

from datetime import datetime

from gateway.store.sms.messages import SmsMessageRow
from routing.client import EntityKind, Ref
from routing.effects import AddNote, Effect
from routing.texts.catalogue import Texts, phrase
from sms.model import SmsState
from sms.progress import FINAL_STATES, SETTLED_STATES, SmsProgress

_TAKEN = frozenset(
    {SmsState.ACCEPTED, SmsState.DEFERRED, SmsState.SENT, SmsState.DELIVERED, SmsState.UNDELIVERED}
)
"""States of a message that the provider certainly has."""
_BAD = FINAL_STATES - {SmsState.DELIVERED}


def sent_note(row: SmsMessageRow, progress: SmsProgress, at: datetime) -> Effect | None:
    """Say once that a text went out to the client. None: it did not (yet), it was to an employee, or there is no card."""
    target = client_card(row.contact_id, row.deal_id)
    if progress.state not in _TAKEN or row.employee_id is not None or target is None or not row.number:
        return None
    note = AddNote(target=target, text=row.text, form="sms_out", number=row.number, at=at)
    return Effect(key=_key(row, "sent"), order=note)


def failure_note(
    row: SmsMessageRow, before: SmsState, progress: SmsProgress, texts: Texts, at: datetime
) -> Effect | None:
    """Say once that a text did not arrive, or that nobody knows."""
    target = deal_card(row.contact_id, row.deal_id)
    if progress.state not in _BAD or before in SETTLED_STATES or target is None:
        return None
    code = progress.doubt if progress.state is SmsState.UNKNOWN else progress.reason
    kind = "doubt" if progress.state is SmsState.UNKNOWN else "reason"
    why = phrase(f"sms.{kind}.{code}") if code else phrase(f"sms.state.{progress.state}")
    said = texts.say(
        f"sms.note.{'unknown' if kind == 'doubt' else 'failed'}", number=row.number or "", why=why
    )
    note = AddNote(target=target, text=said, form="service", at=at)
    return Effect(key=_key(row, str(progress.state)), order=note)


def item_note(
    item_id: str, contact_id: str | None, deal_id: str | None, what: str, said: str, at: datetime
) -> Effect | None:
    """Say of a whole text what became of it. what: part of the key."""
    target = deal_card(contact_id, deal_id)
    if target is None:
        return None
    note = AddNote(target=target, text=said, form="service", at=at)
    return Effect(key=f"outbound:{item_id}:{what}", order=note)


def came_note(key: str, target: Ref, text: str, number: str, at: datetime) -> Effect:
    """Say that a client wrote."""
    note = AddNote(target=target, text=text, form="sms_in", number=number, at=at)
    return Effect(key=f"sms-in:{key}", order=note)


def client_card(contact_id: str | None, deal_id: str | None) -> Ref | None:
    return _card(("contact", contact_id), ("deal", deal_id))


def deal_card(contact_id: str | None, deal_id: str | None) -> Ref | None:
    return _card(("deal", deal_id), ("contact", contact_id))


def _card(*places: tuple[EntityKind, str | None]) -> Ref | None:
    return next((Ref(kind=kind, id=id) for kind, id in places if id), None)


def _key(row: SmsMessageRow, what: str) -> str:
    return f"outbound:{row.item_id or 'test'}:sms:{row.own_id}:{what}"
