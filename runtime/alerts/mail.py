"""E-mail through a mail server of the operator's: STARTTLS, TLS from the start, or none where the server is this machine."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal

import aiosmtplib

from runtime.addresses import is_local
from runtime.alerts.delivery import (
    PATIENCE_SECONDS,
    AlertInTheClear,
    AlertLoginRefused,
    AlertMessage,
    AlertNotSent,
    AlertRecipientRefused,
    AlertTlsRefused,
    AlertUnreachable,
)
from runtime.alerts.unreachable import unreachable
from runtime.cancellation import raise_if_cancelled

MailSecurity = Literal["starttls", "tls", "none"]
_PORTS: dict[MailSecurity, int] = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """port: None = the usual one of `security`. sender: the address in From. ca_file: who vouches for the server besides the
    system's authorities."""

    host: str
    sender: str
    port: int | None = None
    security: MailSecurity = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    patience_seconds: float = PATIENCE_SECONDS

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port or _PORTS[self.security]}"


class MailSender:
    """One connection for each message: there are a few a day."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def send(self, message: AlertMessage) -> None:
        server = self._server
        if server.user and server.security == "none" and not is_local(server.host):
            raise AlertInTheClear(f"a password goes to {server.where} over TLS only")
        client = self._client()
        try:
            with _told(server.where):
                await client.connect()
            raise_if_cancelled()  # the library waits with asyncio.wait_for, which loses one
            await self._log_in(client)
            raise_if_cancelled()
            await self._hand_over(client, message)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port or _PORTS[server.security],
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._trust() if server.security != "none" else None,
            timeout=server.patience_seconds,
            local_hostname=socket.gethostname(),  # the full name would be asked of the DNS
        )

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._server.ca_file is not None:
            try:
                context.load_verify_locations(cafile=self._server.ca_file)
            except (OSError, ssl.SSLError) as err:
                raise AlertTlsRefused(f"{self._server.ca_file}: {err}") from err
        return context

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        server = self._server
        if not server.user:
            return
        with _told(server.where):
            await client.login(server.user, server.password or "")

    async def _hand_over(self, client: aiosmtplib.SMTP, message: AlertMessage) -> None:
        where = self._server.where
        body = _written(message, self._server.sender)
        try:
            await client.sendmail(self._server.sender, [message.to], body)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPRecipientRefused) as err:
            refused = err.recipients[0] if isinstance(err, aiosmtplib.SMTPRecipientsRefused) else err
            raise AlertRecipientRefused(f"{where}: {refused.code} {refused.message}") from err
        except aiosmtplib.SMTPResponseException as err:
            raise AlertNotSent(f"{where}: {err.code} {err.message}") from err
        except (aiosmtplib.SMTPException, OSError) as err:
            raise AlertUnreachable(f"{where}: {err or type(err).__name__}", is_in_doubt=True) from err


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Yield until the message itself is handed over: whatever fails here, nothing was sent."""
    try:
        yield
    except aiosmtplib.SMTPAuthenticationError as err:
        raise AlertLoginRefused(f"{where}: {err.code} {err.message}") from err
    except aiosmtplib.SMTPNotSupported as err:
        raise AlertLoginRefused(f"{where}: {err}") from err
    except aiosmtplib.SMTPResponseException as err:
        raise AlertNotSent(f"{where}: {err.code} {err.message}") from err
    except (aiosmtplib.SMTPException, OSError) as err:
        if "starttls" in str(err).lower():
            raise AlertTlsRefused(f"{where}: {err}") from err
        raise unreachable(where, err) from err


class _WholeSubject(EmailPolicy):
    """The library's own folding loses the blank where a subject breaks between two encoded words."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() != "subject":
            return bytes(super().fold_binary(name, value))
        written = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {written}{self.linesep}".encode("ascii")


_POLICY = _WholeSubject(linesep=SMTP.linesep)


def _written(message: AlertMessage, sender: str) -> bytes:
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"], mail["To"] = sender, message.to
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = f"<{message.id}@callmatrix>"
    mail["Auto-Submitted"] = "auto-generated"  # holiday replies stay away
    mail.set_content(message.text)
    return mail.as_bytes()
