"""A real Kamailio for a test, with the recipe of deploy/pbx/kamailio."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.pbx.asterisk import free_udp_port
from tests.e2e.pbx.children import Child
from tests.paths import ROOT

RECIPE = ROOT / "deploy" / "pbx" / "kamailio" / "kamailio.cfg"


@dataclass
class Kamailio:
    sip_port: int
    child: Child

    def said(self) -> str:
        return self.child.said()


def recipe(values: Mapping[str, str], *, is_redirect: bool) -> str:
    """The recipe with its substdef lines changed. A name that does not occur is an error of the test."""
    text = RECIPE.read_text()
    for name, value in values.items():
        pattern = rf'(?m)^#!substdef "!{name}!.*!g"$'
        text, count = re.subn(pattern, f'#!substdef "!{name}!{value}!g"'.replace("\\", r"\\"), text)
        assert count == 1, f"{name} stands {count} times in the recipe"
    return text.replace("##!define REDIRECT", "#!define REDIRECT") if is_redirect else text


@contextmanager
def running_kamailio(folder: Path, *, is_redirect: bool = False, **values: str) -> Iterator[Kamailio]:
    """values: of the recipe's substdef lines."""
    port = free_udp_port()
    home = folder / f"kamailio-{port}"
    home.mkdir()
    config = home / "kamailio.cfg"
    config.write_text(
        recipe(
            {"LISTEN": f"udp:127.0.0.1:{port}", "ASKING": "4", "CALLMATRIX_SECRET": "demo", **values},
            is_redirect=is_redirect,
        )
    )
    command = ["kamailio", "-f", str(config), "-DD", "-E", "-Y", str(home), "-m", "32", "-M", "4"]
    child = Child("kamailio", command, home / "log")
    try:
        child.until(lambda: _is_bound(port), "listening", 10)
        yield Kamailio(port, child)
    finally:
        child.stop(10)


def _is_bound(port: int) -> bool:
    wanted = f":{port:04X}"
    return any(
        line.split()[1].endswith(wanted) for line in Path("/proc/net/udp").read_text().splitlines()[1:]
    )
