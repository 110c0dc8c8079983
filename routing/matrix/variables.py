"""The variables that templates of the matrix may name, and their values in a situation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.matrix.responsible import owner_of_client
from routing.matrix.situation import Situation, facts_of, party_of, who_answered
from routing.staff import Employee
from routing.templates import Template, TemplateRefused, TemplateValue, parse
from routing.texts.catalogue import Texts
from routing.texts.sentences import RU, TEXTS

_UTC = ZoneInfo("UTC")
_PARAMETER = re.compile(r"utm_[a-z0-9_]{1,60}|params\.[A-Za-z0-9_-]{1,100}")


class Variable(NamedTuple):
    """sample: where it is the same in every language, else empty: it stands in the catalogues. What it is stands there too."""

    sample: str
    value: Callable[[Situation], TemplateValue]


def _of_answerer(pick: Callable[[Employee], str | None]) -> Callable[[Situation], TemplateValue]:
    def value(s: Situation) -> TemplateValue:
        who = who_answered(s)
        return pick(who) if who else None

    return value


def _client_name(s: Situation) -> TemplateValue:
    named = [
        e for kind in ("contact", "company", "lead", "deal") for e in s.client.entities if e.ref.kind == kind
    ]
    return next((e.name for e in named if e.name), None)


def _owner_name(s: Situation) -> TemplateValue:
    owner = s.staff.by_crm_user.get(owner_of_client(s.client) or "")
    return owner.name if owner else None


def _senior_name(s: Situation) -> TemplateValue:
    return s.staff.senior.name if s.staff.senior else None


def _client_kind(s: Situation) -> TemplateValue:
    return TEXTS[s.settings.language].word("client-kind", s.client_kind.value)


VARIABLES: Mapping[str, Variable] = {
    "client.number": Variable("+79161234567", lambda s: s.number),
    "client.name": Variable("", _client_name),
    "client.kind": Variable("", _client_kind),
    "caller.number": Variable("+79161234567", lambda s: s.number),
    "caller.raw": Variable("8 (916) 123-45-67", lambda s: s.call.client),
    "call.id": Variable("c-1", lambda s: s.call_id),
    "call.key": Variable("1700000000.42", lambda s: s.call.call_key),
    "call.direction": Variable("inbound", lambda s: s.call.direction),
    "call.disposition": Variable("answered", lambda s: s.call.disposition.value),
    "call.failed_side": Variable("employee_not_reached", lambda s: s.call.failed_side),
    "call.started_at": Variable("02.03.2026 10:15", lambda s: s.call.started_at),
    "call.answered_at": Variable("02.03.2026 10:15", lambda s: s.call.answered_at),
    "call.ended_at": Variable("02.03.2026 10:18", lambda s: s.call.ended_at),
    "call.talk_seconds": Variable("154", lambda s: s.call.talk_seconds),
    "call.wait_seconds": Variable("12", lambda s: s.call.wait_seconds),
    "call.recording": Variable("https://pbx.example/1.mp3", lambda s: s.call.recording),
    "call.answered_by": Variable("101", lambda s: party_of(s.call)),
    "line.number": Variable("+74950000001", lambda s: s.line),
    "connection.name": Variable("office", lambda s: s.connection),
    "employee.name": Variable("", _of_answerer(lambda e: e.name)),
    "employee.email": Variable("petr@example.com", _of_answerer(lambda e: e.email)),
    "employee.extension": Variable("101", _of_answerer(lambda e: e.extensions[0] if e.extensions else None)),
    "owner.name": Variable("", _owner_name),
    "senior.name": Variable("", _senior_name),
    "pool": Variable("", lambda s: facts_of(s).get("pool")),
}
"""Besides these: utm_<name> and params.<name> for whatever the PBX sent with the call."""


def is_known(name: str) -> bool:
    return name in VARIABLES or _PARAMETER.fullmatch(name) is not None


def value_in(s: Situation, name: str) -> TemplateValue:
    if found := VARIABLES.get(name):
        return found.value(s)
    return facts_of(s).get(name.removeprefix("params.").lower())


@lru_cache(maxsize=4096)
def compiled(source: str) -> Template:
    """Return the compiled template. Raises TemplateRefused."""
    return parse(source, is_known)


def rendered(source: str, s: Situation) -> str:
    """Return the text for a call. A template that is refused (the checks keep it from being published) gives its own source."""
    if "{" not in source:
        return source
    try:
        return compiled(source).render(lambda name: value_in(s, name), s.zone)
    except TemplateRefused:
        return source


def preview(source: str, s: Situation | None = None, texts: Texts = RU) -> str:
    """Return what a template gives for a call, or for the documented sample values. Raises TemplateRefused."""
    template = compiled(source)
    if s:
        return template.render(lambda name: value_in(s, name), s.zone)
    return template.render(lambda name: sample_of(name, texts), _UTC)


def sample_of(name: str, texts: Texts) -> str:
    if name not in VARIABLES:
        return f"‹{name}›"
    return VARIABLES[name].sample or texts.say(f"sample.{name}")
