"""A real Asterisk for a test, with the recipe of deploy/pbx/asterisk and phones 100…110 at one address.

It runs inside the folder that install.sh unpacked, each instance in a folder of its own there, on ports of its own.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.pbx.children import Child, cache_folder
from tests.e2e.stack import free_port
from tests.paths import ROOT

_OLD_SECONDS = 24 * 3600
RECIPE = ROOT / "deploy" / "pbx" / "asterisk"
EXTENSIONS = tuple(str(number) for number in range(100, 111))

_NOT_LOADED = [
    "chan_iax2",
    "chan_unistim",
    "chan_console",
    "chan_dahdi",
    "chan_mobile",
    "chan_motif",
    "chan_rtp",
    "res_hep",
    "res_hep_pjsip",
    "res_hep_rtcp",
    "pbx_dundi",
    "pbx_ael",
    "pbx_lua",
    "res_config_ldap",
    "res_config_odbc",
    "res_config_pgsql",
    "res_config_sqlite3",
    "res_odbc",
    "cdr_odbc",
    "cdr_pgsql",
    "cdr_radius",
    "cdr_tds",
    "cdr_sqlite3_custom",
    "cel_odbc",
    "cel_pgsql",
    "cel_radius",
    "cel_tds",
    "cel_sqlite3_custom",
    "res_phoneprov",
    "res_snmp",
    "res_corosync",
    "res_xmpp",
    "res_calendar",
    "app_voicemail",
    "app_voicemail_imap",
    "app_voicemail_odbc",
    "res_stun_monitor",
    "res_prometheus",
    "res_geolocation",
]


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Asterisk:
    """globals: of the recipe's dialplan, replaced. phones_port: where all phones are. more: text by file, added to it."""

    root: Path
    phones_port: int
    globals: Mapping[str, str]
    more: Mapping[str, str] = field(default_factory=dict)
    sip_port: int = field(default_factory=free_udp_port)
    ami_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    ami_secret: str = "of-the-test"
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    child: Child | None = None

    @property
    def folder(self) -> Path:
        return self.root / "srv" / self.name

    @property
    def inside(self) -> str:
        """The folder as Asterisk sees it."""
        return f"/srv/{self.name}"

    def start(self) -> None:
        self._forget_old_ones()
        for part in ("etc", "log", "run", "spool", "var", "keys"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for file, text in self._configuration().items():
            (self.folder / "etc" / file).write_text(text)
        self.boot()

    def _forget_old_ones(self) -> None:
        """Folders that a killed test run left behind."""
        for folder in (self.root / "srv").glob("*"):
            if time.time() - folder.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def boot(self) -> None:
        command = [
            "chroot",
            str(self.root),
            "/usr/sbin/asterisk",
            "-f",
            "-C",
            f"{self.inside}/etc/asterisk.conf",
        ]
        self.child = Child("asterisk", command, self.folder / "log" / "console")
        self.child.until(self._is_up, "being fully booted", 60)

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop(10)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def cli(self, command: str) -> str:
        done = subprocess.run(
            ["chroot", str(self.root), "/usr/sbin/asterisk", "-C", f"{self.inside}/etc/asterisk.conf", "-rx", command],
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        return done.stdout

    def said(self) -> str:
        full = self.folder / "log" / "full"
        return full.read_text(errors="replace")[-8000:] if full.exists() else ""

    def _is_up(self) -> bool:
        return "fully booted" in self.cli("core waitfullybooted").lower()

    def _configuration(self) -> dict[str, str]:
        inside = self.inside
        files = {
            "asterisk.conf": (
                f"[directories]\nastetcdir => {inside}/etc\nastdbdir => {inside}/var\nastkeydir => {inside}/keys\n"
                f"astspooldir => {inside}/spool\nastrundir => {inside}/run\nastlogdir => {inside}/log\n"
                f"[options]\nverbose = 3\nnocolor = yes\nsystemname = {self.name}\n"
            ),
            "modules.conf": "[modules]\nautoload=yes\n" + "".join(f"noload => {m}.so\n" for m in _NOT_LOADED),
            "logger.conf": "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n",
            "cdr.conf": "[general]\nenable=yes\nunanswered=yes\n",
            "cdr_manager.conf": (RECIPE / "cdr_manager.conf").read_text(),
            "http.conf": f"[general]\nenabled={'yes' if 'ari.conf' in self.more else 'no'}\nbindaddr=127.0.0.1\n"
            f"bindport={self.http_port}\n",
            "manager.conf": self._manager(),
            "rtp.conf": "[general]\nrtpstart=30000\nrtpend=31000\n",
            "extensions.conf": replaced((RECIPE / "extensions.conf").read_text(), self.globals),
            "pjsip.conf": self._pjsip(),
        }
        for file, text in self.more.items():
            files[file] = f"{files.get(file, '')}\n{text}"
        return files

    def _manager(self) -> str:
        text = (RECIPE / "manager.conf").read_text()
        # More than the recipe allows: scenes begin calls themselves.
        rights = {"write": "reporting,call,originate"}
        return replaced(text, {"port": str(self.ami_port), "secret": self.ami_secret, **rights})

    def _pjsip(self) -> str:
        media = "disallow=all\nallow=alaw\ndirect_media=no\ntransport=udp\n"
        sections = [
            f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{self.sip_port}\n",
            # Both calls from outside and those of managers come from the loopback: told apart by who calls.
            "[global]\ntype=global\nendpoint_identifier_order=username,ip\n",
            f"[provider]\ntype=endpoint\ncontext=from-outside\naors=provider\ndtmf_mode=info\n{media}",
            "[provider]\ntype=identify\nendpoint=provider\nmatch=127.0.0.1\n",
            f"[provider]\ntype=aor\ncontact=sip:127.0.0.1:{self.phones_port}\n",
        ]
        for number in EXTENSIONS:
            sections.append(
                f"[{number}]\ntype=endpoint\ncontext=from-inside\naors={number}\n{media}"
                "call_group=1\npickup_group=1\ndtmf_mode=info\n"
                f"[{number}]\ntype=aor\ncontact=sip:{number}@127.0.0.1:{self.phones_port}\n"
            )
        return "\n".join(sections)


def replaced(text: str, values: Mapping[str, str]) -> str:
    """A configuration with `name=value` lines changed. A name that does not occur is an error of the test."""
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^{re.escape(name)}=.*$", f"{name}={value}".replace("\\", r"\\"), text)
        assert count == 1, f"{name} stands {count} times in the recipe"
    return text


@contextmanager
def running_asterisk(
    phones_port: int, more: Mapping[str, str] | None = None, **globals: str
) -> Iterator[Asterisk]:
    asterisk = Asterisk(cache_folder() / "asterisk", phones_port, globals, more or {})
    try:
        asterisk.start()
        yield asterisk
    finally:
        asterisk.remove()
