"""What a process knows of an account whose calls go out: its people, its own numbers, and the PBXs that can place calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.at_work import AtWork
from gateway.configuration import Snapshot
from gateway.pbx.capabilities import Originator
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from routing.staff import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacingPbx:
    """A connection that is on and can place calls."""

    kind: PbxKind
    connection: Connection
    originator: Originator


@dataclass(frozen=True, slots=True, kw_only=True)
class CallingAccount:
    """own_numbers: lines, landlines and employees' numbers, E.164. pbxs: by the connection's name; only those that can place
    calls now."""

    id: str
    zone: ZoneInfo
    staff: Staff
    own_numbers: frozenset[str]
    pbxs: Mapping[str, PlacingPbx]
    at_work: AtWork


def calling_account(
    snapshot: Snapshot, account_id: str, kinds: Mapping[str, PbxKind], at_work: AtWork
) -> CallingAccount | None:
    """None: the process does not know the account (yet)."""
    account = snapshot.accounts.get(account_id)
    if account is None:
        return None
    return CallingAccount(
        id=account_id,
        zone=ZoneInfo(account.time_zone),
        staff=snapshot.staff[account_id],
        own_numbers=snapshot.policy_of(account_id).own_numbers,
        pbxs=_pbxs(snapshot, account_id, kinds),
        at_work=at_work,
    )


def _pbxs(snapshot: Snapshot, account_id: str, kinds: Mapping[str, PbxKind]) -> dict[str, PlacingPbx]:
    return {
        name: PlacingPbx(kind=kinds[connection.kind], connection=connection, originator=originator)
        for name, connection in snapshot.connections.items()
        if connection.account_id == account_id and connection.is_on and connection.kind in kinds
        if (originator := kinds[connection.kind].originator(connection)) is not None
    }
