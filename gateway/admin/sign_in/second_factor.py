"""The second factor of a person: a code of their phone beside the password, and codes on paper for when the phone is lost."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Literal

import asyncpg

from gateway.admin.protection.grants import refuse_freer
from gateway.admin.protection.sign_in import SignInPaused, pause_after
from gateway.admin.refused import InputRefused
from gateway.admin.sign_in.totp import new_totp_secret, step_of
from gateway.admin.users import user_of
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.roles import Role
from gateway.store.admin.sessions import end_sessions_of
from gateway.store.admin.sign_ins import FAILURES_MATTER, TryKind, lock_tries, set_failures, tries_of
from gateway.store.sign_in import second_factors as store
from runtime.database.pool import Conn
from runtime.tokens import hash_of

Needed = Literal["offered", "admins", "everyone"]

FREE_CODES = 5
_RECOVERY_CODES = 10
_PARTS, _PART = 4, 4
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read for something else: 79 bits in 16 of them


class CodeWrong(InputRefused):
    """The code is not the one that the phone shows now, or it was taken before."""

    code = "code-wrong"

    def __init__(self) -> None:
        super().__init__(
            "code",
            "the code is not the one that the phone shows now",
            "wait for the next code, and compare the clock of the phone",
        )


class SecondFactorNeeded(InputRefused):
    """This installation asks for it: it may be set up anew, and not left out."""

    code = "second-factor-needed"

    def __init__(self) -> None:
        super().__init__(
            "code",
            "this installation asks for a second factor",
            "the operator says who needs one in CALLMATRIX_SECOND_FACTOR",
        )


def needs_second_factor(needed: Needed, role: Role) -> bool:
    return needed == "everyone" or (needed == "admins" and role == "admin")


async def offer_second_factor(conn: Conn, login: str) -> str:
    """Return the secret for the phone, the one that was offered before and not confirmed; it counts once it is confirmed."""
    async with conn.transaction():
        known = await store.second_factor_of(conn, login, for_update=True)
        if known is not None and known.is_on:
            raise InputRefused("code", "a second factor is on", "switch it off first")
        if known is not None:
            return known.secret
        secret = new_totp_secret()
        await store.offer_secret(conn, login, secret)
        return secret


async def confirm_second_factor(conn: Conn, login: str, code: str, now: datetime) -> list[str]:
    """Switch it on with a code that the phone shows; return the codes for a lost phone, to be shown once. Raise CodeWrong."""
    async with conn.transaction():
        known = await store.second_factor_of(conn, login, for_update=True)
        step = None if known is None or known.is_on else step_of(known.secret, _digits(code), now, 0)
        if step is None:
            raise CodeWrong
        codes = _new_codes()
        await store.switch_second_factor_on(conn, login, step, _hashes(codes), now)
        await _tell(conn, login, "second factor on", "off", "on")
    return codes


async def renew_recovery_codes(conn: Conn, login: str) -> list[str]:
    """Return new codes for a lost phone, to be shown once; the earlier ones count no more."""
    codes = _new_codes()
    async with conn.transaction():
        await store.replace_recovery_codes(conn, login, _hashes(codes))
        await _tell(conn, login, "recovery codes made", "set", "changed")
    return codes


async def leave_second_factor(conn: Conn, login: str, needed: Needed) -> None:
    """Switch one's own off. Raise SecondFactorNeeded."""
    async with conn.transaction():
        user = await user_of(conn, login)
        if needs_second_factor(needed, user.role):
            raise SecondFactorNeeded
        if await store.switch_second_factor_off(conn, login):
            await _tell(conn, login, "second factor off", "on", "off")


async def take_second_factor(conn: Conn, login: str, of_account: str | None = None) -> bool:
    """Switch another's off, whose phone is lost, and end their sessions. Whether one was on. Raise InputRefused."""
    async with conn.transaction():
        user = await user_of(conn, login, of_account)
        refuse_freer(user.role, user.bound)
        if not await store.switch_second_factor_off(conn, login):
            return False
        await end_sessions_of(conn, login)
        await _tell(conn, login, "second factor off", "on", "off")
    return True


async def is_code_right(pool: asyncpg.Pool, login: str, code: str, now: datetime) -> bool:
    """Take a code of the phone or of the paper; no code is taken twice. Raise SignInPaused where many were wrong before."""
    keys: dict[TryKind, str] = {"code": hash_of(login)}
    async with pool.acquire() as conn, conn.transaction():
        await lock_tries(conn, keys)
        at, known = await tries_of(conn, keys)
        tries = known["code"]
        if pause := pause_after(tries, FREE_CODES, at):
            raise SignInPaused(pause)
        is_right = await _taken(conn, login, code, now)
        before = tries.failures if tries.last_at and at - tries.last_at <= FAILURES_MATTER else 0
        await set_failures(conn, "code", keys["code"], 0 if is_right else before + 1)
    return is_right


async def _taken(conn: Conn, login: str, code: str, now: datetime) -> bool:
    known = await store.second_factor_of(conn, login, for_update=True)
    if known is None or not known.is_on:
        return False
    step = step_of(known.secret, _digits(code), now, known.last_step)
    if step is not None:
        return await store.take_step(conn, login, step)
    if not await store.take_recovery_code(conn, login, hash_of(_letters(code))):
        return False
    await _tell(conn, login, "recovery code used", known.codes_left, known.codes_left - 1)
    return True


def _new_codes() -> list[str]:
    """Return codes as they are shown: abcd-efgh-jkmn-pqrs."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_PART)) for _ in range(_PARTS))
        for _ in range(_RECOVERY_CODES)
    ]


def _hashes(codes: list[str]) -> list[str]:
    return [hash_of(_letters(code)) for code in codes]


def _letters(code: str) -> str:
    return "".join(sign for sign in code.lower() if sign.isalnum())


def _digits(code: str) -> str:
    return "".join(code.split())


async def _tell(conn: Conn, login: str, action: str, before: object, after: object) -> None:
    change = AuditChange(
        what="user",
        object=login,
        action=action,
        account_id=(await user_of(conn, login)).account_id,
        before={"second_factor": before},
        after={"second_factor": after},
    )
    await record(conn, change)
