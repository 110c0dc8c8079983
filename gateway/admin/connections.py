"""PBX connections as a person orders them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.pbx.connection_settings import COMMON_SETTINGS
from gateway.pbx.dialects import DIALECTS
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy


class ConnectionRefused(Exception):
    """What was ordered is not what a connection can be. field: which part of it; remedy: what to write instead."""

    code = "invalid-input"

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field, self.message, self.remedy = field, message, remedy


def refuse_unknown(
    kind: str,
    *,
    dialect: str | None = None,
    keys: Iterable[str] = (),
    settings: Iterable[str] = (),
    kinds: Mapping[str, PbxKind] = KINDS,
) -> None:
    """Raise ConnectionRefused for names that nothing would ever read."""
    _refuse("kind", [kind], kinds)
    _refuse("dialect", [] if dialect is None else [dialect], DIALECTS)
    _refuse("keys", keys, kinds[kind].keys)
    _refuse("settings", settings, {**COMMON_SETTINGS, **kinds[kind].settings})


def _refuse(field: str, names: Iterable[str], known: Iterable[str]) -> None:
    choices = sorted(known)
    for name in names:
        if name not in choices:
            raise ConnectionRefused(
                field, f"'{name}' is not known here", f"known: {', '.join(choices) or 'none'}"
            )


def lines_of(raw: Iterable[str], policy: NumberPolicy) -> tuple[str, ...]:
    """Our numbers as E.164, each once. Raise ConnectionRefused for what is no phone number."""
    lines: list[str] = []
    for text in raw:
        number = normalise(text, policy)
        if not isinstance(number, PublicNumber):
            raise ConnectionRefused("lines", f"'{text}' is not a phone number", "write it as +74951234567")
        lines.append(number.e164)
    return tuple(dict.fromkeys(lines))


def pbx_instructions(
    kind: str, name: str, secret: str, base_url: str, kinds: Mapping[str, PbxKind] = KINDS
) -> str:
    """base_url: how the PBX reaches the gateway. The secret stands in the text: show it once, never log it."""
    return kinds[kind].instructions(name, secret, f"{base_url.rstrip('/')}/pbx/{name}")
