"""The closed set of reasons that a decision of the matrix can give, in plain words: (Russian, English)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from routing.decision import Step
from routing.matrix.texts import ACTIONS, cell_in_words, row_in_words


class Words(NamedTuple):
    ru: str
    en: str


DECISIONS: Mapping[str, Words] = {
    "ordered": Words("действия заказаны", "the actions were ordered"),
    "nothing_to_do": Words("все действия ячейки оказались не нужны", "every action of the cell was needless"),
    "empty_cell": Words("в ячейке нет действий", "the cell has no actions"),
    "no_cell": Words("ячейка не заполнена", "the cell is missing"),
    "no_matrix": Words("выбранной матрицы нет", "the selected matrix does not exist"),
    "waiting_for_entities": Words(
        "ждём, пока другая интеграция создаст клиента", "waiting for another integration to create the client"
    ),
    "nothing_to_update": Words(
        "обновлять нечего: другая интеграция ничего не создала",
        "nothing to update: the other integration created nothing",
    ),
}

STEPS: Mapping[str, Words] = {
    "selection_holds": Words("правило выбора подходит", "the selection rule holds"),
    "selection_does_not_hold": Words("правило выбора не подходит", "the selection rule does not hold"),
    "default_matrix": Words("матрица по умолчанию", "the default matrix"),
    "call_kind": Words("вид звонка", "kind of the call"),
    "call_kind_client_changed": Words(
        "вид звонка по первому событию; с тех пор клиент изменился",
        "kind of the call as of its first event; the client has changed since",
    ),
    "already_ordered": Words("уже заказано раньше в этом звонке", "ordered before for this call"),
    "contact_exists": Words("контакт уже есть, используется он", "there is a contact already: it is used"),
    "company_exists": Words("компания уже есть, используется она", "there is a company already: it is used"),
    "deal_exists": Words("сделка уже есть", "there is a deal already"),
    "lead_exists": Words("заявка уже ждёт в «Неразобранном»", "a lead is waiting in Unsorted already"),
    "open_deal_exists": Words(
        "открытая сделка уже есть, используется она", "there is an open deal: it is used"
    ),
    "added_to_closed_deal": Words(
        "используется последняя закрытая сделка", "the deal that was closed last is used"
    ),
    "nothing_to_attach_to": Words("не к чему прикрепить", "nothing to attach it to"),
    "who_answered_not_told_yet": Words(
        "АТС ещё не сообщила, кто ответил: проверим в конце звонка",
        "the PBX has not told yet who answered: looked at again at the end",
    ),
    "no_open_deal": Words("открытой сделки нет", "there is no open deal"),
    "deal_in_other_stage": Words("сделка не на том этапе", "the deal is in another stage"),
    "deal_in_stage_already": Words("сделка уже на этом этапе", "the deal is in this stage already"),
    "nothing_to_set": Words("нет ни одного значения", "there is no value to set"),
    "nobody_to_show_to": Words("показать карточку некому", "there is nobody to show the card to"),
}

OWNERS: Mapping[str, Words] = {
    "who_answered": Words("кто ответил", "who answered"),
    "owner": Words("ответственный за клиента", "the client's responsible"),
    "owner_of_contact": Words("ответственный за контакт", "the contact's responsible"),
    "owner_of_deal": Words("ответственный за сделку", "the deal's responsible"),
    "senior": Words("старший менеджер", "the senior manager"),
    "fixed_employee": Words("указанный сотрудник", "the named employee"),
    "answered_by_unknown": Words(
        "ответил неизвестный: старший менеджер", "answered by an unknown one: the senior manager"
    ),
    "employee_unmapped": Words(
        "сотрудник не связан с CRM: старший менеджер", "employee not mapped to the CRM: the senior manager"
    ),
    "employee_inactive": Words(
        "сотрудник отключён в CRM: старший менеджер", "employee deactivated in the CRM: the senior manager"
    ),
    "employee_gone": Words(
        "такого сотрудника больше нет: старший менеджер", "no such employee any more: the senior manager"
    ),
    "no_owner": Words("ответственного нет: старший менеджер", "nobody is responsible: the senior manager"),
    "owner_inactive": Words(
        "ответственный отключён в CRM: старший менеджер", "the responsible is deactivated: the senior manager"
    ),
    "template_not_available": Words(
        "распределение пока недоступно: старший менеджер",
        "distribution not available yet: the senior manager",
    ),
    "no_senior": Words(
        "старший менеджер не назначен или отключён: никто", "no usable senior manager: nobody"
    ),
}


def step_in_words(step: Step) -> str:
    """One line of the trace in Russian, without the facts."""
    if step.verdict == "passed" and step.because == "ordered":
        return f"{_rule(step.rule)}: заказано{_owner(step.facts)}"
    words = (DECISIONS if step.verdict == "decided" else {**DECISIONS, **STEPS}).get(step.because)
    return f"{_rule(step.rule)}: {words.ru if words else step.because}"


def _owner(facts: Mapping[str, Any]) -> str:
    because = OWNERS.get(str(facts.get("owner_because")))
    return f", ответственный — {because.ru}" if because else ""


def _rule(rule: str) -> str:
    """`inbound.missed.new/end#2:create_deal` in words; other rules keep their names."""
    cell, _, action = rule.partition("#")
    if cell == "selection":
        return f"правило выбора {action}" if action else "выбор матрицы"
    what = action.partition(":")[2]
    if what:
        return f"{cell_in_words(cell)}, действие {action.partition(':')[0]} ({ACTIONS[what]})"
    return cell_in_words(cell) if "/" in cell else row_in_words(cell)
