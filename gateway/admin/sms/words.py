"""Messages and previews in words."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.sms.preview import TextPreview
from gateway.store.sms.messages import SmsMessageRow
from routing.texts.catalogue import Texts
from sms.recipients import SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverInWords:
    """employee: None = the client. why: they get none; message says it."""

    employee: str | None
    name: str
    number: str | None = None
    why: SkipReason | None = None
    message: str = ""


def why_in_words(row: SmsMessageRow, texts: Texts) -> str:
    """Say what became of a message, and why."""
    state = texts.word("sms.state", row.state)
    if not row.reason:
        return state
    kind = "sms.doubt" if f"sms.doubt.{row.reason}" in texts.sentences else "sms.reason"
    return f"{state}: {texts.word(kind, row.reason)}"


def receivers_in_words(found: TextPreview, texts: Texts) -> list[ReceiverInWords]:
    """Return who gets the text, then who does not."""

    def name(id: str | None) -> str:
        return texts.say("sms.client") if id is None else found.names.get(id, id)

    gets = [
        ReceiverInWords(employee=r.employee_id, name=name(r.employee_id), number=r.number)
        for r in found.who.chosen
    ]
    skipped = [
        ReceiverInWords(
            employee=s.employee_id,
            name=name(s.employee_id),
            why=s.why,
            message=texts.word("sms.skip", s.why),
        )
        for s in found.who.skipped
    ]
    return [*gets, *skipped]
