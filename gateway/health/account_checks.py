"""What a person should know of one account, read from its status: pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.errors import (
    CrmBlocked,
    CrmOutcomeUnknown,
    CrmThrottled,
    CrmUnauthorised,
    CrmUnavailable,
    CrmUnpaid,
    trouble_of,
)
from gateway.health.campaign_checks import campaign_findings
from gateway.health.findings import Finding, about, bad, detail, duration, ok, some, warning
from gateway.health.message_checks import channel_findings, crm_chats_findings, sms_findings
from gateway.health.views import AccountStatus, ConnectionState, FeedView, TemplatesView, WriterView
from gateway.store.admin.accounts import BY_HAND, NOT_AUTHORISED
from routing.texts.catalogue import InLanguages, Phrase, Value, phrase

_OF_THE_WHOLE_CRM = frozenset(
    one.code
    for one in (CrmThrottled, CrmBlocked, CrmUnauthorised, CrmUnpaid, CrmUnavailable, CrmOutcomeUnknown)
)
"""Errors that tell of no feed in particular."""
DIRECTORY_SECONDS = 300.0
"""Polls run every half minute: older than this, and changes in the CRM no longer reach the phones."""
LAG_SECONDS = 60.0
CLOCK_SECONDS = 30.0
_TOLD_FOR = timedelta(days=1)
_OURS = {NOT_AUTHORISED: "not-authorised", BY_HAND: "by-hand"}
"""Reasons that the program stored in English, for people to read in their language."""


def account_findings(account: AccountStatus, now: datetime) -> Iterator[Finding]:
    yield _state(account)
    yield _token(account)
    if account.state == "on":
        yield _directory(account)
        yield from _key(account)
        yield from _numbers(account)
        yield from _feeds(account)
        yield from _crm(account)
        yield _webhooks(account, now)
        yield from _registration(account, now)
        yield from _unread(account)
        yield from _presence(account)
    yield _effects(account)
    yield from _left_out(account)
    yield _inbox(account)
    yield from _undecided(account)
    yield _cases(account)
    yield from _distribution(account)
    yield from _templates(account)
    yield from _triggers(account)
    yield from _people(account)
    yield from _matrix(account)
    if not account.connections:
        yield warning("connections-missing", about("connections", account=account.id))
    for connection in account.connections:
        yield _connection(account, connection, now)
        yield from _pbx_clock(account, connection)
    yield from sms_findings(account.id, account.sms)
    yield from channel_findings(account.id, account.channels, ZoneInfo(account.time_zone))
    yield from crm_chats_findings(account.id, account.crm_chats)
    if account.state == "on":
        yield from campaign_findings(account.id, account.time_zone, account.campaigns)


def _local(at: datetime, account: AccountStatus) -> str:
    """Return a time as the account's people read their clocks."""
    return f"{at.astimezone(ZoneInfo(account.time_zone)):%Y-%m-%d %H:%M}"


def _reconnect(account_id: str) -> Phrase:
    """How to authorise an account anew."""
    return phrase("finding.reconnect", account=account_id)


def _state(account: AccountStatus) -> Finding:
    what = about("state", account=account.id)
    if account.state == "on":
        return ok("account-on", what, url=account.url)
    since = _local(account.state_since, account)
    reason = detail("reason", account.state_reason, reason=reason_said(account.state_reason))
    if account.state == "off":
        return warning("account-off", what, since=since, reason=reason, account=account.id)
    return bad("account-broken", what, since=since, reason=reason, reconnect=_reconnect(account.id))


def _token(account: AccountStatus) -> Finding:
    what, token = about("authorisation", account=account.id), account.token
    kind, reconnect = phrase(f"token.kind.{token.kind}"), _reconnect(account.id)
    left = detail("nothing")
    if token.days_left is not None:
        left = phrase("token.days-left", days=round(token.days_left))
    if token.warning is None:
        return ok("authorised", what, kind=kind, left=left)
    if token.warning == "expires-soon":
        return warning("token-expires-soon", what, kind=kind, left=left, reconnect=reconnect)
    return bad("token-refused", what, kind=kind, message=reason_said(token.message), reconnect=reconnect)


def _directory(account: AccountStatus) -> Finding:
    what, directory = about("directory", account=account.id), account.directory
    if not directory.is_loaded:
        seconds = directory.load.seconds_left
        left = detail("load-left", seconds is not None, left=duration(seconds or 0.0))
        return bad("directory-loading", what, done=directory.load.done, left=left, account=account.id)
    if directory.age_seconds is None:
        return warning("directory-unpolled", what)
    age = duration(directory.age_seconds)
    if directory.age_seconds > DIRECTORY_SECONDS:
        return bad("directory-stale", what, age=age)
    reload = detail("directory-reload", not directory.load.is_done, done=directory.load.done)
    return ok("directory-in-sync", what, age=age, reload=reload)


def _numbers(account: AccountStatus) -> Iterator[Finding]:
    values = account.directory.numberless
    if values.total:
        what = about("numbers", account=account.id)
        yield warning("values-numberless", what, count=values.total, samples="; ".join(values.samples))


def failing_feeds(account: AccountStatus) -> list[FeedView]:
    """Return those whose error still holds: one of the CRM as a whole is over once any feed was answered after it, though the
    feed itself asks again only when its turn comes."""
    answered_at = max((f.last_success for f in account.feeds if f.last_success), default=None)
    return [f for f in account.feeds if f.last_error and not _is_past(f, answered_at)]


def _is_past(feed: FeedView, answered_at: datetime | None) -> bool:
    is_of_all = str(feed.last_error).partition(":")[0] in _OF_THE_WHOLE_CRM
    return is_of_all and None not in (answered_at, feed.last_error_at) and answered_at > feed.last_error_at  # type: ignore[operator]


def _feeds(account: AccountStatus) -> Iterator[Finding]:
    failing, at = failing_feeds(account), _latest_error(account)
    unpaid = [f for f in failing if str(f.last_error).startswith(CrmUnpaid.code)]
    if unpaid:  # the account's, and no feed's
        what = about("feeds", account=account.id)
        yield warning("feed-failing", what, error=str(unpaid[0].last_error), at=at)
    for feed in (f for f in failing if f not in unpaid):
        what = about("feed", account=account.id, feed=feed.feed)
        yield warning("feed-failing", what, error=str(feed.last_error), at=at)
    if not failing:
        yield ok("feeds-well", about("feeds", account=account.id), count=len(account.feeds))


def _latest_error(account: AccountStatus) -> str:
    """By the account's clock; one time for all feeds, so that what reads alike stands on a page once."""
    latest = max((f.last_error_at for f in failing_feeds(account) if f.last_error_at), default=None)
    return f"{latest.astimezone(ZoneInfo(account.time_zone)):%Y-%m-%d %H:%M}" if latest else "?"


def _key(account: AccountStatus) -> Iterator[Finding]:
    if account.forbidden:
        names = ", ".join(account.forbidden)
        what = about("authorisation", account=account.id)
        yield bad("key-limited", what, names=names, reconnect=_reconnect(account.id))


def _left_out(account: AccountStatus) -> Iterator[Finding]:
    if account.left_out:
        told = [f"{name} ({count})" for name, count in sorted(account.left_out.items())]
        yield warning("values-left-out", about("effects", account=account.id), names=some(told))


def _crm(account: AccountStatus) -> Iterator[Finding]:
    what, crm = about("crm", account=account.id), account.crm
    if crm is None or not crm.is_served:
        at = _local(crm.reported_at, account) if crm else ""
        yield bad("crm-unserved", what, last=detail("crm-last-seen", crm, at=at))
        return
    if crm.moved_to:
        yield bad("crm-moved", what, address=crm.moved_to, reconnect=_reconnect(account.id))
    elif crm.circuit is not None and crm.circuit.name != "closed":
        yield bad("crm-closed", what, count=crm.circuit.refusals, reason=crm.circuit.reason)
    elif crm.writer is not None and crm.writer.is_alarm:
        yield bad("crm-alarm", what, error=_trouble(crm.writer))
    elif crm.writer is not None and crm.writer.reason:
        yield warning("crm-in-trouble", what, error=_trouble(crm.writer))
    else:
        count = crm.budget.throttled if crm.budget else 0
        yield ok("crm-answers", what, throttled=detail("crm-throttled", crm.budget, count=count))
    if (offset := crm.clock_offset_seconds) is not None and abs(offset) > CLOCK_SECONDS:
        yield warning("crm-clock-differs", about("crm-clock", account=account.id), offset=offset)


def _trouble(writer: WriterView) -> str:
    """Return why nothing is sent; the last error begins with its code, which most often is the reason itself."""
    if writer.last_error.startswith(f"{writer.reason}:"):
        return writer.last_error
    return f"{writer.reason}: {writer.last_error}"


def _webhooks(account: AccountStatus, now: datetime) -> Finding:
    what, hooks = about("webhooks", account=account.id), account.webhooks
    if hooks.last_at is None:
        return ok("webhooks-none", what)
    ago = duration((now - hooks.last_at).total_seconds())
    if hooks.last_refused_at is not None and now - hooks.last_refused_at < _TOLD_FOR:
        latest = hooks.last_refusal or ""
        return warning("webhooks-unreadable", what, ago=ago, count=hooks.refused, latest=latest)
    return ok("webhooks-come", what, ago=ago)


def _registration(account: AccountStatus, now: datetime) -> Iterator[Finding]:
    what, hooks = about("webhook-registration", account=account.id), account.webhooks
    at = hooks.registered_again_at
    if at is not None and now - at < _TOLD_FOR:
        was = phrase(f"webhook.was.{hooks.registration_was}")
        yield warning("webhook-registered-again", what, was=was, ago=duration((now - at).total_seconds()))


def _unread(account: AccountStatus) -> Iterator[Finding]:
    what, unread = about("crm-rows", account=account.id), account.unread
    if unread.rows:
        yield warning("rows-unread", what, count=unread.rows, first=unread.first, account=account.id)


def _presence(account: AccountStatus) -> Iterator[Finding]:
    if account.presence_doubt not in ("", "just_started"):
        what = about("presence", account=account.id)
        yield warning(
            "presence-in-doubt",
            what,
            doubt=phrase(f"presence.doubt.{account.presence_doubt}"),
            account=account.id,
        )


def _effects(account: AccountStatus) -> Finding:
    what, effects = about("effects", account=account.id), account.effects
    waiting = effects.waiting + effects.sending + effects.unknown
    if effects.dead:
        return bad("effects-dead", what, dead=effects.dead, waiting=waiting, account=account.id)
    if effects.held:
        return warning("effects-held", what, held=effects.held, waiting=waiting, account=account.id)
    return ok("effects-waiting", what, waiting=waiting)


def _undecided(account: AccountStatus) -> Iterator[Finding]:
    count = sum(account.desk.get(kind, 0) for kind in ("update", "call", "case", "webhook"))
    if count:
        yield bad("set-aside", about("set-aside", account=account.id), count=count, account=account.id)


def _inbox(account: AccountStatus) -> Finding:
    what, inbox = about("events", account=account.id), account.inbox
    if inbox.dead:
        return bad("events-dead", what, count=inbox.dead, account=account.id)
    if inbox.lag_seconds > LAG_SECONDS:
        return bad("events-late", what, count=inbox.pending, age=duration(inbox.lag_seconds))
    return ok("events-waiting", what, count=inbox.pending)


def _cases(account: AccountStatus) -> Finding:
    what, cases = about("missed-calls", account=account.id), account.cases
    if cases.overdue:
        return warning("cases-overdue", what, open=cases.open, overdue=cases.overdue, account=account.id)
    return ok("cases-open", what, open=cases.open)


def _distribution(account: AccountStatus) -> Iterator[Finding]:
    """Nothing where no deal waits and none failed."""
    what, deals = about("distribution", account=account.id), account.distribution
    if deals.failed:
        yield warning("deals-not-given", what, failed=deals.failed, account=account.id)
    if deals.too_old:
        yield warning(
            "deals-wait-too-long", what, waiting=deals.waiting, too_old=deals.too_old, account=account.id
        )
    elif deals.waiting:
        yield ok("deals-waiting", what, waiting=deals.waiting)


def _templates(account: AccountStatus) -> Iterator[Finding]:
    """Nothing where none has a problem."""
    what, found = about("templates", account=account.id), account.templates
    if found is not None and found.errors:
        yield bad("templates-errors", what, errors=found.errors, warnings=found.warnings, first=_first(found))
    elif found is not None and found.warnings:
        yield warning("templates-warnings", what, warnings=found.warnings, first=_first(found))


def _triggers(account: AccountStatus) -> Iterator[Finding]:
    """As `_templates`, of those that are on."""
    what, found = about("triggers", account=account.id), account.triggers
    if found is not None and found.errors:
        yield bad("triggers-errors", what, errors=found.errors, warnings=found.warnings, first=_first(found))
    elif found is not None and found.warnings:
        yield warning("triggers-warnings", what, warnings=found.warnings, first=_first(found))


def _first(found: TemplatesView) -> InLanguages:
    return InLanguages(ru=found.first_ru or "", en=found.first or "")


def _people(account: AccountStatus) -> Iterator[Finding]:
    what, people = about("employees", account=account.id), account.people
    if not people.employees:
        yield bad("employees-missing", what)
        return
    if people.senior is None:
        yield bad("senior-missing", about("senior", account=account.id))
    if people.unmapped:
        yield warning("employees-unmapped", what, names=some(people.unmapped))
    if people.inactive:
        yield warning("employees-inactive", what, names=some(people.inactive))
    if people.undialable:
        yield warning("employees-undialable", what, names=some(people.undialable))
    if people.crm_users_unmapped:
        yield warning("crm-users-unmapped", what, names=some(people.crm_users_unmapped))
    if not (people.unmapped or people.inactive or people.crm_users_unmapped):
        yield ok("employees-mapped", what, count=people.employees)


def _connection(account: AccountStatus, connection: ConnectionState, now: datetime) -> Finding:
    what, kind = about("connection", account=account.id, name=connection.name), connection.kind
    if not connection.is_on:
        return ok("connection-off", what, kind=kind)
    listener = connection.listener
    if listener is not None and not listener.get("connected"):
        address = listener.get("address") or detail("connection-address-unknown")
        error = listener.get("error") or detail("connection-error-unknown")
        return bad("connection-link-down", what, kind=kind, address=address, error=error)
    if connection.reconciliation and (alarm := connection.reconciliation.get("alarm")):
        return warning("connection-unreliable", what, kind=kind, alarm=alarm)
    if connection.spoilt_messages:
        count, names = connection.spoilt_messages, some(connection.spoilt_fields)
        return warning("connection-spoilt", what, kind=kind, count=count, names=names)
    if connection.last_event_at is None:
        return ok("connection-silent", what, kind=kind)
    ago = duration((now - connection.last_event_at).total_seconds())
    return ok("connection-well", what, kind=kind, ago=ago)


def _pbx_clock(account: AccountStatus, connection: ConnectionState) -> Iterator[Finding]:
    offset = connection.clock_offset_seconds
    if connection.is_on and offset:
        what, by = about("connection", account=account.id, name=connection.name), duration(abs(offset))
        yield (
            warning("pbx-clock-behind", what, by=by)
            if offset > 0
            else warning("pbx-clock-ahead", what, by=by)
        )


def _matrix(account: AccountStatus) -> Iterator[Finding]:
    what, matrix = about("matrix", account=account.id), account.matrix
    if matrix is None:
        return
    version, errors, warnings, first = (
        matrix.version,
        matrix.errors,
        matrix.warnings,
        InLanguages(ru=matrix.first_ru or "", en=matrix.first or ""),
    )
    if errors:
        yield bad("matrix-errors", what, version=version, errors=errors, warnings=warnings, first=first)
    elif warnings:
        yield warning("matrix-warnings", what, version=version, errors=0, warnings=warnings, first=first)
    else:
        yield ok("matrix-well", what, version=version, errors=0, warnings=0)


def reason_said(text: str) -> Value:
    """Return why an account is off or broken, or its key no good: as a phrase where the program wrote it; what a person or the CRM wrote stays as it is."""
    if text in _OURS:
        return phrase(f"account.reason.{_OURS[text]}")
    if (trouble := trouble_of(text)) is None:
        return text
    reason = phrase(f"account.reason.{trouble.name}")
    return phrase("account.reason.said", reason=reason, said=trouble.said) if trouble.said else reason
