"""Plain words for the desk: what an effect wanted, and why the CRM did not have it."""

from __future__ import annotations

from collections.abc import Mapping

WHAT: Mapping[str, str] = {
    "create_contact": "создать контакт",
    "create_deal": "создать сделку",
    "create_lead": "создать заявку в «Неразобранном»",
    "attach_call": "записать звонок",
    "add_note": "добавить примечание",
    "create_task": "поставить задачу",
    "change_task": "изменить задачу",
    "update_entity": "изменить карточку",
    "show_card": "показать карточку звонка",
}

_FIELDS: Mapping[str, str] = {
    "responsible_user_id": "ответственный",
    "created_by": "автор",
    "updated_by": "кто изменил",
    "pipeline_id": "воронка",
    "status_id": "этап",
    "entity_id": "карточка, к которой это относится",
    "entity_type": "вид карточки",
    "task_type_id": "тип задачи",
    "complete_till": "срок задачи",
    "text": "текст",
    "name": "название",
    "phone": "телефон",
    "duration": "длительность",
    "link": "ссылка на запись",
    "custom_fields_values": "дополнительное поле",
    "contacts": "контакт сделки",
    "companies": "компания сделки",
    "tags_to_add": "теги",
    "source_uid": "номер заявки",
    "id": "номер карточки",
}

_REASONS: Mapping[str, str] = {
    "NotSupportedChoice": "CRM не знает такого значения: {field}. Возможно, его удалили или сотрудник отключён",
    "FieldNotExpected": "CRM не принимает это поле: {field}",
    "FieldMissing": "не заполнено обязательное поле: {field}",
    "NotNullable": "поле не может быть пустым: {field}",
    "NotBlank": "поле не может быть пустым: {field}",
    "InvalidType": "неверный вид значения: {field}",
    "TooLow": "слишком маленькое значение: {field}",
    "TooHigh": "слишком большое значение: {field}",
    "not-found": "в CRM нет карточки с этим номером телефона",
    "lead-not-accepted": "заявку в «Неразобранном» ещё никто не принял",
    "dependency": "не выполнено то, от чего это зависит ({detail})",
    "crm-forbidden": "у пользователя интеграции нет права на это действие",
    "crm-not-found": "карточка удалена или её нет в CRM",
    "crm-outcome-unknown": "CRM много раз не ответила на этот запрос",
    "crm-refused": "CRM не приняла запрос: {detail}",
}


def what(do: str) -> str:
    return WHAT.get(do, do)


def field_name(path: str) -> str:
    """path: as the CRM names it, dotted with indices. The last part that has a name wins; else the path itself."""
    named = [_FIELDS[part] for part in path.split(".") if part in _FIELDS]
    return f"«{named[-1]}»" if named else f"«{path}»" if path else "—"


def why(code: str | None, field: str | None, detail: str | None) -> str:
    pattern = _REASONS.get(code or "", "CRM не приняла значение: {field}. {detail}")
    return pattern.format(field=field_name(field or ""), detail=detail or "").strip().rstrip(".")
