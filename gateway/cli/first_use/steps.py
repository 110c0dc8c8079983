"""The steps of `init`. Each looks first what is there, asks for what is missing, and orders it from the service that API and
commands use; so it can be interrupted anywhere and begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import asyncpg

from gateway.admin import connections, employees
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.admin.connections import ConnectionOrder, pbx_instructions
from gateway.admin.first_use.proposed_employees import ProposedEmployee, propose_employees
from gateway.admin.refused import InputRefused
from gateway.cli.first_use import env_file
from gateway.cli.first_use.answers import InitAnswers
from gateway.cli.first_use.talk import Conversation
from gateway.cli.output import database, database_refusal, run
from gateway.db.fitness import DatabaseUnfit, unfit_to_migrate, unfit_to_work
from gateway.db.migrate import migrate, missing_migrations
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.serve import configured_pool
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import stored_employees
from routing.staff import Employee
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import Conn
from runtime.failure import Failure
from runtime.tokens import new_secret

T = TypeVar("T")
InitOutcome = Literal["done", "found", "left"]
_PATIENCE_SECONDS = 10.0
_CONSENT_SECONDS = 600.0
_LOOK_SECONDS = 1.0
_THE_REST = "."
_NOTHING_GIVEN = InitAnswers()
_OF_CRM = ("account", "url", "token", "client_id", "client_secret", "time_zone", "region")
_OF_PBX = ("connection", "kind", "lines", "keys", "settings")


class FirstUse:
    """One run of the guide. account, connection: as far as they are known."""

    def __init__(self, answers: InitAnswers, talk: Conversation) -> None:
        self.answers, self.talk = answers, talk
        self.account: Account | None = None
        self.connection: str | None = None

    # --- what several steps do ---

    def until_right(self, attempt: Callable[[], T], *given: str) -> T:
        """Ask again, after saying why, while a person is there; where nobody is, the reason ends the command.

        given: answers that `attempt` takes from the options, and that were wrong then.
        """
        while True:
            try:
                return attempt()
            except InputRefused as err:
                if not self.talk.is_person:
                    raise Failure(err.message, f"{err.field} ({err.code})", err.remedy) from err
                self.talk.refused(err)
            except Failure as failure:
                if not self.talk.is_person:
                    raise
                self.talk.refused(failure)
            wrong = {name: getattr(_NOTHING_GIVEN, name) for name in given}
            self.answers = replace(self.answers, **wrong)

    def on_database(self, work: Callable[[Conn], Coroutine[Any, Any, T]]) -> T:
        return self.on_pool(lambda pool: _on_one(pool, work))

    def on_pool(self, work: Callable[[asyncpg.Pool], Coroutine[Any, Any, T]]) -> T:
        async def connected() -> T:
            async with database(Settings()) as pool:
                return await work(pool)

        return run(connected())

    # --- 1: database ---

    def database(self) -> InitOutcome:
        is_known = Settings().database_url is not None
        if not is_known and not self.answers.database_url and not self.talk.is_person:
            self.talk.say("database.left")
            return "left"
        missing = self.until_right(self._reach_database, "database_url")
        if not missing:
            self.talk.say("database.found")
            return "found" if is_known else "done"
        if not self.talk.agree("database.migrate?", count=len(missing)):
            self.talk.say("database.not-migrated")
            return "left"
        applied = run(_migrate())
        self.talk.say("database.migrated", count=len(applied))
        return "done"

    def _reach_database(self) -> list[str]:
        """Return the migrations that are missing there."""
        url = str(Settings().database_url or "")
        if not url:
            url = self.answers.database_url or self.talk.ask("database.ask")
            _refuse_no_database(url)
        missing = run(_missing(url))
        if Settings().database_url is None:
            self._remember("CALLMATRIX_DATABASE_URL", url)
        return missing

    def _remember(self, name: str, value: str) -> None:
        try:
            if env_file.remember(name, value):
                self.talk.say("remembered", name=name, file=str(env_file.FILE.resolve()))
        except OSError as err:
            self.talk.say("not-remembered", name=name, error=str(err))

    # --- 2: public address ---

    def address(self) -> InitOutcome:
        if known := Settings().public_url:
            self.talk.say("address.found", url=known)
            return "found"
        if not self.answers.public_url and not self.talk.is_person:
            self.talk.say("address.left")
            return "left"
        url = self.until_right(self._public_url, "public_url")
        if not url:
            self.talk.say("address.left")
            return "left"
        self._remember("CALLMATRIX_PUBLIC_URL", url)
        return "done"

    def _public_url(self) -> str:
        url = (self.answers.public_url or self.talk.ask("address.ask")).rstrip("/")
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
            raise Failure(
                self.talk.words("address.wrong", url=url), "", self.talk.words("address.wrong.todo")
            )
        return url

    # --- 3: account of the CRM ---

    def crm(self) -> InitOutcome:
        if self._find_account():
            assert self.account is not None
            self.talk.say("crm.found", account=self.account.id, url=self.account.base_url)
            return "found"
        given = self.answers.url and (self.answers.token or self.answers.client_id)
        if not given and not self.talk.is_person:
            self.talk.say("crm.left")
            return "left"
        told = self.until_right(self._connect, *_OF_CRM)
        self.talk.lines(told["say"][:-2] if "crm_account" in told else told["say"])
        if "open" in told and not self._wait_for_consent(told["account"]):
            self.talk.say("crm.consent-open")
            return "left"
        self._find_account(told["account"])
        return "done"

    def _find_account(self, named: str | None = None) -> bool:
        """See whether an account that lets us in is there: the one that was named, else the first."""
        wanted = named or self.answers.account

        async def look(conn: Conn) -> Account | None:
            for account in await rows.accounts(conn):
                if wanted in (None, account.id) and await rows.is_authorised(conn, account.id):
                    return account
            return None

        self.account = self.on_database(look)
        return self.account is not None

    def _connect(self) -> dict[str, Any]:
        settings, new = Settings(), self._new_account()
        return self.on_pool(
            lambda pool: connect_account(pool, new, settings.public_url, settings.named_crm_hosts())
        )

    def _new_account(self) -> NewAccount:
        given, talk = self.answers, self.talk
        url = given.url or talk.ask("crm.ask-url")
        account = given.account or (talk.ask("crm.ask-account", default="main") if talk.is_person else "main")
        token, client_id, client_secret = given.token, given.client_id, given.client_secret
        if not token and not client_id:
            token = talk.ask("crm.ask-token", is_secret=True) or None
        if not token:
            client_id = client_id or talk.ask("crm.ask-client-id")
            client_secret = client_secret or talk.ask("crm.ask-client-secret", is_secret=True)
        return NewAccount(
            id=account,
            name=account,
            base_url=url,
            time_zone=given.time_zone or _asked(talk, "crm.ask-zone", "Europe/Moscow"),
            region=given.region or _asked(talk, "crm.ask-region", "RU"),
            long_lived_token=token,
            client_id=client_id,
            client_secret=client_secret,
        )

    def _wait_for_consent(self, account_id: str) -> bool:
        if not self.talk.is_person:
            return False
        self.talk.say("crm.wait-for-consent")

        async def wait(pool: asyncpg.Pool) -> bool:
            for _ in range(round(_CONSENT_SECONDS / _LOOK_SECONDS)):
                async with pool.acquire() as conn:
                    if await rows.is_authorised(conn, account_id):
                        return True
                await asyncio.sleep(_LOOK_SECONDS)
            return False

        return self.on_pool(wait)

    # --- 4: people ---

    def people(self) -> InitOutcome:
        assert self.account is not None
        account_id = self.account.id
        there = self.on_database(lambda conn: stored_employees(conn, account_id))
        is_over = any(person.is_senior for person in there) or not self.talk.is_person
        if there and is_over and not self.answers.extensions:
            self.talk.say("people.found", count=len(there))
            return "found"
        if not self.answers.extensions and not (self.talk.is_person and self.talk.agree("people.begin?")):
            self.talk.say("people.left", account=account_id)
            return "left"
        try:
            proposed = self.on_pool(lambda pool: propose_employees(Settings(), pool, account_id))
        except InputRefused as err:
            self.talk.refused(err)
            return "left"
        added = self._add_people(account_id, proposed)
        self._choose_senior(account_id, added)
        self.talk.say("people.done", count=len(added))
        return "done" if added or there else "left"

    def _add_people(self, account_id: str, proposed: Sequence[ProposedEmployee]) -> list[Employee]:
        """Each is stored at once, so that nothing is asked twice after an interruption."""
        given = {email.lower(): extension for email, extension in self.answers.extensions.items()}
        known = {person.email.lower() for person in proposed}
        for email in given.keys() - known:
            self.talk.say("people.unknown", email=email)
        if not given:
            self.talk.say("people.explain", count=len(proposed))
        added = []
        for person in proposed:
            extension = given.get(person.email.lower()) if given else None
            if given and extension is None:
                continue
            stored = self._add_person(account_id, person, extension)
            if stored == _THE_REST:
                break
            added += [stored] if isinstance(stored, Employee) else []
        return added

    def _add_person(self, account_id: str, person: ProposedEmployee, extension: str | None) -> Employee | str:
        """Return '' for one whom the person at the terminal leaves out, `_THE_REST` for all that follow."""
        asked = extension

        def attempt() -> Employee | str:
            nonlocal asked
            text = asked or self.talk.ask("people.ask-extension", name=person.name, email=person.email)
            asked = None
            if text in ("", _THE_REST):
                return text
            new = Employee(
                id=person.id,
                name=person.name,
                email=person.email,
                crm_user_id=person.crm_user_id,
                extensions=(text,),
            )
            return self.on_database(lambda conn: employees.save_employee(conn, account_id, new))

        return self.until_right(attempt)

    def _choose_senior(self, account_id: str, added: Sequence[Employee]) -> None:
        there = self.on_database(lambda conn: stored_employees(conn, account_id))
        if not there or any(person.is_senior for person in there):
            return
        wanted = self.answers.senior or (
            self.talk.ask(
                "people.ask-senior", names=", ".join(p.extensions[0] for p in there if p.extensions)
            )
            if self.talk.is_person
            else ""
        )
        chosen = next((p for p in there if wanted and wanted in (p.email, p.id, *p.extensions)), None)
        if chosen is None:
            self.talk.say("people.no-senior", account=account_id)
            return
        senior = chosen.model_copy(update={"is_senior": True})
        self.until_right(
            lambda: self.on_database(lambda conn: employees.save_employee(conn, account_id, senior))
        )
        self.talk.say("people.senior", name=senior.name)

    # --- 5: PBX ---

    def pbx(self) -> InitOutcome:
        assert self.account is not None
        account_id = self.account.id
        there = self.on_database(lambda conn: rows.connections(conn, account_id))
        wanted = self.answers.connection
        if known := next((c for c in there if wanted in (None, c.name)), None):
            self.connection = known.name
            self.talk.say("pbx.found", name=known.name, kind=known.kind)
            return "found"
        if not self.answers.kind and not self.talk.is_person:
            self.talk.say("pbx.left")
            return "left"
        added, secret = self.until_right(lambda: self._add_connection(account_id), *_OF_PBX)
        self.connection = added.name
        self.talk.say("pbx.secret", name=added.name, secret=secret)
        text = pbx_instructions(added.kind, added.name, secret, Settings().base_url, KINDS)
        self.talk.lines(text.splitlines())
        return "done"

    def _add_connection(self, account_id: str) -> tuple[Connection, str]:
        given, talk = self.answers, self.talk
        kind = given.kind or talk.ask("pbx.ask-kind", default="generic", kinds=", ".join(sorted(KINDS)))
        name = given.connection or (
            talk.ask("pbx.ask-name", default="office") if talk.is_person else "office"
        )
        told = _asked(talk, "pbx.ask-lines", "").split(",") if not given.lines else ()
        lines = given.lines or tuple(line.strip() for line in told if line.strip())
        keys = dict(given.keys)
        if talk.is_person and kind in KINDS:
            for key in KINDS[kind].keys:
                if key not in keys and (value := talk.ask("pbx.ask-key", is_secret=True, name=key)):
                    keys[key] = value
        secret = new_secret()
        order = ConnectionOrder(name=name, kind=kind, lines=lines, keys=keys, settings=given.settings)
        added = self.on_database(
            lambda conn: connections.add_connection(conn, account_id, order, secret, KINDS)
        )
        return added, secret


def _asked(talk: Conversation, key: str, default: str) -> str:
    """Ask where somebody can answer; else the default."""
    return talk.ask(key, default=default) if talk.is_person else default


async def _on_one(pool: asyncpg.Pool, work: Callable[[Conn], Coroutine[Any, Any, T]]) -> T:
    async with pool.acquire() as conn:
        return await work(conn)


def _refuse_no_database(url: str) -> None:
    """Raise Failure where this cannot be the address of a PostgreSQL database."""
    try:
        Settings(database_url=url)
    except ValueError as err:
        raise Failure(
            "this is no address of a PostgreSQL database",
            "",
            "write it as postgresql://user:password@host:5432/database",
        ) from err


async def _missing(url: str) -> list[str]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            conn = await asyncpg.connect(url)
        try:
            missing = await missing_migrations(conn)
            unfit = await (unfit_to_migrate(conn) if missing else unfit_to_work(conn))
        finally:
            await conn.close()
        if unfit:
            raise unfit
        return missing
    except (*DATABASE_ERRORS, ValueError, DatabaseUnfit) as err:
        if refused := database_refusal(err):
            raise refused from err
        raise Failure(
            "the database cannot be reached",
            f"{type(err).__name__}: {err}".rstrip(": "),
            "see host, port, name, user and password; make it with createuser and createdb",
        ) from err


async def _migrate() -> list[str]:
    settings = Settings()
    applied = await migrate(str(settings.database_url))
    async with configured_pool(settings, "callmatrix init", 1):
        return applied
