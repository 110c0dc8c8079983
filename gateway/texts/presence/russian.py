"""What the Telegram bot says to employees, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "bot.presence.question": "{name}, вы на месте? Без ответа через {seconds:секунду|секунды|секунд} вы будете считаться не на месте, а новые сделки и звонки пойдут другим. ({account})",
    "bot.presence.button": "Я на месте",
    "bot.presence.here": "Спасибо. Вы на месте.",
    "bot.presence.late": "Слишком поздно: время на ответ вышло. С этой минуты вы снова на месте.",
    "bot.presence.over": "Слишком поздно: этот вопрос уже решён, ничего не изменилось.",
    "bot.presence.not_yours": "Этот чат не привязан к тому, кому задан вопрос.",
    "bot.presence.linked": "{name}, здесь вас будут спрашивать, на месте ли вы. ({account})",
    "bot.presence.bad_code": "Код неизвестен, уже использован или устарел. Попросите у администратора новый.",
    "bot.presence.not_private": "Код принимается только в личном чате с ботом: напишите ему напрямую.",
    "bot.presence.chat": "Номер этого чата: {chat}. Чтобы здесь спрашивали, на месте ли вы, отправьте /start и код от администратора.",
}
