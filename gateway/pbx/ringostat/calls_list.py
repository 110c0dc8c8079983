"""How the call log is asked for: at most 6500 calls per request, so a range is cut into windows. Pure."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from gateway.pbx.call_log import Window
from gateway.pbx.connection import Connection
from gateway.pbx.times import zone_of

PATH = "/calls/list"
MOST_CALLS = 6500
_SHORTEST = timedelta(seconds=2)
_FIELDS = (
    "calldate,caller,dst,disposition,duration,billsec,waittime,call_type,uniqueid,n_alias,userfield,employee_number,"
    "employee_fio,department,connected_with,recording,recording_wav,has_recording,utm_source,utm_medium,utm_campaign,"
    "utm_content,utm_term,pool_name,landing,refferrer,client_id,scheme_name"
)


def halves(window: Window, calls: int) -> tuple[Window, ...]:
    """Return what to ask again when the answer was as long as an answer can be: () when it was complete.

    A window of two seconds is not cut further: its answer is taken as it is.
    """
    if calls < MOST_CALLS or window.until - window.since <= _SHORTEST:
        return ()
    middle = (window.since + (window.until - window.since) / 2).replace(microsecond=0)
    return Window(window.since, middle), Window(middle, window.until)


def query(window: Window, connection: Connection) -> str:
    """Return the query string. `to` is taken to be inclusive (not confirmed), so a call on the border may come twice: no harm."""
    zone = zone_of(connection)
    return urlencode(
        {
            "export_type": "json",
            "from": f"{window.since.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "to": f"{window.until.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "fields": str(connection.settings.get("calls_list_fields", _FIELDS)),
            "order": "calldate asc",
        }
    )
