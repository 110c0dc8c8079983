"""The matrix in plain Russian: names of rows, cells, actions and people, for differences and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.matrix.actions import Action

_DIRECTION = {"inbound": "входящий", "outbound": "исходящий"}
_OUTCOME = {
    "ringing": "звонит",
    "answered": "отвечен",
    "answered_by_unknown": "отвечен неизвестным сотрудником",
    "missed": "пропущен",
}
_CLIENT = {
    "new": "новый клиент",
    "known_with_deal": "клиент со сделкой",
    "known_without_deal": "клиент без сделки",
}
_MOMENT = {"ring": "во время звонка", "answer": "в момент ответа", "end": "после звонка"}

ACTIONS: Mapping[str, str] = {
    "create_contact": "создать контакт",
    "create_deal": "создать сделку",
    "create_lead": "создать заявку в «Неразобранном»",
    "attach_call": "прикрепить звонок",
    "add_note": "добавить примечание",
    "create_task": "поставить задачу",
    "change_stage": "сменить этап",
    "set_fields": "заполнить поля и теги",
    "show_card": "показать карточку звонка",
}

_SETTINGS: Mapping[str, str] = {
    "name": "название",
    "contact_name": "имя контакта",
    "source_name": "источник",
    "responsible": "ответственный",
    "pipeline_id": "воронка",
    "stage_id": "этап",
    "ignores_rules": "без правил воронок",
    "when_open": "если есть открытая сделка",
    "separate_pipeline_id": "воронка для второй сделки",
    "separate_stage_id": "этап для второй сделки",
    "after_closed": "если сделки закрыты",
    "tags": "теги",
    "fields": "поля",
    "target": "куда",
    "note": "текст",
    "text": "текст",
    "purpose": "назначение",
    "type": "тип",
    "due": "срок",
    "only_from": "только с этапов",
    "on": "где",
    "with_parameters": "с параметрами звонка",
    "to": "кому",
}

PEOPLE = {
    "who_answered": "кто ответил",
    "owner": "ответственный за клиента",
    "owner_of_contact": "ответственный за контакт",
    "owner_of_deal": "ответственный за сделку",
    "senior": "старший менеджер",
}


def cell_in_words(cell: str) -> str:
    """cell: `inbound.missed.new/end`."""
    row, _, moment = cell.partition("/")
    return f"{row_in_words(row)}, {_MOMENT[moment]}"


def row_in_words(row: str) -> str:
    """row: `inbound.missed.new`."""
    direction, outcome, client = row.split(".")
    return f"{_DIRECTION[direction]}, {_OUTCOME[outcome]}, {_CLIENT[client]}"


def action_in_words(action: Action) -> str:
    """The action with every setting that is not empty."""
    given = {k: v for k, v in settings_of(action).items() if v not in (None, "", [], {}, False)}
    shown = "; ".join(f"{setting_in_words(k)}: {value_in_words(v)}" for k, v in given.items())
    return f"{ACTIONS[action.do]} ({shown})" if shown else ACTIONS[action.do]


def settings_of(action: Action) -> dict[str, Any]:
    return action.model_dump(mode="json", exclude={"do"})


def setting_in_words(name: str) -> str:
    return _SETTINGS.get(name, name)


def value_in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, dict) and set(value) == {"minutes", "is_working"}:
        return f"{value['minutes']} мин. {'рабочего времени' if value['is_working'] else 'подряд'}"
    if isinstance(value, dict):
        return ", ".join(f"{k} = {v}" for k, v in value.items()) or "нет"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "нет"
    if value is None or value == "":
        return "не задано"
    text = str(value)
    return PEOPLE.get(text) or (f"сотрудник {text[9:]}" if text.startswith("employee:") else f"«{text}»")
