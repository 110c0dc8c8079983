"""Whether a request shows the secret of its connection."""

from __future__ import annotations

import base64
import binascii

from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound
from gateway.pbx.reading.payload import header


def has_valid_token(request: Inbound, connection: Connection) -> bool:
    """Say whether the request carries the connection's secret as Bearer, as the password of Basic, or as `?token=`.

    Where setting `refuses_query_token` is on, the last does not count: addresses are kept in logs of proxies and PBXs.
    """
    return any(connection.knows(token) for token in _tokens(request, connection))


def _tokens(request: Inbound, connection: Connection) -> list[str]:
    in_query = request.query.get("token")
    tokens = [in_query] if in_query and not connection.switch("refuses_query_token") else []
    scheme, _, value = (header(request, "Authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        tokens.append(value.strip())
    elif scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return tokens
        tokens.append(user_and_password.partition(":")[2])
    return tokens
