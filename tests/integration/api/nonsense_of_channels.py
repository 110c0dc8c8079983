"""What people type wrongly of messenger channels, and what must stand in the answer."""

from __future__ import annotations

from tests.integration.api.nonsense import misused, wrong

_GONE = "there is no channel 'gone'"
NONSENSE_OF_CHANNELS = [
    wrong("channel add shop --kind pigeon --account main", "'pigeon' is not known here"),
    wrong(
        "channel add shop --kind sandbox --rule owner=template --account main", "needs the name of a template"
    ),
    wrong("channel add shop --kind sandbox --rule colour=red --account main", "colour"),
    wrong("channel set gone --name A --account main", _GONE),
    misused("channel set shop"),
    wrong("channel on gone --account main", _GONE),
    wrong("channel off gone --account main", _GONE),
    wrong("channel address gone --account main", _GONE),
    wrong("channel gaps gone --account main", _GONE),
    wrong("channel share gone --right anna=send --account main", _GONE),
    wrong("channel share gone --right anna=all --account main", "is no right"),
    wrong("channel write Hello --employee anna --account main", "either a number or a chat is needed"),
    wrong("channel write Hello --employee anna --number 12 --channel gone --account main", _GONE),
    wrong("channel write Hello --employee gone --chat 7 --account main", "from which channel"),
    wrong("channel forget gone 7 --account main --yes", _GONE),
    wrong("channel remove gone --account main --yes", _GONE),
    wrong("channel list --account gone", "there is no account"),
]
