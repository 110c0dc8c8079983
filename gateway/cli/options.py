"""Options that several commands take, in one wording each."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gateway.store.admin.roles import ROLES

Json = Annotated[bool, typer.Option("--json", help="print JSON")]
AccountName = Annotated[str | None, typer.Option(help="whose; not needed where there is only one account")]
Lang = Annotated[
    Literal["ru", "en"] | None,
    typer.Option(
        "--lang", help="of what is said of the account; else CALLMATRIX_LANG, else the account's own"
    ),
]
RoleName = Annotated[
    str, typer.Option(help=f"what may be done: {', '.join(ROLES)}, each with what those before it may")
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask before it is done")]
