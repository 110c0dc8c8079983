"""Who picks up and is nobody: a mailbox, an announcement, a voice menu, a queue. What they answer is no talk."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.pbx.connection import Connection
from gateway.pbx.reading.addresses import phone_address

# Without separators, a number behind it included (`Voicemail 101`).
_NAMES = re.compile(
    r"(voice(mail|box|menu)|mailbox|ivr|announcement|auto(mated)?attendant|answering(machine|service)|queue|playback"
    r"|голосов(аяпочта|оеменю)|автоответчик|автосекретарь|автоинформатор|очередь)\d*"
)


_KEEPS_WAITING = re.compile(
    r"(voice(mail|box)|mailbox|answering(machine|service)|queue|голосоваяпочта|автоответчик|очередь)\d*"
)


def keeps_waiting(name: str | None) -> bool:
    """Is this a queue or a mailbox, where a client still wants somebody? An announcement, a menu or a survey may be the end."""
    return bool(name and _KEEPS_WAITING.fullmatch(_plain(name)))


def is_machine(name: str | None, connection: Connection) -> bool:
    """Is this name, extension or address one that every system has, or one of the connection's setting `machines`?"""
    if not name:
        return False
    return bool(_NAMES.fullmatch(_plain(name))) or any(
        _is_same(name, own) for own in connection.words("machines")
    )


def people(names: Iterable[str], connection: Connection) -> list[str]:
    """Those who are no machines."""
    return [name for name in names if not is_machine(name, connection)]


def _is_same(name: str, own: str) -> bool:
    if name.casefold() == own.casefold() or phone_address(name) == phone_address(own):
        return True
    return _plain(name) == _plain(own) != "" and not _plain(own).isdigit()


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
