"""SIPp as caller and as the managers' phones; when which phone was asked to ring is read from its own trace."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.e2e.pbx.asterisk import free_udp_port
from tests.e2e.pbx.children import Child

_SCENARIOS = Path(__file__).parent / "scenarios"
_STAMP = re.compile(r"^-{20,}\s*(\d{4}-\d\d-\d\d)[\sT]+(\d\d:\d\d:\d\d\.\d+)", re.M)


@dataclass(frozen=True)
class Traced:
    """One SIP message. first: its first line. at: Unix time by this machine's clock."""

    at: float
    is_sent: bool
    first: str
    text: str

    @property
    def user(self) -> str:
        """Of a request: whom it is for."""
        found = re.search(r"^\w+ sip:([^@;> ]+)", self.first)
        return found.group(1) if found else ""

    def header(self, name: str) -> str:
        found = re.search(rf"(?mi)^{name}:\s*(.*?)\s*$", self.text)
        return found.group(1) if found else ""


def traced(file: Path) -> list[Traced]:
    text = file.read_text(errors="replace") if file.exists() else ""
    stamps = list(_STAMP.finditer(text))
    found = []
    for stamp, following in zip(stamps, [*stamps[1:], None], strict=False):
        body = text[stamp.end() : following.start() if following else len(text)].replace("\r", "")
        head, _, message = body.partition(":\n\n")
        day_time = f"{stamp.group(1)} {stamp.group(2)[:15]}"
        at = datetime.strptime(day_time, "%Y-%m-%d %H:%M:%S.%f").timestamp()  # noqa: DTZ007 - SIPp writes local time
        found.append(Traced(at, " sent " in head, message.partition("\n")[0], message))
    return found


@dataclass
class Sipp:
    port: int
    trace: Path
    child: Child

    def messages(self, start: str, *, is_sent: bool) -> list[Traced]:
        """Those whose first line begins so, without repetitions of the same request."""
        found: dict[tuple[str, str], Traced] = {}
        for message in traced(self.trace):
            if message.is_sent == is_sent and message.first.startswith(start):
                found.setdefault((message.header("Call-ID"), message.header("CSeq")), message)
        return list(found.values())

    def invited(self) -> list[Traced]:
        """The INVITEs that this side was sent, oldest first."""
        return self.messages("INVITE", is_sent=False)

    def until_invited(self, count: int = 1, seconds: float = 10.0) -> list[Traced]:
        self.child.until(lambda: len(self.invited()) >= count, f"{count} INVITE", seconds)
        return self.invited()


def start_sipp(folder: Path, name: str, scenario: str, port: int, *arguments: str) -> Sipp:
    trace = folder / f"{name}.trace"
    command = [
        "sipp", "-sf", str(_SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(port), "-nostdin",
        "-trace_msg", "-message_file", str(trace), "-message_overwrite", "false",
        "-trace_err", "-error_file", str(folder / f"{name}.errors"), *arguments,
    ]  # fmt: skip
    return Sipp(port, trace, Child(name, command, folder / f"{name}.out"))


@contextmanager
def phones(folder: Path, port: int, scenario: str = "phone_answers", ring_ms: int = 100) -> Iterator[Sipp]:
    """All phones at one address, until the end of the block."""
    sipp = start_sipp(folder, f"phones-{port}-{time.monotonic_ns()}", scenario, port, "-d", str(ring_ms))
    try:
        sipp.child.until(lambda: _is_bound(port), "listening", 5)
        yield sipp
    finally:
        sipp.child.stop()


def _is_bound(port: int) -> bool:
    wanted = f":{port:04X}"
    return any(
        line.split()[1].endswith(wanted) for line in Path("/proc/net/udp").read_text().splitlines()[1:]
    )


@dataclass
class CallMade:
    sipp: Sipp

    @property
    def asked_at(self) -> float:
        """When the INVITE was sent."""
        return self.sipp.messages("INVITE", is_sent=True)[0].at

    @property
    def answers(self) -> list[Traced]:
        return [m for m in traced(self.sipp.trace) if not m.is_sent and m.first.startswith("SIP/2.0")]

    def finish(self, seconds: float = 30.0) -> int:
        """Waits for the caller to be done; SIPp's exit code, 0 = everything went as the scenario says."""
        return self.sipp.child.popen.wait(seconds)


@contextmanager
def a_call(
    folder: Path,
    sip_port: int,
    *,
    caller: str,
    to: str = "74950000001",
    talk_ms: int = 1200,
    gives_up: bool = False,
) -> Iterator[CallMade]:
    """One call. talk_ms: how long it talks, or, when it gives up, how long it lets ring."""
    scenario = "caller_gives_up" if gives_up else "caller"
    sipp = start_sipp(
        folder, f"caller-{time.monotonic_ns()}", scenario, free_udp_port(), f"127.0.0.1:{sip_port}",
        "-s", to, "-key", "caller", caller, "-m", "1", "-d", str(talk_ms), "-timeout", "60",
    )  # fmt: skip
    try:
        yield CallMade(sipp)
    finally:
        sipp.child.stop()
