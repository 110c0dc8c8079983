"""What the database raises, by what is to be done about it. The only place where its errors are sorted.

Tested against every class of the driver: tests/unit/runtime/database/test_errors.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import asyncpg

DATABASE_ERRORS = (
    OSError,  # TimeoutError too
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Whatever it may raise, for whatever reason: what a loop outlives."""

DATABASE_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection is closed, the pool is closing
    asyncpg.InternalClientError,  # the connection broke in the middle of a statement
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
)
"""It could not be asked, or this connection is gone: another connection may get an answer."""

DATABASE_REFUSES = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
"""It will not let us in: a person has to change the settings or the server."""

_SERVER_IN_TROUBLE = (
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # deadlocks, serialization
    asyncpg.TransactionTimeoutError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a lock that is not to be had
    asyncpg.ReadOnlySQLTransactionError,  # the standby, until it is promoted
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.SnapshotTooOldError,
    asyncpg.InvalidCachedStatementError,  # the schema was changed under a prepared statement
    asyncpg.ConfigFileError,
)

_TRANSIENT = (*DATABASE_AWAY, *_SERVER_IN_TROUBLE, *DATABASE_REFUSES)


_BAD_VALUE = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,  # a value too long for its index
    asyncpg.IntegrityConstraintViolationError,
    ValueError,  # the driver's own
    OverflowError,
)


def may_pass(err: BaseException) -> bool:
    """Whether the very same statement may succeed later: then nothing is wrong with what was to be written.

    False: the statement, or a value in it, is at fault, and always will be. The driver's own refusals of a value are
    ValueErrors.
    """
    return isinstance(err, _TRANSIENT) and not isinstance(err, ValueError)


def is_refused(err: BaseException) -> bool:
    """Whether a value that was to be written is what the database, or its driver, will never take: others may be."""
    return isinstance(err, _BAD_VALUE)


DatabaseRefusal = Literal[
    "login",
    "no-database",
    "no-right",
    "full",
    "crowded",
    "read-only",
    "no-schema",
    "not-encodable",
    "parameter",
    "broken-off",
]

_FOR_A_PERSON: Sequence[tuple[type[BaseException], DatabaseRefusal]] = (
    (asyncpg.InvalidAuthorizationSpecificationError, "login"),  # the password too
    (asyncpg.InvalidCatalogNameError, "no-database"),
    (asyncpg.InsufficientPrivilegeError, "no-right"),
    (asyncpg.DiskFullError, "full"),
    (asyncpg.TooManyConnectionsError, "crowded"),
    (asyncpg.ReadOnlySQLTransactionError, "read-only"),
    (asyncpg.InvalidSchemaNameError, "no-schema"),
    (asyncpg.UntranslatableCharacterError, "not-encodable"),
    (asyncpg.CharacterNotInRepertoireError, "not-encodable"),
    (asyncpg.QueryCanceledError, "broken-off"),
    (asyncpg.LockNotAvailableError, "broken-off"),
)


def refusal_of(err: BaseException) -> DatabaseRefusal | None:
    """Return what only a person can change, at the server or in its address; None: it is something else."""
    if err.__class__.__name__ == "ClientConfigurationError" or _is_of_startup(err):
        return "parameter"
    return next((refusal for kind, refusal in _FOR_A_PERSON if isinstance(err, kind)), None)


def _is_of_startup(err: BaseException) -> bool:
    """Whether the server refuses a setting that stands in the address, behind the question mark."""
    is_setting = isinstance(
        err,
        (
            asyncpg.UndefinedObjectError,
            asyncpg.InvalidParameterValueError,
            asyncpg.CantChangeRuntimeParamError,
        ),
    )
    return is_setting and getattr(err, "severity_en", None) == "FATAL"


def cause_of(err: BaseException) -> str:
    """Return what happened, for a person: the driver's own time-outs say nothing."""
    said = str(err) or ("no answer in time" if isinstance(err, TimeoutError) else "")
    return f"{type(err).__name__}: {said}".rstrip(": ")


def storable(text: str) -> str:
    """Return the same text; what PostgreSQL's text cannot hold becomes U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
