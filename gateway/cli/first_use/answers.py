"""What a person gave with the command; what is missing is asked, or left out where nobody can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InitAnswers:
    """None, empty: not given. extensions: e-mail of a CRM user -> extension. keys: secrets of the PBX's kind."""

    database_url: str | None = None
    public_url: str | None = None
    account: str | None = None
    url: str | None = None
    token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    time_zone: str | None = None
    region: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)
    senior: str | None = None
    connection: str | None = None
    kind: str | None = None
    lines: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    number: str | None = None
    wait_seconds: float | None = None
