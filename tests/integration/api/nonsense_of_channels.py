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
    *(
        wrong(
            f"channel add shop --kind {kind} --setting {setting} --account main",
            f"is no value of {setting.partition('=')[0]}",
        )
        for kind, setting in (
            ("sandbox", "receives=sometimes"),
            ("sandbox", "poll_seconds=0"),
            ("sandbox", "window_hours=-1"),
            ("sandbox", "answer_seconds=0"),
            ("max", "receives=polls"),
            ("max", "poll_seconds=soon"),
            ("wazzup", "transport=pigeon"),
            ("telegram", "webhook=perhaps"),
            ("telegram", "poll_seconds=0"),
        )
    ),
    wrong("channel set gone --name A --account main", _GONE),
    misused("channel set shop"),
    wrong("channel on gone --account main", _GONE),
    wrong("channel off gone --account main", _GONE),
    wrong("channel address gone --account main", _GONE),
    wrong("channel gaps gone --account main", _GONE),
    wrong("channel share gone --right anna=send --account main", _GONE),
    wrong("channel share gone --right anna=all --account main", "is no right"),
    wrong("channel rights gone --account main", _GONE),
    wrong("channel default gone anna --account main", _GONE),
    wrong("channel visibility --observer gone --account main", "there is no employee 'gone'"),
    misused("channel visibility --see some --account main"),
    wrong("channel files --channel gone --account main", _GONE),
    misused("channel files --state lost --account main"),
    wrong("channel file 7 --to nowhere.pdf --account main", "there is no file '7'"),
    misused("channel file 7 --account main"),
    wrong("channel refetch 7 --account main", "there is no file '7'"),
    wrong("channel write Hello --employee anna --account main", "either a number or a chat is needed"),
    wrong("channel write Hello --employee anna --number 12 --channel gone --account main", _GONE),
    wrong("channel write Hello --employee gone --chat 7 --account main", "there is no employee 'gone'"),
    wrong("channel forget gone 7 --account main --yes", _GONE),
    wrong("channel remove gone --account main --yes", _GONE),
    misused("crm-chats set --account main"),
    wrong("crm-chats set --bot-id f1910c7f --account main", "channel_id is not said"),
    wrong(
        "crm-chats set --channel-id a/b --secret 12345678 --bot-id f1910c7f --account main",
        "'a/b' is none that the CRM gives",
    ),
    wrong(
        "crm-chats set --channel-id 344a --secret short --bot-id f1910c7f --account main", "secret is none"
    ),
    wrong("crm-chats on --account main", "it is not said how the CRM's chats are reached"),
    wrong("crm-chats off --account gone", "there is no account"),
    wrong("crm-chats retry --account gone", "there is no account"),
    wrong("crm-chats remove --account main --yes", "there is no connection with the CRM's chats"),
    wrong("crm-chats show --account gone", "there is no account"),
    wrong("channel list --account gone", "there is no account"),
]
