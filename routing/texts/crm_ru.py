"""What the gateway itself writes into the CRM where an account has no words of its own, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "crm.note.missed": "Пропущенный звонок",
    "crm.note.client-did-not-answer": "Клиент не ответил",
    "crm.note.employee-did-not-answer": "Сотрудник не ответил",
    "crm.note.employee-hung-up": "Сотрудник положил трубку раньше, чем дозвонились до клиента",
    "crm.note.nobody-knows": "Чем закончился звонок, сделанный программой, неизвестно: АТС не сообщила",
    "crm.note.talked": "Разговаривали: {names}{whose}",
    "crm.note.took": "Звонок принял(а) {name}{whose}",
    "crm.note.called": "Звонил(а) {name}{whose}",
    "crm.note.unknown-took": "Звонок принял(а) неизвестный сотрудник: {said}{whose}",
    "crm.note.unknown-called": "Звонил(а) неизвестный сотрудник: {said}{whose}",
    "crm.note.address-is-nobodys": "номер {address} не привязан ни к одному сотруднику",
    "crm.note.pbx-did-not-say": "АТС не сообщила, кто",
    "crm.note.unknown": "неизвестный",
    "crm.note.responsible": " (ответственный: {name})",
    "crm.note.left-waiting": "Клиента перевели дальше, и никто не ответил",
    "crm.note.recording": "Запись разговора: {url}",
    "crm.task.count": "{text} (пропущено звонков: {count}, последний в {time})",
    "crm.task.done": "На связи: {who}, {time}",
    "crm.task.not-reached": "Не дозвонились до клиента {number}: {why}. Перезвоните",
    "crm.task.number-with-extension": "{number} доб. {extension}",
    "crm.task.call-back": "Перезвонить: пропущенный звонок от {{ client.number }} в {{ call.started_at | date('%H:%M %d.%m') }}",
    "crm.task.check-settings": "был звонок менеджеру с неизвестным номером ({{ call.answered_by | default('номер не передан') }}): "
    "привяжите этот номер или SIP-аккаунт к сотруднику. Клиент: {{ client.number }}",
    "crm.deal.name": "Звонок {{ client.number }}",
    "crm.chat.deal": "Чат «{channel}»: {name}",
    "crm.chat.contact": "Клиент из «{channel}»",
    "crm.lead.source": "Телефония",
    "crm.sample.client": "Клиент",
    "crm.sample.deal": "Сделка",
    "preset.recommended": "Рекомендуемая",
    "preset.update_only": "Только обновление",
    "preset.unsorted": "Неразобранное",
    "preset.why": "рекомендуемый сценарий",
}  # fmt: skip
"""Those of `crm.task` and with `{{ }}` are templates: they are filled as what an account wrote itself."""
