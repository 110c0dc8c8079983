"""What a person reads of an alarm, in the account's language: pure. What others said in theirs is not quoted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.alerts.observe import Facts
from gateway.health.findings import duration
from gateway.health.message_checks import crm_chats_fault
from gateway.store.admin.accounts import Account
from gateway.texts.sentences import TEXTS
from routing.alerts import AlertCause, AlertKind, AlertWord
from routing.texts.catalogue import Language, Texts, Value, phrase
from runtime.masking import mask_text

PAGES: dict[AlertKind, str] = {
    "crm-broken": "deploy/runbook.md#the-authorisation-is-broken",
    "token-expires": "deploy/runbook.md#the-token-expires",
    "writer-stopped": "deploy/runbook.md#the-crm-has-closed-its-api-to-us",
    "pbx-link-down": "deploy/runbook.md#a-pbx-is-silent",
    "pbx-silent": "deploy/runbook.md#a-pbx-is-silent",
    "desk-full": "deploy/runbook.md#dead-letters",
    "deals-waiting": "docs/how-to/distribute-deals.md#what-waits",
    "trigger-circles": "deploy/runbook.md#a-trigger-goes-in-circles",
    "calls-refused": "docs/reference/outbound.md#the-pace",
    "calls-unknown": "docs/reference/outbound.md#an-attempt",
    "sms-stopped": "docs/how-to/send-texts.md#when-nothing-goes-out",
    "channel-stopped": "docs/reference/channels.md#states-of-a-channel",
    "crm-chats-failing": "docs/how-to/connect-amocrm-chats.md#when-something-is-wrong",
    "workers-missing": "deploy/runbook.md#no-worker",
    "backfill-ended": "docs/how-to/reactivate-after-an-outage.md",
}
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertText:
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlace:
    """Whose alarm it is. account: None = the installation's. url: how the installation is reached."""

    account: Account | None
    language: Language
    url: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.account.time_zone if self.account else "UTC")


def alert_text(
    cause: AlertCause, word: AlertWord, facts: Facts, place: AlertPlace, *, began_at: datetime, now: datetime
) -> AlertText:
    """began_at: when the cause was first seen."""
    texts = TEXTS[place.language]
    values = _values(cause, facts, place)
    title = texts.say(f"alert.title.{cause.kind}", **values)
    where = place.account.name if place.account else phrase("alert.installation")
    subject = texts.say(f"alert.subject.{word}", where=where, title=title)
    lines = [_says(texts, cause, word, values), *_when(texts, cause, word, place, began_at, now)]
    if word == "begun":
        lines.append(texts.say("alert.todo", todo=phrase(f"alert.todo.{cause.kind}", **values)))
        lines.append(texts.say("alert.page", page=PAGES[cause.kind]))
    lines.append(texts.say("alert.address", url=place.url))
    return AlertText(subject=subject, body="\n\n".join(lines))


def alert_title(cause: AlertCause, facts: Facts, place: AlertPlace) -> str:
    return TEXTS[place.language].say(f"alert.title.{cause.kind}", **_values(cause, facts, place))


def local_time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _says(texts: Texts, cause: AlertCause, word: AlertWord, values: dict[str, Value]) -> str:
    if word == "withdrawn":
        return texts.say("alert.withdrawn")
    return texts.say(f"alert.{'over' if word == 'over' else 'says'}.{cause.kind}", **values)


def _when(
    texts: Texts, cause: AlertCause, word: AlertWord, place: AlertPlace, began_at: datetime, now: datetime
) -> list[str]:
    at = local_time(began_at, place.zone)
    if cause.kind == "backfill-ended":
        return []
    if word == "begun":
        return [texts.say("alert.since", at=at)]
    return [texts.say("alert.lasted", at=at, duration=duration((now - began_at).total_seconds()))]


def _values(cause: AlertCause, facts: Facts, place: AlertPlace) -> dict[str, Value]:
    """Return what the sentences of every kind may name; what a kind does not know of is not asked for."""
    account, texts = place.account, TEXTS[place.language]
    error = _fault(str(facts.get("error") or ""), texts)
    found: dict[str, Value] = {
        name: value if isinstance(value, int) else _readable(value) for name, value in facts.items()
    }
    found |= {
        "object": cause.object,
        "account": account.id if account else "",
        "url": account.base_url if account else "",
        "error": error,
        "why": phrase(f"alert.why.{facts.get('why') or 'silent'}", error=error),
        "reason": _reason(facts, texts),
        "stopped_by": _stopped_by(facts),
        "fares": _fares(facts),
        "fault": crm_chats_fault(str(facts.get("chats") or "")),
    }
    if isinstance(heard_at := facts.get("heard_at"), str):
        found["heard_at"] = local_time(datetime.fromisoformat(heard_at).astimezone(UTC), place.zone)
    if state := facts.get("state"):
        found["state"] = phrase(f"alert.backfill.{state}")
    return found


def _reason(facts: Facts, texts: Texts) -> Value:
    key = f"alert.reason.{facts.get('reason')}"
    return phrase(key) if key in texts.sentences else ""


def _stopped_by(facts: Facts) -> Value:
    """Return the words of why a provider of SMS takes nothing."""
    return phrase(f"sms.reason.{code}") if (code := facts.get("stopped_by")) else ""


def _fares(facts: Facts) -> Value:
    """Return the words of the state of a messenger channel."""
    return phrase(f"channel.state.{state}") if (state := facts.get("fares")) else ""


def _fault(error: str, texts: Texts) -> Value:
    """Return the words of an error, by the code that it begins with: what follows the code is the program's English."""
    key = f"alert.fault.{error.partition(':')[0].strip()}"
    return phrase(key if key in texts.sentences else "alert.reason.unknown")


def _readable(text: object) -> str:
    return mask_text(" ".join(str(text or "").split()))[:_LONGEST_ERROR]
