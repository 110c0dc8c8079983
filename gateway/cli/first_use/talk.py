"""Speaking with a person at a terminal, or with nobody."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import typer

from gateway.admin.refused import InputRefused
from gateway.cli.output import answered_yes
from routing.texts.catalogue import Language, Texts, Value
from runtime.failure import Failure

Judge = Callable[[str], object]
"""Raises InputRefused or Failure for an answer that cannot be taken."""


def anything(_told: str) -> None:
    """Judge nothing."""


class Conversation:
    """is_person: somebody sits at the terminal and can be asked. agrees: to all that is to be confirmed."""

    def __init__(self, texts: Texts, *, is_person: bool, agrees: bool) -> None:
        self._texts = texts
        self.is_person = is_person
        self._agrees = agrees

    def words(self, key: str, /, **values: Value) -> str:
        return self._texts.say(f"init.{key}", **values)

    def say(self, key: str, /, **values: Value) -> None:
        typer.echo(self.words(key, **values))

    def lines(self, lines: Sequence[str]) -> None:
        """Say what a service has put into words."""
        for line in lines:
            typer.echo(f"  {line}")

    def heading(self, number: int, total: int, key: str) -> None:
        typer.echo("")
        typer.secho(f"{number}/{total} {self.words(key)}", bold=True)

    def ask(
        self,
        key: str,
        /,
        *,
        default: str | None = None,
        judge: Judge = anything,
        is_secret: bool = False,
        **values: Value,
    ) -> str:
        """Return the trimmed answer; '' for Enter without a default. One that cannot be taken is asked again, with the reason."""
        while True:
            answer: str = typer.prompt(
                self.words(key, **values),
                default=default or "",
                show_default=bool(default),
                hide_input=is_secret,
            ).strip()
            try:
                judge(answer)
            except (InputRefused, Failure) as err:
                self.refused(err)
            else:
                return answer

    def agree(self, key: str, /, **values: Value) -> bool:
        if self._agrees or not self.is_person:
            return self._agrees
        return answered_yes(self.words(key, **values), is_yes=True, again=f"  {self.words('yes-or-no')}")

    def refused(self, err: InputRefused | Failure) -> None:
        """Say why it did not work, before the question is asked again."""
        if isinstance(err, InputRefused):
            typer.secho(f"  {err.message}", fg="red")
            typer.echo(f"  -> {err.remedy}")
            return
        typer.secho(f"  {err.what}{f': {err.why}' if err.why else ''}", fg="red")
        if err.remedy:
            typer.echo(f"  -> {err.remedy}")


def terminal_language() -> Language:
    """Return the language of the terminal, as the environment tells it: Russian, else English."""
    told = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ru" if told.lower().startswith("ru") else "en"
