"""What the Telegram bot says to employees, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "bot.presence.question": "{name}, are you there? Without an answer within {seconds:second|seconds} you count as offline, and new deals and calls go to others. ({account})",
    "bot.presence.button": "I am here",
    "bot.presence.here": "Thank you. You count as at work.",
    "bot.presence.late": "That was too late: the time to answer was over. From now on you count as at work again.",
    "bot.presence.over": "Too late: this question is settled already, nothing has changed.",
    "bot.presence.not_yours": "This chat is not linked to whom the question was put.",
    "bot.presence.linked": "{name}, you will be asked here whether you are there. ({account})",
    "bot.presence.bad_code": "This code is unknown, used or too old. Ask your administrator for a new one.",
    "bot.presence.not_private": "A code is taken only in a chat of one person with the bot: write to it directly.",
    "bot.presence.chat": "The id of this chat: {chat}. Who is to be asked here whether they are there sends /start with the code from their administrator.",
}
