"""How an SMS provider stands, by what was heard of it last: never better than that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.links import SmsLinkHeard
from routing.texts.catalogue import Texts
from sms.kinds import SMS_KINDS

ProviderState = Literal["on", "off", "no_key", "lacks", "stopped", "unlinked", "unanswered", "untried"]
_TONES = {"on": "good", "off": "", "untried": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSeen:
    """state: of the sentences "setup.sms.state.…". lacks: keys and settings, in words. why: it does not work, in words. words: of the
    provider, or of the network. since: it is so."""

    saved: SavedSmsConnection
    state: ProviderState
    lacks: tuple[str, ...] = ()
    why: str = ""
    words: str = ""
    since: datetime | None = None

    @property
    def tone(self) -> str:
        return _TONES.get(self.state, "bad")


def seen_provider(saved: SavedSmsConnection, link: SmsLinkHeard | None, texts: Texts) -> ProviderSeen:
    """link: what was heard last of the link that this kind may need."""
    kind = SMS_KINDS[saved.connection.kind]
    missing = kind.missing(saved.connection)
    lacks = tuple(
        texts.say(f"setup.sms.{'key' if name in kind.keys else 'setting'}.{name}") for name in missing
    )
    if not saved.is_on:
        return ProviderSeen(saved=saved, state="off", lacks=lacks)
    if missing:
        is_key = all(name in kind.keys for name in missing)
        return ProviderSeen(saved=saved, state="no_key" if is_key else "lacks", lacks=lacks)
    if saved.stop:
        why, words = texts.say(f"sms.reason.{saved.stop.reason.value}"), saved.stop.words
        return ProviderSeen(saved=saved, state="stopped", why=why, words=words, since=saved.stop.since)
    if kind.capabilities.has_link:
        return _by_link(saved, link, texts)
    if kind.capabilities.has_balance:
        return _by_balance(saved)
    return ProviderSeen(saved=saved, state="on")


def _by_link(saved: SavedSmsConnection, link: SmsLinkHeard | None, texts: Texts) -> ProviderSeen:
    if link is None:
        return ProviderSeen(saved=saved, state="untried")
    if link.is_up:
        return ProviderSeen(saved=saved, state="on", since=link.since)
    why = texts.say(f"sms.reason.{link.reason.value}") if link.reason else ""
    return ProviderSeen(saved=saved, state="unlinked", why=why, words=link.words, since=link.since)


def _by_balance(saved: SavedSmsConnection) -> ProviderSeen:
    """Judge by the balance: of all it is asked for, this is asked again and again."""
    if saved.balance_error:
        return ProviderSeen(
            saved=saved, state="unanswered", words=saved.balance_error, since=saved.balance_at
        )
    return ProviderSeen(saved=saved, state="on" if saved.balance_at else "untried")
