"""The pages of this room."""

from __future__ import annotations

from gateway.web.frame import PageRoute
from gateway.web.sign_in.entering import PAGES as ENTERING
from gateway.web.sign_in.my_account import PAGES as MY_ACCOUNT

PAGES: tuple[PageRoute, ...] = (*ENTERING, *MY_ACCOUNT)
