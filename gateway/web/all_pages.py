"""All pages, of all rooms."""

from __future__ import annotations

from gateway.web.calls.pages import PAGES as CALLS
from gateway.web.channels.pages import PAGES as CHANNELS
from gateway.web.desk.pages import PAGES as DESK
from gateway.web.dialogs.pages import PAGES as DIALOGS
from gateway.web.distribution.pages import PAGES as DISTRIBUTION
from gateway.web.frame import PageRoute
from gateway.web.frames.pages import PAGES as FRAMES
from gateway.web.help.pages import PAGES as HELP
from gateway.web.kit.pages import PAGES as KIT
from gateway.web.matrix.pages import PAGES as MATRIX
from gateway.web.messages.pages import PAGES as MESSAGES
from gateway.web.missed.pages import PAGES as MISSED
from gateway.web.now.pages import PAGES as NOW
from gateway.web.setup.pages import PAGES as SETUP
from gateway.web.shifts.pages import PAGES as SHIFTS
from gateway.web.sign_in.pages import PAGES as SIGN_IN
from gateway.web.start.pages import PAGES as START
from gateway.web.stream import PAGES as STREAM
from gateway.web.users.pages import PAGES as USERS

PAGES: tuple[PageRoute, ...] = (
    *SIGN_IN,
    *USERS,
    *CALLS,
    *NOW,
    *MISSED,
    *MATRIX,
    *DISTRIBUTION,
    *SHIFTS,
    *DESK,
    *DIALOGS,
    *MESSAGES,
    *SETUP,
    *CHANNELS,
    *START,
    *HELP,
    *FRAMES,
    *KIT,
    *STREAM,
)
