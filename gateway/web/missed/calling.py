"""Whether a client can be called back by who looks, and through what."""

from __future__ import annotations

from gateway.admin.outbound.items import gate_of
from gateway.outbound.around import CallingAccount, calling_account
from gateway.outbound.people import extension_of
from gateway.web.frame import AnyPageCall
from routing.staff import Employee


def why_no_call_back(call: AnyPageCall, person: Employee | None) -> str | None:
    """Return why no call back can be ordered by this person now, as the end of a sentence's key; None: it can."""
    if person is None or extension_of(person) is None:
        return "no_extension"
    around = around_of(call)
    if around is None or not around.pbxs:
        return "no_pbx"
    return "paused" if gate_of(call.account) else None


def around_of(call: AnyPageCall) -> CallingAccount | None:
    """Return through what can be called, None: the account is not served here."""
    services = call.services
    return calling_account(services.configuration.now, call.account.id, services.kinds, services.at_work)
