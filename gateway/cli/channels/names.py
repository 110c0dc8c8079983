"""How the commands of messenger channels are told which one is meant."""

from __future__ import annotations

from typing import Annotated

import typer

ChannelName = Annotated[str, typer.Argument(help="its name or id; see 'callmatrix channel list'")]
