"""What people type wrongly of SMS, and what must stand in the answer."""

from __future__ import annotations

from tests.integration.api.nonsense import misused, wrong

NONSENSE_OF_SMS = [
    wrong("sms add Büro --kind sandbox --account main", "is no name of a connection"),
    wrong("sms add texts --kind pigeon --account main", "'pigeon' is not known here"),
    wrong(
        "sms add texts --kind smsc --setting base_url=http://127.0.0.1 --account main",
        "is no address of this vendor",
    ),
    wrong(
        "sms add texts --kind smpp --setting host=localhost --account main", "is no place of a message centre"
    ),
    wrong("sms set gone --sender A --account main", "there is no SMS connection 'gone'"),
    misused("sms set texts"),
    wrong("sms on gone --account main", "there is no SMS connection 'gone'"),
    wrong("sms off gone --account main", "there is no SMS connection 'gone'"),
    wrong("sms address gone --account main", "there is no SMS connection 'gone'"),
    wrong("sms remove gone --account main --yes", "there is no SMS connection 'gone'"),
    wrong("sms list --account gone", "there is no account"),
    misused("sms messages --state lost"),
    wrong("sms messages --connection gone --account main", "there is no SMS connection 'gone'"),
    misused("sms incoming extra"),
    wrong("sms preview gone 7 --account main", "there is no trigger 'gone'"),
    wrong("sms test gone +79161234567 --account main", "there is no SMS connection 'gone'"),
]
