"""What a person should know of one account, read from its status: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.health.views import AccountStatus, ConnectionState

DIRECTORY_SECONDS = 300.0
"""Polls run every half minute: older than this, and changes in the CRM no longer reach the phones."""
LAG_SECONDS = 60.0
CLOCK_SECONDS = 30.0
_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line. message: how it stands. remedy: what to do, empty when nothing. is_warning: worth a look, but nothing fails."""

    subject: str
    is_ok: bool
    message: str
    remedy: str = ""
    is_warning: bool = False


def ok(what: str, message: str) -> Finding:
    return Finding(subject=what, is_ok=True, message=message)


def warning(what: str, message: str, remedy: str) -> Finding:
    return Finding(subject=what, is_ok=True, is_warning=True, message=message, remedy=remedy)


def bad(what: str, message: str, remedy: str) -> Finding:
    return Finding(subject=what, is_ok=False, message=message, remedy=remedy)


def account_findings(account: AccountStatus, now: datetime) -> Iterator[Finding]:
    yield _state(account)
    yield _token(account)
    if account.state == "on":
        yield _directory(account)
        yield from _feeds(account)
        yield from _crm(account)
        yield _webhooks(account, now)
    yield _effects(account)
    yield _inbox(account)
    yield _cases(account)
    yield from _people(account)
    yield from _matrix(account)
    if not account.connections:
        yield warning(
            f"{account.id} connections", "no PBX is connected", "connect one with 'callmatrix connection add'"
        )
    for connection in account.connections:
        yield _connection(account, connection, now)


def reconnect(account_id: str) -> str:
    """How to authorise an account anew (S4.42)."""
    return (
        f"reconnect: 'callmatrix account add {account_id} --url <address> --token -' with a new long-lived token, or "
        "with --client-id and --client-secret for OAuth; then send what was stored with "
        f"'callmatrix backfill --account {account_id} --preview'"
    )


def _state(account: AccountStatus) -> Finding:
    what = f"{account.id} state"
    if account.state == "on":
        return ok(what, f"on, {account.url}")
    since = account.state_since.isoformat(timespec="minutes")
    reason = f": {account.state_reason}" if account.state_reason else ""
    if account.state == "off":
        return warning(
            what,
            f"off since {since}{reason}; calls are stored, nothing is sent",
            f"switch it on with 'callmatrix account on {account.id}'",
        )
    return bad(
        what, f"the CRM does not let us in since {since}{reason}; calls are stored", reconnect(account.id)
    )


def _token(account: AccountStatus) -> Finding:
    what, token = f"{account.id} authorisation", account.token
    kind = {"long_lived": "long-lived token", "oauth": "OAuth", "none": "none"}[token.kind]
    left = f", {token.days_left:.0f} days left" if token.days_left is not None else ""
    if token.warning is None:
        return ok(what, kind + left)
    if token.warning == "expires-soon":
        return warning(what, f"{kind}{left}", reconnect(account.id))
    return bad(what, f"{kind}: {token.message}", reconnect(account.id))


def _directory(account: AccountStatus) -> Finding:
    what, directory = f"{account.id} directory", account.directory
    if not directory.is_loaded:
        return bad(
            what,
            f"not loaded yet, {directory.load.done} entities read so far",
            f"wait for the load, follow it with 'callmatrix sync --account {account.id}'",
        )
    if directory.age_seconds is None:
        return warning(what, "loaded; no poll has been completed yet", "look again in a minute")
    if directory.age_seconds > DIRECTORY_SECONDS:
        return bad(
            what,
            f"last agreed with the CRM {duration(directory.age_seconds)} ago",
            "see the account's other lines: the worker, the authorisation or the CRM is in trouble",
        )
    reload = "" if directory.load.is_done else f"; being loaded again, {directory.load.done} entities read"
    return ok(what, f"agreed with the CRM {duration(directory.age_seconds)} ago{reload}")


def _feeds(account: AccountStatus) -> Iterator[Finding]:
    failing = [f for f in account.feeds if f.last_error]
    for feed in failing:
        yield warning(
            f"{account.id} sync {feed.feed}",
            f"{feed.last_error}",
            "it is tried again by itself; if it stays, see the exchanges with the CRM in the admin API",
        )
    if not failing:
        yield ok(f"{account.id} sync", f"{len(account.feeds)} feeds, no error")


def _crm(account: AccountStatus) -> Iterator[Finding]:
    what, crm = f"{account.id} CRM", account.crm
    if crm is None or not crm.is_served:
        last = f", last seen {crm.reported_at.isoformat(timespec='seconds')}" if crm else ""
        yield bad(
            what,
            f"no worker serves this account{last}",
            "start one with 'callmatrix serve --role worker', or see its log",
        )
        return
    if crm.circuit is not None and crm.circuit.name != "closed":
        yield bad(
            what,
            f"its API is closed to us, probed {crm.circuit.refusals} times: {crm.circuit.reason}",
            "ask the vendor's support whether the integration was blocked; nothing is lost meanwhile",
        )
    elif crm.writer is not None and crm.writer.is_alarm:
        yield bad(
            what, f"{crm.writer.reason}: {crm.writer.last_error}", "see the CRM's subscription and rights"
        )
    elif crm.writer is not None and crm.writer.reason:
        yield warning(
            what, f"in trouble: {crm.writer.reason}: {crm.writer.last_error}", "it is tried again by itself"
        )
    else:
        yield ok(what, "answers" + (f", {crm.budget.throttled} times throttled" if crm.budget else ""))
    if (offset := crm.clock_offset_seconds) is not None and abs(offset) > CLOCK_SECONDS:
        yield warning(
            f"{account.id} clock",
            f"the CRM's clock differs from ours by {offset:+.0f} s",
            "check this machine's time synchronisation",
        )


def _webhooks(account: AccountStatus, now: datetime) -> Finding:
    what, hooks = f"{account.id} webhooks", account.webhooks
    if hooks.last_at is None:
        return ok(what, "none came yet; changes are noticed by polling")
    ago = duration((now - hooks.last_at).total_seconds())
    if hooks.refused:
        return warning(
            what,
            f"last {ago} ago; {hooks.refused} could not be read, latest: {hooks.last_refusal}",
            "polling brings what they told; report the unreadable body",
        )
    return ok(what, f"last {ago} ago")


def _effects(account: AccountStatus) -> Finding:
    what, effects = f"{account.id} effects", account.effects
    open_ = effects.waiting + effects.sending + effects.unknown
    if effects.dead:
        return bad(
            what,
            f"{effects.dead} on the dead-letter desk, {open_} waiting",
            f"see 'callmatrix desk list --account {account.id}'",
        )
    if effects.held:
        return warning(
            what,
            f"{effects.held} held back since the account was off, {open_} waiting",
            f"see 'callmatrix backfill --account {account.id} --preview'",
        )
    return ok(what, f"{open_} waiting")


def _inbox(account: AccountStatus) -> Finding:
    what, inbox = f"{account.id} events", account.inbox
    if inbox.dead:
        return bad(
            what,
            f"{inbox.dead} could not be processed",
            f"see 'callmatrix desk list --account {account.id}'",
        )
    if inbox.lag_seconds > LAG_SECONDS:
        return bad(
            what,
            f"{inbox.pending} wait, the oldest for {duration(inbox.lag_seconds)}",
            "is a worker running? see the workers' lines and logs",
        )
    return ok(what, f"{inbox.pending} waiting")


def _cases(account: AccountStatus) -> Finding:
    what, cases = f"{account.id} missed calls", account.cases
    message = f"{cases.open} open"
    if cases.overdue:
        return warning(
            what,
            f"{message}, {cases.overdue} of them overdue",
            f"see 'callmatrix cases overdue --account {account.id}'",
        )
    return ok(what, message)


def _people(account: AccountStatus) -> Iterator[Finding]:
    what, people = f"{account.id} employees", account.people
    if not people.employees:
        yield bad(
            what,
            "there are none: every caller goes to the PBX's scheme",
            "add them with 'callmatrix config import'",
        )
        return
    if people.senior is None:
        yield bad(
            f"{account.id} senior manager",
            "not set: nobody gets the tasks of missed calls",
            "set 'is_senior: true' on one employee",
        )
    if people.unmapped:
        yield warning(
            what,
            f"without a CRM user: {_some(people.unmapped)}",
            "set 'crm_user_id', or the e-mail address of their CRM user",
        )
    if people.inactive:
        yield warning(
            what,
            f"deactivated in the CRM: {_some(people.inactive)}",
            "remove them, or give their clients away",
        )
    if people.crm_users_unmapped:
        yield warning(
            what,
            f"CRM users who are no employee here: {_some(people.crm_users_unmapped)}",
            "add them with their extensions, or their clients ring nobody",
        )
    if not (people.unmapped or people.inactive or people.crm_users_unmapped):
        yield ok(what, f"{people.employees}, all mapped")


def _connection(account: AccountStatus, connection: ConnectionState, now: datetime) -> Finding:
    what = f"{account.id} connection {connection.name}"
    if not connection.is_on:
        return ok(what, f"{connection.kind}, switched off")
    listener = connection.listener
    if listener is not None and not listener.get("connected"):
        return bad(
            what,
            f"{connection.kind}, the link to {listener.get('address', 'the PBX')} is down: {listener.get('error') or 'no reason known'}",
            "check address, user and secret of the Asterisk manager interface",
        )
    if connection.reconciliation and (alarm := connection.reconciliation.get("alarm")):
        return warning(
            what, f"{connection.kind}, {alarm}", "see the connection's webhooks or link to the PBX"
        )
    if connection.last_event_at is None:
        return ok(what, f"{connection.kind}, no event lately")
    ago = duration((now - connection.last_event_at).total_seconds())
    return ok(what, f"{connection.kind}, last event {ago} ago")


def _matrix(account: AccountStatus) -> Iterator[Finding]:
    what, matrix = f"{account.id} matrix", account.matrix
    if matrix is None:
        return
    message = f"version {matrix.version}: {matrix.errors} errors, {matrix.warnings} warnings"
    if matrix.errors:
        yield bad(what, f"{message}; first: {matrix.first}", "mend the draft and publish it")
    elif matrix.warnings:
        yield warning(what, message, f"first: {matrix.first}")
    else:
        yield ok(what, message)


def duration(seconds: float) -> str:
    """Short, for a person: 5 s, 12 min, 3 h, 2 d."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"
