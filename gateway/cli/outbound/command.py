"""`outbound`: calls and texts that go out by themselves: how, what waits, what became of them."""

from __future__ import annotations

import typer

from gateway.cli.outbound import items, queue

outbound_app = typer.Typer(
    help="Calls and texts that go out: settings, queue, and what became of each.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    queue.extend(outbound_app)
    items.extend(outbound_app)
    app.add_typer(outbound_app, name="outbound")
