"""Scripted SIP phones on one UDP port: they ring, answer, refuse, press keys, transfer and call. No media flows."""

from __future__ import annotations

import asyncio
import itertools
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

_HEADER = re.compile(r"^([\w-]+)\s*:\s*(.*)$")
_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"


@dataclass(frozen=True)
class Manner:
    """How a phone takes a call. answers_after: seconds, None = it rings for ever. refuses: with this status at once."""

    answers_after: float | None = 0.3
    refuses: int | None = None


RINGS = Manner(answers_after=None)
BUSY = Manner(refuses=486)


@dataclass
class _Sip:
    """One message. first: its first line. Headers by lower-case name, in order."""

    first: str
    headers: list[tuple[str, str]]

    @classmethod
    def read(cls, data: bytes) -> _Sip:
        head = data.decode(errors="replace").partition("\r\n\r\n")[0].split("\r\n")
        found = [match.groups() for line in head[1:] if (match := _HEADER.match(line))]
        return cls(head[0], [(_SHORT.get(name.lower(), name.lower()), value) for name, value in found])

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def method(self) -> str:
        return (
            self.get("cseq").partition(" ")[2]
            if self.first.startswith("SIP/")
            else self.first.partition(" ")[0]
        )

    @property
    def status(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/") else 0

    def tag(self, name: str) -> str:
        found = re.search(r";tag=([^;>\s]+)", self.get(name))
        return found[1] if found else ""


@dataclass
class Talk:
    """A dialog of one phone. is_up: answered. over: set when either side has ended it."""

    phones: SipPhones
    user: str
    call_id: str
    ours: str
    theirs: str
    target: str
    tag: str
    invite: _Sip | None = None
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _cseq: itertools.count[int] = field(default_factory=lambda: itertools.count(2))

    def ask(self, method: str, body: str = "", **headers: str) -> None:
        """A request inside the dialog."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.phones.request(
            method, self.target, self.ours, self.theirs, self.call_id, next(self._cseq), more, body
        )

    async def hang_up(self) -> None:
        self.ask("BYE")
        self.over.set()
        await asyncio.sleep(0.1)

    def give_up(self) -> None:
        """Of a call that is still ringing."""
        self.phones.request("CANCEL", self.target, self.ours, self.theirs, self.call_id, 1, {}, "")
        self.over.set()

    async def press(self, keys: str) -> None:
        for key in keys:
            self.ask("INFO", f"Signal={key}\r\nDuration=120\r\n", Content_Type="application/dtmf-relay")
            await asyncio.sleep(0.15)

    def transfer(self, to: str, instead_of: Talk | None = None) -> None:
        """REFER; with the id of another dialog it is the phone's attended transfer."""
        where = f"sip:{to}@127.0.0.1"
        if instead_of is not None:
            tags = {"to-tag": _tag(instead_of.theirs), "from-tag": _tag(instead_of.ours)}
            text = instead_of.call_id + "".join(f";{name}={value}" for name, value in tags.items())
            where += "?Replaces=" + text.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        self.ask("REFER", Refer_To=f"<{where}>", Referred_By=f"<sip:{self.user}@127.0.0.1>")

    async def until_up(self, seconds: float = 10) -> Talk:
        async with asyncio.timeout(seconds):
            await self.is_up.wait()
        return self


def _tag(address: str) -> str:
    return address.partition(";tag=")[2]


@dataclass
class SipPhones(asyncio.DatagramProtocol):
    """manners: by the user part of whom is rung; others answer. sip_port: Asterisk's."""

    port: int
    sip_port: int
    manners: dict[str, Manner] = field(default_factory=dict)
    talks: list[Talk] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def behave(self, manners: Mapping[str, Manner]) -> None:
        self.manners = dict(manners)
        self.talks.clear()

    def call(self, user: str, to: str) -> Talk:
        """This phone (or, with a number, the provider's client) calls."""
        tag, call_id = uuid.uuid4().hex[:8], f"{uuid.uuid4().hex}@phones"
        target = f"sip:{to}@127.0.0.1:{self.sip_port}"
        ours, theirs = f"<sip:{user}@127.0.0.1>;tag={tag}", f"<sip:{to}@127.0.0.1>"
        talk = Talk(self, user, call_id, ours, theirs, target, tag)
        self.talks.append(talk)
        self.request("INVITE", target, ours, theirs, call_id, 1, {"Content-Type": "application/sdp"}, _SDP)
        return talk

    async def answered(self, user: str, seconds: float = 10) -> Talk:
        """The call that this phone has taken."""
        async with asyncio.timeout(seconds):
            while True:
                for talk in self.talks:
                    if talk.user == user and talk.invite is not None and talk.is_up.is_set():
                        return talk
                await asyncio.sleep(0.02)

    async def rung(self, user: str, seconds: float = 10) -> Talk:
        async with asyncio.timeout(seconds):
            while True:
                for talk in self.talks:
                    if talk.user == user and talk.invite is not None:
                        return talk
                await asyncio.sleep(0.02)

    # -- the wire -----------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        target: str,
        ours: str,
        theirs: str,
        call_id: str,
        cseq: int,
        more: Mapping[str, str],
        body: str,
    ) -> None:
        # What cancels an INVITE, or says that its refusal was heard, belongs to its transaction.
        branch = f"z9hG4bK{call_id[:8]}{cseq}{'INVITE' if method in ('CANCEL', 'ACK') else method}"
        user = re.search(r"sip:([^@>]+)@", ours)
        headers = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport",
            "Max-Forwards": "70",
            "From": ours,
            "To": theirs,
            "Call-ID": call_id,
            "CSeq": f"{cseq} {method}",
            "Contact": f"<sip:{user[1] if user else 'phone'}@127.0.0.1:{self.port}>",
            **more,
        }
        self._send(f"{method} {target} SIP/2.0", list(headers.items()), body)

    def _send(self, first: str, headers: list[tuple[str, str]], body: str = "") -> None:
        lines = [
            first,
            *(f"{name}: {value}" for name, value in headers),
            f"Content-Length: {len(body)}",
            "",
            body,
        ]
        self._transport.sendto("\r\n".join(lines).encode(), ("127.0.0.1", self.sip_port))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        told = _Sip.read(data)
        talk = next((t for t in self.talks if t.call_id == told.get("call-id")), None)
        if told.status:
            if talk is not None and told.method == "INVITE":
                self._answered(talk, told)
        elif told.method == "INVITE" and talk is None:
            self._rings(told)
        elif told.method == "INVITE" and talk is not None:
            self._reply(told, 200, talk, _SDP)
        elif told.method == "CANCEL" and talk is not None:
            self._reply(told, 200, talk)
            if talk.invite is not None and not talk.is_up.is_set():
                self._reply(talk.invite, 487, talk)
            talk.over.set()
        elif told.method != "ACK":
            self._reply(told, 202 if told.method == "REFER" else 200, talk)
            if told.method == "BYE" and talk is not None:
                talk.over.set()

    def _answered(self, talk: Talk, told: _Sip) -> None:
        if told.status < 200:
            return
        talk.theirs = told.get("to")
        if contact := re.search(r"<([^>]+)>", told.get("contact")):
            talk.target = contact[1]
        self.request(
            "ACK", talk.target, talk.ours, talk.theirs, talk.call_id, int(told.get("cseq").split()[0]), {}, ""
        )
        (talk.is_up if told.status < 300 else talk.over).set()

    def _rings(self, told: _Sip) -> None:
        user = told.first.split("sip:")[1].partition("@")[0]
        tag = uuid.uuid4().hex[:8]
        contact = re.search(r"<([^>]+)>", told.get("contact"))
        target = contact[1] if contact else f"sip:127.0.0.1:{self.sip_port}"
        talk = Talk(
            self,
            user,
            told.get("call-id"),
            f"{told.get('to')};tag={tag}",
            told.get("from"),
            target,
            tag,
            told,
        )
        self.talks.append(talk)
        manner = self.manners.get(user, Manner())
        if manner.refuses:
            self._reply(told, manner.refuses, talk)
            return
        self._reply(told, 180, talk)
        if manner.answers_after is not None:
            task = asyncio.create_task(self._pick_up(told, talk, manner.answers_after))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pick_up(self, told: _Sip, talk: Talk, after: float) -> None:
        await asyncio.sleep(after)
        if not talk.over.is_set():
            self._reply(told, 200, talk, _SDP)
            talk.is_up.set()

    def _reply(self, told: _Sip, status: int, talk: Talk | None, body: str = "") -> None:
        to = told.get("to")
        if talk is not None and ";tag=" not in to:
            to = f"{to};tag={talk.tag}"
        headers = [("Via", via) for via in told.all("via")] + [
            ("Record-Route", r) for r in told.all("record-route")
        ]
        headers += [
            ("From", told.get("from")),
            ("To", to),
            ("Call-ID", told.get("call-id")),
            ("CSeq", told.get("cseq")),
        ]
        user = talk.user if talk else "phone"
        headers.append(("Contact", f"<sip:{user}@127.0.0.1:{self.port}>"))
        if body:
            headers.append(("Content-Type", "application/sdp"))
        self._send(f"SIP/2.0 {status} Told", headers, body)


@asynccontextmanager
async def sip_phones(port: int, sip_port: int) -> AsyncIterator[SipPhones]:
    """All phones and the provider at one address, until the end of the block."""
    loop = asyncio.get_running_loop()
    transport, phones = await loop.create_datagram_endpoint(
        lambda: SipPhones(port, sip_port), local_addr=("127.0.0.1", port)
    )
    try:
        yield phones
    finally:
        transport.close()
