"""Where calls may be made up, and at which phones people answer them."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.pbx.connection import Connection
from gateway.pbx.generic.adapter import GenericKind
from gateway.web.frame import AnyPageCall
from routing.staff import Staff
from runtime.addresses import is_local


def may_start(call: AnyPageCall) -> bool:
    """Whether calls may be made up here: nobody's real CRM is written to."""
    return is_local(urlsplit(call.account.base_url).hostname) and generic_pbx(call) is not None


def generic_pbx(call: AnyPageCall) -> Connection | None:
    known = call.services.configuration.now.connections.values()
    return next((c for c in known if c.account_id == call.account.id and c.kind == GenericKind.kind), None)


def address_at(employee: str | None, staff: Staff) -> str | None:
    """Return at which phone this person answers; None: nobody knows who did."""
    person = staff.by_id.get(employee or "")
    return next(iter((*person.extensions, *person.sip, *person.numbers)), None) if person else None
