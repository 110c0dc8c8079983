"""The pages of this room."""

from __future__ import annotations

from gateway.web.calls.journal.listed import journal, new_calls
from gateway.web.calls.journal.table import calls_csv
from gateway.web.calls.one.again import again, run_call_again
from gateway.web.calls.one.call_page import one_call, retry_write
from gateway.web.calls.one.draft import draft_of_call
from gateway.web.calls.one.recording import recording
from gateway.web.calls.one.start_call import start_call
from gateway.web.calls.one.try_call import try_call
from gateway.web.frame import PageRoute

PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/calls", handler=journal, role="read_only", entry="calls"),
    PageRoute(method="GET", path="/calls/new", handler=new_calls, role="read_only", entry="calls"),
    PageRoute(method="GET", path="/calls/csv", handler=calls_csv, role="read_only", entry="calls"),
    PageRoute(method="GET", path="/calls/try", handler=try_call, role="senior_manager", entry="calls"),
    PageRoute(
        method="POST", path="/calls/try/start", handler=start_call, role="senior_manager", entry="calls"
    ),
    PageRoute(method="GET", path="/calls/{call}", handler=one_call, role="read_only", entry="calls"),
    PageRoute(
        method="GET", path="/calls/{call}/draft", handler=draft_of_call, role="senior_manager", entry="calls"
    ),
    PageRoute(
        method="GET",
        path="/calls/{call}/recording/{number}",
        handler=recording,
        role="read_only",
        entry="calls",
    ),
    PageRoute(method="GET", path="/calls/{call}/again", handler=again, role="senior_manager", entry="calls"),
    PageRoute(
        method="POST",
        path="/calls/{call}/again",
        handler=run_call_again,
        role="senior_manager",
        entry="calls",
    ),
    PageRoute(
        method="POST", path="/calls/{call}/retry", handler=retry_write, role="senior_manager", entry="calls"
    ),
)
