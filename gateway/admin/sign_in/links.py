"""A link that lets one person in once, without the password: for a password that is lost, and for the demo."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.admin.protection.grants import refuse_freer
from gateway.admin.refused import InputRefused
from gateway.admin.users import user_of
from gateway.store.admin.audit import AuditChange, record
from gateway.store.sign_in import links as store
from runtime.database.pool import Conn
from runtime.tokens import hash_of, new_secret

GOOD_FOR = timedelta(minutes=15)
PATH = "/sign-in/once/"


class UserIsOff(InputRefused):
    """This person may not sign in: switch them on first."""

    code = "user-is-off"

    def __init__(self, login: str) -> None:
        super().__init__(
            "login", f"'{login}' is switched off", f"'callmatrix users change {login} --on' lets them in"
        )


async def make_link(
    conn: Conn, login: str, now: datetime, *, is_local: bool = False, good_for: timedelta = GOOD_FOR
) -> str:
    """Return the path of our pages that lets this person in once. is_local: at this machine only. Raise InputRefused.

    A second factor is asked for all the same.
    """
    secret = new_secret(256)
    async with conn.transaction():
        user = await user_of(conn, login)
        refuse_freer(user.role, user.bound)
        if not user.is_on:
            raise UserIsOff(login)
        await store.keep_link(
            conn, secret_hash=hash_of(secret), login=login, expires_at=now + good_for, is_local=is_local
        )
        said = {"sign_in_link": f"{int(good_for.total_seconds() // 60)} min"}
        await record(
            conn,
            AuditChange(
                what="user",
                object=login,
                action="sign-in link made",
                account_id=user.account_id,
                after=said,
            ),
        )
    return PATH + secret
