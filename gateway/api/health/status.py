"""How everything fares: the same findings as `callmatrix check`, and the figures behind them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Route, not_found
from gateway.health.account_checks import account_findings
from gateway.health.checks import installation_findings, seen_by_operators
from gateway.health.findings import Finding, in_words
from gateway.health.status import installation_status
from gateway.health.views import AccountStatus, InstallationStatus
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.metrics import Latency


class StatusQuery(Body):
    lang: Annotated[Language, Field(description="of the findings")] = "en"


class FindingView(Answer):
    """code: stable. remedy: what to do about it. is_warning: worth a look, but nothing fails."""

    code: str
    subject: str
    is_ok: bool
    is_warning: bool
    message: str
    remedy: str


class LookupFigures(Answer):
    """Of this gateway process since its start; upper bounds, null when there was none or it took longer than a second."""

    count: int
    p50_ms: float | None
    p99_ms: float | None


class StatusAnswer(Answer):
    findings: list[FindingView]
    lookups: LookupFigures | None
    status: InstallationStatus


class AccountStatusAnswer(Answer):
    findings: list[FindingView]
    status: AccountStatus


def _views(findings: Iterable[Finding], language: Language) -> list[FindingView]:
    return [FindingView.model_validate(in_words(f, TEXTS[language])) for f in findings]


def _numbers(call: AnyCall) -> dict[str, int]:
    directories = call.services.directories
    known = ((id, directories.get(id)) for id in call.services.configuration.now.accounts)
    return {id: len(directory) for id, directory in known if directory is not None}


def _lookups(latency: Latency | None) -> LookupFigures | None:
    if latency is None:
        return None
    p50, p99 = latency.quantile(0.5), latency.quantile(0.99)
    return LookupFigures(
        count=latency.count,
        p50_ms=p50 * 1000 if p50 is not None else None,
        p99_ms=p99 * 1000 if p99 is not None else None,
    )


async def show_status(call: ApiCall[StatusQuery, None]) -> StatusAnswer:
    now = datetime.now(UTC)
    pool, is_operator = call.services.pool, call.who.account_id is None
    status = await installation_status(pool, now, _numbers(call), call.who.account_id)
    findings = list(installation_findings(status, now))
    if is_operator:
        async with pool.acquire() as conn:
            findings += await seen_by_operators(conn, now)
    return StatusAnswer(
        findings=_views(findings, call.query.lang),
        lookups=_lookups(call.services.lookup_latency),
        status=status,
    )


async def show_account_status(call: ApiCall[StatusQuery, None]) -> AccountStatusAnswer:
    now = datetime.now(UTC)
    status = await installation_status(call.services.pool, now, _numbers(call), call.account.id)
    if not status.accounts:
        raise not_found("account", call.account.id)
    account = status.accounts[0]
    return AccountStatusAnswer(
        findings=_views(account_findings(account, now), call.query.lang), status=account
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/status",
        handler=show_status,
        summary="How the installation fares: findings, workers, accounts",
        role="read_only",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account}/status",
        handler=show_account_status,
        summary="How one account fares",
        role="read_only",
    ),
)
