"""What a person ordered and cannot have: one form of it for command line, API and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class InputRefused(Exception):
    """What was ordered cannot be done, and nothing was stored.

    field: which part of the order is wrong. remedy: what to do instead. code: kebab-case and stable. problems: each thing
    that is wrong, where there may be several.
    """

    code: ClassVar[str] = "invalid-input"

    def __init__(
        self, field: str, message: str, remedy: str, *, problems: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.field, self.message, self.remedy = field, message, remedy
        self.problems = problems


class NameOdd(InputRefused):
    """A name that could not be written as it is in an address, on the command line and in a text."""


class SettingRefused(InputRefused):
    """One key or setting of a connection cannot be so. name: of it. wanted: what it takes, a word of
    gateway/admin/protection/setting_values.py. value: as it was typed, "" of a key. known: what it may be, of a closed set."""

    def __init__(
        self,
        field: str,
        name: str,
        wanted: str,
        message: str,
        remedy: str,
        *,
        value: object = "",
        known: Sequence[str] = (),
    ) -> None:
        super().__init__(field, message, remedy)
        self.name, self.wanted, self.value, self.known = name, wanted, value, known


class NameTaken(InputRefused):
    """There is one of this name already: choose another name, or change the one that exists."""

    code = "already-exists"

    def __init__(self, what: str, name: str, field: str = "name") -> None:
        super().__init__(
            field, f"there is a {what} '{name}' already", "choose another name, or remove that one first"
        )


class InUse(InputRefused):
    """Others name what is to go. uses: what does, a word or two each; said: of it, before they are listed."""

    def __init__(self, field: str, said: str, uses: Sequence[str], remedy: str) -> None:
        problems = [{"use": use} for use in uses]
        super().__init__(field, f"{said}: {', '.join(uses)}", remedy, problems=problems)


class ConnectionInUse(InUse):
    """Others call or write through it: without it what they order waits in vain."""

    code = "connection-in-use"

    def __init__(self, name: str, uses: list[str]) -> None:
        super().__init__(
            "name",
            f"'{name}' is used by",
            uses,
            "name another connection there first, or say that it goes all the same",
        )


class EmployeeInUse(InUse):
    """Tokens and users are this person, or what is set up names them: whoever has the id next would be taken for them."""

    code = "employee-in-use"

    def __init__(self, employee: str, uses: list[str]) -> None:
        super().__init__(
            "employee",
            f"'{employee}' is named by",
            uses,
            "name somebody else there first, or say that they go all the same: then these tokens are withdrawn, and"
            " these users sign in no more",
        )


class NothingOfThatName(InputRefused):
    """There is none of this name."""

    code = "not-found"

    def __init__(self, what: str, name: str, shown_by: str = "") -> None:
        """shown_by: the command that shows those that there are, where it is not "<what> list"."""
        super().__init__(
            "name", f"there is no {what} '{name}'", f"see 'callmatrix {shown_by or f'{what} list'}'"
        )
