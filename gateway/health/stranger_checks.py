"""Whether somebody guesses secrets, or a PBX has a wrong one or speaks no HTTP: what the gateways saw in a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.health.findings import Finding, about, duration, ok, warning
from gateway.store.health.strangers import StrangersSeen, strangers_since
from runtime.database.pool import Conn

DAY = timedelta(days=1)
_FEW = 10
_MOST_LINES = 10


async def stranger_findings(conn: Conn, now: datetime) -> list[Finding]:
    """One line for each door and connection where more than a few came; one altogether where there were none."""
    many = [seen for seen in await strangers_since(conn, DAY) if seen.count >= _FEW]
    return [_line(seen, now) for seen in many[:_MOST_LINES]] or [ok("strangers-few", about("doors"))]


def _line(seen: StrangersSeen, now: datetime) -> Finding:
    what = about("door-of", connection=seen.connection) if seen.connection else about("doors")
    count, addresses = seen.count, ", ".join(seen.addresses)
    ago = duration((now - seen.last_at).total_seconds())
    match seen.what:
        case "malformed":
            return warning("http-malformed-seen", what, count=count, addresses=addresses, ago=ago)
        case "forbidden":
            return warning("api-forbidden-seen", what, count=count, addresses=addresses, ago=ago)
        case "signed-long-ago":
            return warning("signed-long-ago", what, count=count, addresses=addresses, ago=ago)
        case door:
            return warning("wrong-secrets-seen", what, door=door, count=count, addresses=addresses, ago=ago)
