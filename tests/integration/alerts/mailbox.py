"""A mail server and a Telegram double on loopback, which keep what they were given and can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "watch@example.com", "right horse"


@dataclass
class Mailbox:
    """refuses: what RCPT is answered, for these addresses. breaks: the connection is cut instead of taking the message.
    hangs: nothing is ever answered to the message. handed_over: messages that came, answered or not."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    breaks: bool = False
    hangs: bool = False
    handed_over: int = 0
    logged_in: list[str] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.handed_over += 1
        if self.hangs:
            await asyncio.sleep(60)
        message = message_from_bytes(cast(bytes, envelope.content), policy=default)
        self.got.append(message)
        if self.breaks and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logged_in.append(data.login.decode())
        return AuthResult(
            success=(data.login.decode(), data.password.decode()) == (USER, PASSWORD), handled=False
        )

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.got]


@asynccontextmanager
async def mailbox(
    *, trust: Certificate | None = None, is_tls: bool = False, needs_login: bool = False
) -> AsyncIterator[Mailbox]:
    """trust: whose certificate the server shows; with `is_tls` from the start, else by STARTTLS."""
    box = Mailbox()
    context = trust.server_context() if trust else None

    def session() -> SMTP:
        return SMTP(
            box,
            hostname="localhost",
            tls_context=None if is_tls else context,
            require_starttls=context is not None and not is_tls,
            auth_require_tls=False,
            auth_required=needs_login,
            authenticator=box.authenticate,
        )

    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", 0, ssl=context if is_tls else None
    )
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


@dataclass(frozen=True)
class Certificate:
    """Of `localhost` and 127.0.0.1, signed by itself."""

    file: Path
    key_file: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key_file)
        return context


def new_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    made.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


TOKEN, CHAT = "123456:secret-of-the-bot", "4242"


@dataclass
class TelegramDouble:
    """Answers as the Bot API does. chats: that know the bot. throttles: so often it says 429 first."""

    url: str = ""
    chats: frozenset[str] = frozenset({CHAT})
    throttles: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return _refused(401, "Unauthorized")
        body = await request.json()
        if str(body["chat_id"]) not in self.chats:
            return _refused(400, "Bad Request: chat not found")
        if self.throttles:
            self.throttles -= 1
            return _refused(429, "Too Many Requests: retry after 7", parameters={"retry_after": 7})
        self.got.append(body)
        return web.json_response({"ok": True, "result": {"message_id": len(self.got)}})

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.got]


def _refused(status: int, description: str, **more: Any) -> web.Response:
    body = {"ok": False, "error_code": status, "description": description, **more}
    return web.json_response(body, status=status)


@asynccontextmanager
async def telegram_double() -> AsyncIterator[TelegramDouble]:
    double = TelegramDouble()
    app = web.Application()
    app.router.add_post("/bot{token}/sendMessage", double.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield double
    finally:
        await runner.cleanup()
