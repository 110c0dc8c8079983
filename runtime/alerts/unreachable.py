"""Why there is no connection, in words of our own: no such name, a certificate, nobody there."""

from __future__ import annotations

import socket
import ssl

from runtime.alerts.delivery import AlertHostUnknown, AlertNotSent, AlertTlsRefused, AlertUnreachable


def unreachable(where: str, err: BaseException) -> AlertNotSent:
    """where: host and port. Nothing of a message was sent."""
    causes = _causes(err)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return AlertHostUnknown(f"there is no host '{where.rpartition(':')[0]}' ({cause.strerror})")
        if isinstance(cause, ssl.SSLError):
            return AlertTlsRefused(f"{where}: {cause.reason or cause}")
    for cause in causes:
        if isinstance(cause, TimeoutError):
            return AlertUnreachable(f"{where} does not answer in time")
        if isinstance(cause, ConnectionRefusedError):
            return AlertUnreachable(f"{where} refuses the connection")
    return AlertUnreachable(f"{where}: {err or type(err).__name__}")


def _causes(err: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while err is not None and err not in found:
        found.append(err)
        os_error = getattr(err, "os_error", None)  # aiohttp keeps it there
        err = os_error if isinstance(os_error, OSError) and os_error is not err else err.__cause__
    return found
