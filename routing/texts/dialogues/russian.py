"""What people read of dialogues in messengers, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "dialogue.place.group-chat": "это группа: по группам сделки не создаются",
    "dialogue.place.channel-off": "канал не участвует: сообщения сохраняются, сделки не создаются",
    "dialogue.place.same-deal": "сделка диалога ещё открыта",
    "dialogue.place.open-deal": "у клиента есть открытая сделка",
    "dialogue.place.waiting-lead": "клиент ждёт в «Неразобранном»",
    "dialogue.place.last-closed-deal": "все сделки закрыты; по правилу канала берётся закрытая последней",
    "dialogue.place.after-closing": "все сделки закрыты; по правилу канала создаётся новая",
    "dialogue.place.known-client": "клиент известен, сделки нет: она создаётся",
    "dialogue.place.new-client": "новый клиент: создаются контакт и сделка",
    "dialogue.owner.first-answer": "первый ответ",
    "dialogue.owner.not-a-person": "ответил робот, приветствие, шаблон или рассылка: это не считается",
    "dialogue.owner.not-mapped": "неизвестно, кто из сотрудников это написал",
    "dialogue.owner.not-asked": "сотрудник не входит в число тех, среди кого первый ответивший становится ответственным",
    "dialogue.owner.gone": "сотрудник не может быть ответственным в CRM",
    "dialogue.owner.taken": "кто-то другой ответил раньше",
    "dialogue.owner.has-owner": "диалог уже закреплён за этим сотрудником",
    "dialogue.owner.other-rule": "ответственный канала определяется не первым ответом",
    "dialogue.owner.by-template": "сделку передал этому сотруднику шаблон распределения",
    "dialogue.owner.deal-owner": "сотрудник отвечает за сделку",
    "crm.chats.unknown": "неизвестно, ушло ли сообщение",
    "crm.chats.refused": "сообщение не доставлено",
    "crm.chats.no-such-dialogue": "Callmatrix не знает этой беседы: первое сообщение клиенту отправьте из Callmatrix",
    "crm.chats.no-such-employee": "Callmatrix вас не знает: тот, кто отвечает за систему, добавит вас в сотрудники",
    "crm.chats.not-taken": "Callmatrix не принял сообщение: ответьте в Callmatrix",
    "dialogue.refusal.no-right": "вам нельзя писать в этот канал: это может разрешить тот, кто отвечает за систему",
    "dialogue.refusal.of-another": "в этом диалоге отвечает другой сотрудник, а вы видите только свои: попросите его или того, кто видит все",
    "dialogue.refusal.channel-off": "канал выключен: включите его",
    "dialogue.refusal.unauthorised": "мессенджер не принимает наш ключ: укажите верный в канале",
    "dialogue.refusal.no-money": "деньги у поставщика мессенджера закончились: пополните счёт",
    "dialogue.refusal.blocked": "клиент нас заблокировал",
    "dialogue.refusal.window-closed": "клиент писал слишком давно: мессенджер разрешит ответить, когда клиент напишет снова",
    "dialogue.refusal.not-written-first": "мессенджер разрешает писать только тем, кто написал первым",
    "dialogue.refusal.empty": "сообщение пустое",
    "dialogue.refusal.too-long": "текст длиннее, чем принимает мессенджер: разделите его",
    "dialogue.refusal.file-too-large": "файл больше, чем принимает мессенджер",
    "dialogue.refusal.taken": "Диалог уже ведёт {owner}. Всё равно отправить?",
}  # fmt: skip
