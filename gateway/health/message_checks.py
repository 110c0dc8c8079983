"""SMS providers, messenger channels and the CRM's own chats of an account: as the status shows them, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from gateway.health.findings import Finding, about, bad, detail, ok, warning
from gateway.health.views import ChannelStanding, SmsProviderState
from gateway.store.admin.accounts import account
from gateway.store.admin.matrix_catalogue import catalogue_of, template_people
from gateway.store.channels.access import rights_in_channels
from gateway.store.channels.channels import SavedChannel
from gateway.store.crm_chats.standing import CrmChatsStanding
from gateway.store.sms.links import SmsLinkHeard
from gateway.store.sms.standing import SmsStanding
from routing.dialogues.gaps import ListeningGap
from routing.dialogues.rule_problems import RuleProblem, right_problems, rule_problems
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.reasons import ChannelState
from sms.kinds import SMS_KINDS
from sms.reasons import SmsReason

_TOLD_FAULTS = (
    "crm-chat-forbidden",
    "crm-chat-not-there",
    "crm-chat-silent",
    "crm-chat-throttled",
    "crm-forbidden",
    "crm-unauthorised",
    "crm-unavailable",
)
"""Codes of errors of the CRM's chats that have words of their own."""


def sms_states(found: Iterable[SmsStanding]) -> list[SmsProviderState]:
    return [_state(one) for one in found]


def _state(one: SmsStanding) -> SmsProviderState:
    saved = one.saved
    if saved is None:
        return SmsProviderState(name=one.name, kind="", is_on=False, is_gone=True, waiting=one.waiting)
    kind = SMS_KINDS.get(saved.connection.kind)
    return SmsProviderState(
        name=saved.name,
        kind=saved.connection.kind,
        is_on=saved.is_on,
        lacks=list(kind.missing(saved.connection)) if kind else [],
        stop_reason=saved.stop.reason if saved.stop else None,
        stop_words=saved.stop.words if saved.stop else "",
        stopped_at=saved.stop.since if saved.stop else None,
        link_reason=_why_down(one.link),
        waiting=one.waiting,
        balance=float(saved.balance.amount) if saved.balance else None,
        currency=saved.balance.currency if saved.balance else "",
        balance_error=saved.balance_error,
    )


def _why_down(link: SmsLinkHeard | None) -> str:
    return "" if link is None or link.is_up else link.reason or SmsReason.NOT_CONNECTED


def sms_findings(account_id: str, providers: Iterable[SmsProviderState]) -> Iterator[Finding]:
    """Nothing where no provider is connected, and no text waits for one that was."""
    for one in providers:
        yield _finding(account_id, one)


def _finding(account_id: str, one: SmsProviderState) -> Finding:
    what, kind = about("sms", account=account_id, name=one.name), one.kind
    if one.is_gone:
        return bad("sms-gone", what, name=one.name, waiting=one.waiting)
    if not one.is_on and one.waiting:
        return warning("sms-off-waits", what, kind=kind, waiting=one.waiting, name=one.name)
    if not one.is_on:
        return ok("sms-off", what, kind=kind)
    if one.lacks:
        return bad("sms-lacks", what, kind=kind, names=", ".join(one.lacks), name=one.name)
    if one.stop_reason is not None:
        return bad(
            "sms-stopped",
            what,
            kind=kind,
            reason=phrase(f"sms.reason.{one.stop_reason}"),
            words=detail("sms-words", one.stop_words, words=one.stop_words),
            waiting=one.waiting,
            name=one.name,
        )
    if one.link_reason:
        reason = phrase(f"sms.reason.{one.link_reason}")
        return bad("sms-unlinked", what, kind=kind, reason=reason, waiting=one.waiting, name=one.name)
    if one.balance_error:
        return warning("sms-money-unknown", what, kind=kind, error=one.balance_error)
    money = detail(
        "sms-money", one.balance is not None, amount=f"{one.balance or 0:.2f}", currency=one.currency
    )
    return ok("sms-well", what, kind=kind, money=money)


async def rule_misfits(
    conn: Conn, channels: Mapping[str, Sequence[SavedChannel]]
) -> dict[str, tuple[RuleProblem, ...]]:
    """Return by channel what its rules name that is not there. channels: by account."""
    found: dict[str, tuple[RuleProblem, ...]] = {}
    for account_id, of in channels.items():
        catalogue = await catalogue_of(conn, account_id)
        stored = await account(conn, account_id)
        templates = await template_people(conn, account_id, catalogue.staff)
        rights, observers = await rights_in_channels(conn, account_id), stored.settings.dialogues.observers
        for saved in of:
            unable = right_problems(saved.id, saved.rules, templates, rights, observers, catalogue.staff)
            found[saved.id] = (*rule_problems(saved.rules, catalogue), *unable)
    return found


def channel_standings(
    found: Iterable[SavedChannel],
    gaps: Mapping[str, ListeningGap],
    misfits: Mapping[str, tuple[RuleProblem, ...]],
) -> list[ChannelStanding]:
    """gaps: by channel, those that stay open. misfits: by channel, of those that were asked."""
    return [
        ChannelStanding(
            id=saved.id,
            name=saved.name,
            kind=saved.channel.kind,
            is_on=saved.is_on,
            lacks=list(CHANNEL_KINDS[saved.channel.kind].missing(saved.channel)),
            state=saved.state,
            state_words=saved.state_words,
            state_at=saved.state_at,
            misfits=[(p.rule, p.code, p.value) for p in misfits.get(saved.id, ())],
            gap=(gap.from_at, gap.to_at) if (gap := gaps.get(saved.id)) else None,
        )
        for saved in found
        if saved.channel.kind in CHANNEL_KINDS
    ]


def channel_findings(
    account_id: str, channels: Iterable[ChannelStanding], zone: ZoneInfo
) -> Iterator[Finding]:
    """Nothing where no channel is connected. zone: of the account."""
    for one in channels:
        yield _of_channel(account_id, one)
        what = about("channel", account=account_id, name=one.name)
        for rule, code, value in one.misfits:
            problem = phrase(f"channel.rule.{code}", value=value)
            yield warning("channel-rule", what, rule=rule, problem=problem, name=one.name)
        if one.gap is not None:
            since, until = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in one.gap)
            yield warning("channel-gap", what, since=since, until=until, name=one.name)


def _of_channel(account_id: str, one: ChannelStanding) -> Finding:
    what, kind = about("channel", account=account_id, name=one.name), one.kind
    if not one.is_on:
        return ok("channel-off", what, kind=kind)
    if one.lacks:
        return bad("channel-lacks", what, kind=kind, names=", ".join(one.lacks), name=one.name)
    if one.state is ChannelState.ACTIVE:
        return ok("channel-well", what, kind=kind)
    words = detail("channel-words", one.state_words, words=one.state_words)
    fares = phrase(f"channel.state.{one.state}")
    if one.state is ChannelState.WAITING:
        return warning("channel-waits", what, kind=kind, fares=fares, words=words, name=one.name)
    return bad("channel-stopped", what, kind=kind, fares=fares, words=words, name=one.name)


def crm_chats_findings(account_id: str, chats: CrmChatsStanding | None) -> Iterator[Finding]:
    """Nothing where they are not set up."""
    if chats is None:
        return
    what = about("crm-chats", account=account_id)
    if chats.error:
        yield bad("crm-chats-failing", what, fault=crm_chats_fault(chats.error))
    elif chats.is_on:
        yield ok("crm-chats-well", what) if chats.is_connected else ok("crm-chats-connecting", what)
    else:
        yield ok("crm-chats-off", what)
    if chats.dead and chats.is_on:
        yield warning("crm-chats-unshown", what, count=chats.dead)


def crm_chats_fault(error: str) -> Phrase:
    """Return the words of an error of the CRM's chats, by the code that it begins with."""
    code = error.partition(":")[0].strip()
    return (
        phrase(f"crm-chats.fault.{code}")
        if code in _TOLD_FAULTS
        else phrase("crm-chats.fault.other", code=code)
    )
