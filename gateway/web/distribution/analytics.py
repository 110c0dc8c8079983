"""Is it even? What everybody was meant to get by a template beside what they got, over some days, and why these differ."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal

from gateway.admin.distribution.results import shares_of
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.listing import counts_by_template, got_by_person
from gateway.store.distribution.templates import template_names
from gateway.web.distribution.evenness import ENOUGH, measured
from gateway.web.distribution.tabs import tabs
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, Shown, page_not_found
from gateway.web.words.sorting import by_name

_PERIODS: tuple[int, ...] = (7, 30, 92)


class AnalyticsQuery(PageQuery):
    """template: None = the one that gave most. days: back from today."""

    template: str | None = None
    days: Literal["7", "30", "92"] = "7"


async def show_analytics(call: PageCall[AnalyticsQuery, None]) -> Shown:
    days = _days(call, int(call.query.days))
    since = datetime.combine(days[0], time(), tzinfo=call.zone)
    async with call.connection() as conn:
        names = sorted(
            (n for n in await template_names(conn, [call.account.id]) if call.may("read_only", template=n)),
            key=by_name,
        )
        counts = await counts_by_template(conn, call.account.id, since)
        chosen = call.query.template or max(
            names, key=lambda n: counts[n].given if n in counts else 0, default=None
        )
        if chosen is not None and chosen not in names:
            raise page_not_found("template")
        seen = None
        if chosen is not None:
            got = await got_by_person(conn, call.account.id, chosen, since)
            if sum(one.items for one in got) >= ENOUGH:
                reports = await shares_of(
                    conn, call.account, chosen, len(days), call.texts.language, call.now
                )
                seen = measured(reports, got, await staff_of(conn, call.account.id), call.words, days)
    values = {
        "names": [(name, name) for name in names],
        "chosen": chosen,
        "days": call.query.days,
        "seen": seen,
        "so_far": 0 if seen or chosen is None else sum(one.items for one in got),
        "group_lines": [(g.name, call.words.decimal(g.meant), call.words.count(g.got)) for g in seen.groups]
        if seen
        else (),
        "enough": ENOUGH,
        "tabs_shown": tabs(call, "analytics"),
        "periods": [(str(n), call.texts.say("distribution.even.days", n=n)) for n in _PERIODS],
    }
    return Shown("distribution/analytics.html", values)


def _days(call: AnyPageCall, count: int) -> list[date]:
    today = call.now.astimezone(call.zone).date()
    return [today - timedelta(days=back) for back in reversed(range(count))]
