"""Every point that the vendor leaves open, as a switch. A profile is a set of them; tests load their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Defaults are the profile `amocrm`. Counts are requests, times are seconds unless the name says otherwise."""

    name: str = "amocrm"
    # limits
    requests_per_second: int = 7
    account_requests_per_second: int = 50
    too_many_as: Literal["html", "json"] = "html"
    retry_after: int = 300  # in the JSON body only
    block_after_429s: int = 100  # within block_window_seconds; 0 = never blocks
    block_window_seconds: int = 600
    over_250_on_get: Literal["clamp", "refuse"] = "clamp"
    over_250_on_write: Literal["refuse_422", "accept"] = "refuse_422"
    # tokens
    access_token_seconds: int = 86400
    refresh_token_seconds: int = 90 * 86400
    code_seconds: int = 1200
    old_token_after_refresh: Literal["valid", "revoked"] = "valid"  # noqa: S105
    # the account and its plan
    filters_on: bool = False
    unsorted_on: bool = True
    webhooks: Literal["on", "plan_402", "plan_403"] = "on"
    subscription: Literal["active", "ended", "trial_ended"] = "active"
    # reading
    largest_page: int = 250  # rows that a page may hold before the gateway gives up (504)
    query_match: Literal["raw", "raw_or_digits"] = "raw_or_digits"
    phone_tail: int = 10  # digits that the vendor's own call matching compares
    unsorted_deal_readable: bool = True  # GET /leads/{id} of a lead not yet accepted
    page_beyond_end: Literal["empty_204", "empty_list"] = "empty_204"
    # writing
    text_limit: int = 256  # characters that a field of type text takes; 0 = any number
    required_fields: Literal["ignore", "refuse"] = "ignore"  # what the pages ask for and a new entity lacks
    read_only_keys: Literal["ignore", "refuse"] = (
        "ignore"  # of a fetched entity, task or note sent back whole
    )
    fractional_times: Literal["cut", "refuse"] = "cut"
    fractional_price: bool = False
    patch_unknown_id: Literal["refuse", "ignore"] = "refuse"
    calls_mixed_batch: Literal["partly_200", "refuse_400"] = "partly_200"
    duplicate_call_uniq: Literal["accept", "refuse"] = "accept"
    duplicate_source_uid: Literal["refuse", "accept"] = "refuse"
    notes_created_at: Literal["accept", "refuse", "ignore"] = "refuse"
    notes_on_unsorted: bool = True  # a note on the deal or contact of a lead before it is accepted
    calls_match_unsorted: bool = False  # POST /calls finds contacts that are still hidden in Unsorted
    # webhooks
    webhook_timeout: float = 2.0
    webhook_delays: tuple[float, ...] = (300, 900, 900, 3600)  # before attempts 2, 3, 4, 5
    webhook_disable_after: int = 100
    webhook_disable_window: float = 7200

    def changed(self, changes: Mapping[str, Any]) -> Profile:
        """Return this profile with `changes`. Raises ValueError naming the first switch that does not exist."""
        known = {item.name for item in fields(self)}
        for key in changes:
            if key not in known:
                raise ValueError(f"no such switch: {key}")
        values = dict(changes)
        if "webhook_delays" in values:
            values["webhook_delays"] = tuple(values["webhook_delays"])
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


AMOCRM = Profile()
KOMMO = Profile(name="kommo", too_many_as="json", phone_tail=8, fractional_price=True)
PROFILES: Mapping[str, Profile] = {"amocrm": AMOCRM, "kommo": KOMMO}


def profile_of(value: Profile | str | Mapping[str, Any]) -> Profile:
    """Return a profile by name, or a mapping {"name": base, switch: value, …}, or one that is ready."""
    if isinstance(value, Profile):
        return value
    if isinstance(value, str):
        if value not in PROFILES:
            raise ValueError(f"no such profile: {value} (amocrm, kommo)")
        return PROFILES[value]
    base = PROFILES.get(str(value.get("name", "amocrm")), AMOCRM)
    return base.changed(value)
