"""One run of `init`: what is known so far, and what its steps have in common."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

import asyncpg

from gateway.admin.refused import InputRefused
from gateway.cli.first_use import env_file
from gateway.cli.first_use.answers import InitAnswers
from gateway.cli.first_use.talk import Conversation, Judge, anything
from gateway.cli.output import database, run
from gateway.settings import Settings
from gateway.store.admin.accounts import Account
from routing.texts.catalogue import Value
from runtime.database.pool import Conn
from runtime.failure import Failure

T = TypeVar("T")
InitOutcome = Literal["done", "found", "left"]
_NOTHING_GIVEN = InitAnswers()


class FirstUse:
    """Each step looks first what is there, asks for what is missing, and orders it from the service that API and commands use;
    so it can be interrupted anywhere and begun again. account, connection: as far as they are known. gap: what a step has left
    open, where that is not the step itself."""

    def __init__(self, answers: InitAnswers, talk: Conversation) -> None:
        self.answers, self.talk = answers, talk
        self.account: Account | None = None
        self.connection: str | None = None
        self.gap: str | None = None
        self._before: dict[str, str] = {}

    def until_right(
        self, attempt: Callable[[], T], *given: str, again: Mapping[str, tuple[str, ...]] | None = None
    ) -> T:
        """Ask again, after saying why, while a person is there; where nobody is, the reason ends the command.

        given: answers that `attempt` takes, all of them asked anew where the reason names none. again: which are asked anew by
        the field that a service refuses.
        """
        while True:
            wrong = given
            try:
                return attempt()
            except InputRefused as err:
                if not self.talk.is_person:
                    raise Failure(err.message, f"{err.field} ({err.code})", err.remedy) from err
                self.talk.refused(err)
                wrong = (again or {}).get(err.field, given)
            except Failure as failure:
                if not self.talk.is_person:
                    raise
                self.talk.refused(failure)
            self.answers = replace(self.answers, **{name: getattr(_NOTHING_GIVEN, name) for name in wrong})

    def answer(
        self,
        name: str,
        key: str,
        *,
        default: str = "",
        judge: Judge = anything,
        is_secret: bool = False,
        **values: Value,
    ) -> str:
        """Return what was given as an option, else ask and keep it: what was right is not asked again, and what was wrong is
        proposed for mending. Where nobody can be asked: the default."""
        if held := getattr(self.answers, name):
            return str(held)
        if not self.talk.is_person:
            return default
        proposed = default if is_secret else self._before.get(name, default)
        told = self.talk.ask(key, default=proposed or None, judge=judge, is_secret=is_secret, **values)
        if not is_secret:
            self._before[name] = told
        kept: dict[str, Any] = {name: told or None}
        self.answers = replace(self.answers, **kept)
        return told

    def refuse_other(self, option: str, given: str | None, known: str, where: str, **values: Value) -> None:
        """Raise Failure where an option says something else than what is there: `init` changes nothing that it finds. where: key
        of the words that say how it is changed."""
        if given and given != known:
            words = self.talk.words("otherwise", option=option, given=given, known=known)
            raise Failure(words, "", self.talk.words(f"otherwise.{where}", option=option, **values))

    def on_database(self, work: Callable[[Conn], Coroutine[Any, Any, T]]) -> T:
        return self.on_pool(lambda pool: _on_one(pool, work))

    def on_pool(self, work: Callable[[asyncpg.Pool], Coroutine[Any, Any, T]]) -> T:
        async def connected() -> T:
            async with database(Settings()) as pool:
                return await work(pool)

        return run(connected())

    def remember(self, name: str, value: str) -> None:
        """Write a setting down for every process that is started here, and use it from now on."""
        try:
            if env_file.remember(name, value):
                self.talk.say("remembered", name=name, file=str(env_file.FILE.resolve()))
        except OSError as err:
            self.talk.say("not-remembered", name=name, error=str(err))


async def _on_one(pool: asyncpg.Pool, work: Callable[[Conn], Coroutine[Any, Any, T]]) -> T:
    async with pool.acquire() as conn:
        return await work(conn)
