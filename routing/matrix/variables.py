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
from routing.templates import Template, TemplateRefused, Value, parse

_UTC = ZoneInfo("UTC")
_PARAMETER = re.compile(r"utm_[a-z0-9_]{1,60}|params\.[A-Za-z0-9_-]{1,100}")


class Variable(NamedTuple):
    what: str
    sample: str
    value: Callable[[Situation], Value]


def _of_answerer(pick: Callable[[Employee], str | None]) -> Callable[[Situation], Value]:
    def value(s: Situation) -> Value:
        who = who_answered(s)
        return pick(who) if who else None

    return value


def _client_name(s: Situation) -> Value:
    named = [
        e for kind in ("contact", "company", "lead", "deal") for e in s.client.entities if e.ref.kind == kind
    ]
    return next((e.name for e in named if e.name), None)


def _owner_name(s: Situation) -> Value:
    owner = s.staff.by_crm_user.get(owner_of_client(s.client) or "")
    return owner.name if owner else None


def _senior_name(s: Situation) -> Value:
    return s.staff.senior.name if s.staff.senior else None


_KINDS = {
    "new": "новый",
    "known_with_deal": "известный, со сделкой",
    "known_without_deal": "известный, без сделки",
}

VARIABLES: Mapping[str, Variable] = {
    "client.number": Variable("номер клиента, E.164", "+79161234567", lambda s: s.number),
    "client.name": Variable("имя клиента в CRM", "Анна Иванова", _client_name),
    "client.kind": Variable("новый или известный", "новый", lambda s: _KINDS[s.client_kind.value]),
    "caller.number": Variable("то же, что client.number", "+79161234567", lambda s: s.number),
    "caller.raw": Variable(
        "номер клиента, как его прислала АТС", "8 (916) 123-45-67", lambda s: s.call.client
    ),
    "call.id": Variable("наш идентификатор звонка", "c-1", lambda s: s.call_id),
    "call.key": Variable("идентификатор звонка в АТС", "1700000000.42", lambda s: s.call.call_key),
    "call.direction": Variable("inbound или outbound", "inbound", lambda s: s.call.direction),
    "call.disposition": Variable("чем кончился звонок", "answered", lambda s: s.call.disposition.value),
    "call.started_at": Variable("когда начался звонок", "02.03.2026 10:15", lambda s: s.call.started_at),
    "call.answered_at": Variable("когда ответили", "02.03.2026 10:15", lambda s: s.call.answered_at),
    "call.ended_at": Variable("когда закончился", "02.03.2026 10:18", lambda s: s.call.ended_at),
    "call.talk_seconds": Variable("секунд разговора", "154", lambda s: s.call.talk_seconds),
    "call.wait_seconds": Variable("секунд ожидания", "12", lambda s: s.call.wait_seconds),
    "call.recording": Variable("адрес записи", "https://pbx.example/1.mp3", lambda s: s.call.recording),
    "call.answered_by": Variable("номер или SIP, на котором ответили", "101", lambda s: party_of(s.call)),
    "line.number": Variable("наш номер, на который звонили", "+74950000001", lambda s: s.line),
    "connection.name": Variable("подключение АТС", "office", lambda s: s.connection),
    "employee.name": Variable("кто ответил", "Пётр Смирнов", _of_answerer(lambda e: e.name)),
    "employee.email": Variable("его почта", "petr@example.com", _of_answerer(lambda e: e.email)),
    "employee.extension": Variable(
        "его внутренний номер", "101", _of_answerer(lambda e: e.extensions[0] if e.extensions else None)
    ),
    "owner.name": Variable("ответственный за клиента", "Мария Орлова", _owner_name),
    "senior.name": Variable("старший менеджер", "Олег Лебедев", _senior_name),
    "pool": Variable("пул номеров", "Контекстная реклама", lambda s: facts_of(s).get("pool")),
}
"""Besides these: utm_<name> and params.<name> for whatever the PBX sent with the call."""


def is_known(name: str) -> bool:
    return name in VARIABLES or _PARAMETER.fullmatch(name) is not None


def value_in(s: Situation, name: str) -> Value:
    if found := VARIABLES.get(name):
        return found.value(s)
    return facts_of(s).get(name.removeprefix("params.").lower())


@lru_cache(maxsize=4096)
def compiled(source: str) -> Template:
    """Raises TemplateRefused."""
    return parse(source, is_known)


def rendered(source: str, s: Situation) -> str:
    """The text for a call. A template that is refused (the checks keep it from being published) gives its own source."""
    if "{" not in source:
        return source
    try:
        return compiled(source).render(lambda name: value_in(s, name), s.zone)
    except TemplateRefused:
        return source


def preview(source: str, s: Situation | None = None) -> str:
    """What a template gives for a call, or for the documented sample values. Raises TemplateRefused."""
    template = compiled(source)
    if s:
        return template.render(lambda name: value_in(s, name), s.zone)
    return template.render(_sample, _UTC)


def _sample(name: str) -> str:
    return VARIABLES[name].sample if name in VARIABLES else f"‹{name}›"
