"""What people type wrongly of campaigns, and what must stand in the answer."""

from __future__ import annotations

from tests.integration.api.nonsense import misused, wrong

_GONE = "there is no campaign 'gone'"

NONSENSE_OF_CAMPAIGNS = [
    misused("campaign list extra"),
    misused("campaign create"),
    wrong("campaign create spring --account main", "connection: is missing"),
    wrong(
        "campaign create spring --connection x --set target=no --account main", "target: must be an object"
    ),
    wrong("campaign there gone --account main", "no connection 'gone'"),
    misused("campaign plan gone tomorrow --account main"),
    wrong("campaign import gone {dir} --account main", "cannot be read"),
    *(
        wrong(f"campaign {command[0]} gone {' '.join(command[1:])} --account main", _GONE)
        for command in map(
            str.split,
            ("show", "edit", "start", "pause", "stop --yes", "finish --yes", "close", "stats", "members"),
        )
    ),
    wrong("campaign add gone +79161234567 --account main", _GONE),
    wrong("campaign take-out gone +79161234567 --account main", _GONE),
]
