"""Every error of the drivers is sorted, in one place, and everybody acts on it alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import asyncpg
import procrastinate.exceptions
import psycopg
import psycopg.errors
import psycopg_pool
import pytest

from gateway.calls.queue import QUEUE_ERRORS
from gateway.intake.inbox import Inbox
from gateway.pbx.connection import Connection
from gateway.pbx.port import InboxUnavailable, MessageUnstorable, Parsed
from routing.calls.model import CallEvent, EventKind
from routing.settings import NumberPolicy
from runtime.database import errors
from runtime.database.errors import DATABASE_AWAY, DATABASE_ERRORS, may_pass
from tests.paths import ROOT

RETRIED = {
    *("08", "53", "57", "58", "40", "55", "XX", "72", "F0"),  # whole classes of PostgreSQL's own table
    *("28", "3D"),  # until somebody has changed the settings
    *("25006", "25P03", "25P04"),
}
"""SQLSTATEs, or their first two characters, where the same statement may succeed later. All others are the statement's."""


def of_driver(base: type[BaseException]) -> Iterator[type[BaseException]]:
    for kind in base.__subclasses__():
        if not issubclass(kind, Warning):
            yield kind
            yield from of_driver(kind)


ASYNCPG = sorted(
    {
        k
        for base in (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
        for k in of_driver(base)
    }
    | {asyncpg.InterfaceError, asyncpg.InternalClientError},
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
OF_THE_DRIVER = {
    "InterfaceError": True,
    "InternalClientError": True,
    "ProtocolError": True,
    "TargetServerAttributeNotMatched": True,
    "OutdatedSchemaCacheError": True,
    "DataError": False,
    "ClientConfigurationError": False,
    "UnsupportedClientFeatureError": True,
    "UnsupportedServerFeatureError": True,
    "FatalPostgresError": False,
    "UnknownPostgresError": False,
}
"""Those that come without an SQLSTATE."""


def is_retried(kind: type[BaseException]) -> bool:
    state = getattr(kind, "sqlstate", None)
    if state is None:
        return OF_THE_DRIVER[kind.__name__]
    return kind is asyncpg.InvalidCachedStatementError or state[:2] in RETRIED or state in RETRIED


@pytest.mark.parametrize("kind", ASYNCPG, ids=lambda kind: kind.__name__)
def test_every_class_of_the_driver_is_sorted(kind: type[BaseException]) -> None:
    assert issubclass(kind, DATABASE_ERRORS)
    assert may_pass(kind("as the server says")) == is_retried(kind)


def test_there_are_as_many_classes_as_we_think() -> None:
    assert len(ASYNCPG) > 200


def test_what_is_away_may_always_come_back() -> None:
    assert all(may_pass(kind("gone")) for kind in DATABASE_AWAY)
    assert may_pass(TimeoutError())


def test_a_value_that_the_driver_refuses_will_never_be_taken() -> None:
    """asyncpg calls it an InterfaceError like a closed connection: a message with such a value must not come for ever."""
    refusal = next(k for k in of_driver(asyncpg.InterfaceError) if k.__name__ == "DataError")
    assert not may_pass(refusal("invalid input for query argument $1: value out of int64 range"))


def test_the_queue_outlives_every_error_of_its_own_driver() -> None:
    kinds = {*of_driver(psycopg.Error), *of_driver(procrastinate.exceptions.ProcrastinateException)}
    assert len(kinds) > 200
    assert psycopg_pool.PoolTimeout in kinds
    assert all(issubclass(kind, QUEUE_ERRORS) for kind in kinds)


class FailingPool:
    """A pool whose every connection fails with this."""

    def __init__(self, err: BaseException) -> None:
        self._err = err

    async def acquire(self) -> Any:
        raise self._err


@pytest.mark.parametrize("kind", ASYNCPG, ids=lambda kind: kind.__name__)
async def test_the_inbox_refuses_a_message_for_ever_only_when_it_is_at_fault(
    kind: type[BaseException],
) -> None:
    connection = Connection(account_id="a", id="1", name="office", kind="generic", secret_hash="")
    event = CallEvent(call_key="c1", kind=EventKind.STARTED, at=datetime.now(UTC), direction="inbound")
    async with Inbox(cast(asyncpg.Pool, FailingPool(kind("as the server says")))) as inbox:
        with pytest.raises(InboxUnavailable if is_retried(kind) else MessageUnstorable):
            await inbox.accept(
                connection, Parsed(canonical="m", events=(event,)), b"m", datetime.now(UTC), NumberPolicy()
            )


def test_no_other_module_sorts_them_anew() -> None:
    """Who wants to know whether to try again asks `may_pass`; a list of one's own will differ sooner or later."""
    names = {kind.__name__ for kind in errors._TRANSIENT if kind.__module__.startswith("asyncpg")}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for room in ("routing", "runtime", "crm", "gateway")
        for path in (ROOT / room).rglob("*.py")
        if path != ROOT / "runtime/database/errors.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in names
    ]
    assert found == []
