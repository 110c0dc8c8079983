"""Which pages are measured."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from tests.bench.distribution_rows import LARGE
from tests.bench.messenger_rows import CHANNEL
from tests.bench.page_rows import LISTED, PAINTED, WEEKLY

ADDRESSES = (
    "/",
    "/calls",
    "/calls?result=missed",
    "/calls/try",
    "/missed",
    "/matrix",
    "/setup",
    "/me/account",
    "/distribution",
    "/distribution/waiting",
    "/distribution/templates",
    f"/distribution/templates/{quote(LARGE)}",
    f"/distribution/templates/{quote('Отдел 1')}",
    "/distribution/analytics?days=30",
    f"/distribution/analytics?template={quote(LARGE)}&days=30",
    "/distribution/shift-change",
    "/distribution/shift-change/settings",
    "/distribution/shift-change/runs/1",
    "/shifts",
    "/shifts/schedules",
    f"/shifts/schedules/{quote(PAINTED)}",
    f"/shifts/schedules/{quote(PAINTED)}/settings",
    f"/shifts/schedules/{quote(WEEKLY)}?view=month",
    f"/shifts/schedules/{quote(WEEKLY)}?view=week",
    "/messages",
    "/messages/sms",
    "/messages/triggers",
    f"/messages/triggers/{quote('перезвонить 1')}",
    "/messages/firings",
    "/messages/campaigns",
    f"/messages/campaigns/{quote(LISTED)}",
    "/missed/closed",
    "/wall",
    "/start",
    "/help",
    "/setup/employees",
    "/setup/users",
    "/setup/pbx",
    "/setup/numbers",
    "/setup/other",
    "/setup/audit",
    "/setup/not-sent",
    "/setup/held",
    "/setup/exchanges",
    "/setup/do-not-call",
    "/dialogs",
    "/dialogs?only=unread",
    f"/dialogs?q={quote('Клиент 1999')}",
    f"/dialogs?q={quote('добрый')}",
    "/dialogs/count",
    "/dialogs/new",
    "/setup/channels",
    "/setup/channels/access",
    "/setup/channels/crm-chats",
    f"/setup/channels/{CHANNEL}",
    "/distribution/results",
    f"/distribution/templates/{quote(LARGE)}/versions",
    "/matrix/rules",
    "/matrix/ads",
    "/matrix/versions",
    "/messages/texts",
    "/messages/new-trigger",
    f"/messages/triggers/{quote('перезвонить 1')}/versions",
    f"/messages/triggers/{quote('перезвонить 1')}/apply",
    "/messages/new-campaign",
    f"/messages/campaigns/{quote(LISTED)}/edit",
    "/setup/sms",
)
# Of one row of a list: where it is listed, and how its address reads.
ONES = (
    ("/calls", "/calls/{}", r"/calls/[0-9a-z]{16,32}"),
    ("/missed", "/missed/{}/close", r"/missed/[0-9a-z]{16,32}/close"),
    ("/dialogs", "/dialogs/{}", r"/dialogs/[0-9]+"),
)

# Pages that are not measured: questions and forms of one row, parts of pages that are, files, and what is seen before signing in.
NOT_MEASURED = frozenset(
    {
        "/_kit",
        "/calls/csv",
        "/calls/new",
        "/calls/{call}/again",
        "/calls/{call}/draft",
        "/calls/{call}/recording/{number}",
        "/dialogs/{dialogue}/files/{file}",
        "/distribution/new",
        "/distribution/results/{item}",
        "/distribution/shift-change/move",
        "/distribution/shift-change/runs/{run}/stop",
        "/distribution/templates/{template}/hook",
        "/distribution/templates/{template}/remove",
        "/distribution/templates/{template}/stages/{pipeline}/{stage}/detach",
        "/distribution/templates/{template}/stages/{pipeline}/{stage}/give",
        "/distribution/templates/{template}/tried/{work}/{number}",
        "/events",
        "/frame/card",
        "/frame/done",
        "/frame/settings",
        "/frame/template",
        "/matrix/presets",
        "/matrix/publish",
        "/matrix/publish/replay",
        "/matrix/reset",
        "/matrix/trial",
        "/matrix/try",
        "/matrix/versions/difference",
        "/matrix/versions/{version}/restore",
        "/me",
        "/me/account/second-factor",
        "/me/parts/{part}",
        "/messages/campaigns/{campaign}/ending",
        "/messages/campaigns/{campaign}/members.csv",
        "/messages/clear",
        "/messages/firings/{firing}",
        "/messages/texts.csv",
        "/messages/triggers/{trigger}/off",
        "/messages/triggers/{trigger}/remove",
        "/missed/count",
        "/missed/csv",
        "/missed/waits",
        "/now/{part}",
        "/setup/audit.csv",
        "/setup/channels/access/clear",
        "/setup/channels/crm-chats/remove",
        "/setup/channels/{channel}/remove",
        "/setup/employees/{employee}",
        "/setup/employees/{employee}/remove",
        "/setup/held/discard",
        "/setup/held/report",
        "/setup/held/report.csv",
        "/setup/held/run",
        "/setup/held/stop",
        "/setup/new-channel",
        "/setup/new-employee",
        "/setup/new-pbx",
        "/setup/new-sms-provider",
        "/setup/new-user",
        "/setup/pbx/{connection}",
        "/setup/pbx/{connection}/remove",
        "/setup/pbx/{connection}/secret",
        "/setup/pbx/{connection}/wait",
        "/setup/sms/{provider}",
        "/setup/sms/{provider}/remove",
        "/setup/users/{login}",
        "/setup/users/{login}/remove",
        "/shifts/new-schedule",
        "/shifts/people/{employee}",
        "/shifts/schedules/{schedule}/copy",
        "/shifts/schedules/{schedule}/remove",
        "/sign-in",
        "/sign-in/code",
        "/sign-in/once/{secret}",
        "/sign-in/second-factor",
        "/wall/{part}",
    }
)


def unmeasured(paths: Iterable[str]) -> set[str]:
    """Return which of these routes no address of ours opens; a word in the place of a name is no name, where it has its own route."""
    left = set(paths)
    for address in _opened():
        fitting = [path for path in left if _pattern(path).fullmatch(address)]
        left -= set(sorted(fitting, key=lambda path: path.count("{"))[:1])
    return left


def _opened() -> list[str]:
    measured = [unquote(address).partition("?")[0] for address in ADDRESSES]
    return [*dict.fromkeys(measured), *(name.replace("{}", "x") for _, name, _ in ONES)]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path))
