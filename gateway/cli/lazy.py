"""Commands that are imported when they are asked for: `--help` and completion know the names and sentences without."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from gateway.cli.commands import COMMANDS, Entry
from runtime.typed.plain_numbers import is_plain_number, number_kind

AnyCommand = Any  # the class of them all is not part of typer's interface


class LazyCommands(MutableMapping[str, AnyCommand]):
    """Commands by name; reading one imports its module."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries
        self._loaded: dict[str, AnyCommand] = {}

    def __getitem__(self, name: str) -> AnyCommand:
        if name not in self._loaded:
            self._loaded |= registered_by(self.entries[name].module)
        return self._loaded[name]

    def __setitem__(self, name: str, command: AnyCommand) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        raise TypeError("the commands of the program do not change while it runs")

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries


def registered_by(module: str) -> dict[str, AnyCommand]:
    """Return the commands and groups that a module registers, each with a summary that is not cut."""
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    import_module(f"gateway.cli.{module}").register(app)
    commands = get_group(app).commands
    for command in commands.values():
        _summarise(command)
    return dict(commands)


def _summarise(command: AnyCommand) -> None:
    command.short_help = summary(command.help)
    for param in command.params:
        _take_plain_numbers(param)
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            _summarise(child)


def _take_plain_numbers(param: Any) -> None:
    """Have an option or argument that is a number refuse what is none to a person: "1_0", " 10 ", digits of other scripts."""
    kind = number_kind(param.type_descriptor.annotation)
    if kind is None:
        return
    convert = param.process_value

    def process(ctx: typer.Context, value: Any) -> Any:
        for text in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(text, str) and not is_plain_number(text, kind):
                raise typer.BadParameter(
                    f"'{text}' is not a number in digits, as 10 is", ctx=ctx, param=param
                )
        return convert(ctx, value)

    param.process_value = process


def summary(help: str | None) -> str:
    """Return the first sentence of a command's help."""
    paragraph = " ".join(inspect.cleandoc(help or "").partition("\n\n")[0].split())
    sentence, end, _ = paragraph.partition(". ")
    return sentence + end.strip()


class LazyGroup(TyperGroup):
    """The program's top level."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        self._outline().format_commands(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        outline = self._outline()
        return outline.shell_complete(typer.Context(outline, info_name=ctx.info_name), incomplete)

    def _outline(self) -> TyperGroup:
        """Return the same group of empty commands: enough to list them."""
        names: dict[str, AnyCommand] = {
            name: TyperCommand(name, short_help=entry.summary) for name, entry in COMMANDS.items()
        }
        return TyperGroup(name=self.name, params=self.params, commands=names)


def walk(command: AnyCommand, path: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Every command below by its full name, e.g. "account add"; imports them all."""
    if isinstance(command, TyperCommand):
        yield path, command
    elif isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from walk(child, f"{path} {name}".strip())
