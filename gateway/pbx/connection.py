"""One connected PBX of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.tokens import is_hash_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connected PBX of an account. name: unique in the installation, stands in URLs.

    secret_hash: hex sha256 of the token that the PBX shows us. keys: the kind's other secrets by name (MANGO: api_key, api_salt; Asterisk:
    ami_secret; Ringostat: auth_key). dialect: how answers are written. region: for numbers, None = the account's.
    lines: our numbers on this PBX (E.164). settings: the kind's own. phones: extensions and SIP logins of the account's
    employees, in small letters: what is known as a phone of ours whatever number it shows. own_numbers: numbers on which employees
    answer elsewhere (a mobile).
    """

    account_id: str
    id: str
    name: str
    kind: str
    secret_hash: str
    keys: Mapping[str, str] = field(default_factory=dict)
    dialect: str = "json"
    region: str | None = None
    lines: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_on: bool = True
    phones: frozenset[str] = frozenset()
    own_numbers: frozenset[str] = frozenset()

    def knows(self, token: str) -> bool:
        """Is this the connection's secret? Compared in constant time."""
        return is_hash_of(token, self.secret_hash)

    def switch(self, name: str, default: bool = False) -> bool:
        """Return a setting that is on or off; the words of a command line count as well."""
        value = self.settings.get(name)
        if value is None or value == "":
            return default
        return str(value).strip().lower() in ("true", "1", "yes", "on")

    def whole(self, name: str, default: int) -> int:
        """Return a setting that is a whole number; the default for what is none, since calls must go on."""
        value = str(self.settings.get(name, "")).strip()
        return int(value) if value.isascii() and value.isdigit() else default

    def words(self, name: str) -> tuple[str, ...]:
        """Return a setting of several values: a list, or a text with commas between them."""
        value = self.settings.get(name) or ()
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(str(part).strip() for part in parts if str(part).strip())
