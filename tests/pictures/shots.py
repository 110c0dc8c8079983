"""What is taken: each page once, with who looks at it and what is done before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.store.frames.frame_tokens import FramePage

DESKTOP, PHONE = 1440, 390
SMALL, FRAMED = 640, 520
DemoRole = Literal["admin", "senior_manager", "manager", "read_only", ""]
"""\"\": nobody is signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture. follow: a link of the page, by selector, that leads to what is taken; then: what is added to its address. frame: it is
    opened as the CRM opens it, a card for the client whose contact the page of `follow` names. fill: values by the selector of a field; press: what is clicked then. most: pixels of height, what is below is cut off. languages: in which it is taken."""

    name: str
    path: str
    role: DemoRole = "admin"
    frame: FramePage | None = None
    follow: str = ""
    then: str = ""
    fill: Mapping[str, str] = field(default_factory=dict)
    press: str = ""
    width: int = DESKTOP
    most: int = 1300
    theme: Literal["light", "dark"] = "light"
    languages: tuple[str, ...] = ("ru", "en")


_TALKED_CALL = "td a[href*='/calls/']"
_RU = ("ru",)

SHOTS = (
    Shot(name="start", path="/start"),
    Shot(name="now", path="/"),
    Shot(name="now-dark", path="/", theme="dark", languages=_RU),
    Shot(name="now-phone", path="/", width=PHONE, languages=_RU),
    Shot(name="wall", path="/wall", theme="dark", most=900, languages=_RU),
    Shot(name="calls", path="/calls"),
    Shot(name="call", path="/calls?q=79010000001", follow=_TALKED_CALL, most=1500),
    Shot(name="call-dark", path="/calls?q=79010000001", follow=_TALKED_CALL, theme="dark", languages=_RU),
    Shot(name="call-phone", path="/calls?q=79010000001", follow=_TALKED_CALL, width=PHONE, languages=_RU),
    Shot(name="try-a-call", path="/calls/try", fill={"[name=number]": "8 (900) 000-00-12"}, press="main form [type=submit]"),
    Shot(name="missed", path="/missed", role="senior_manager"),
    Shot(name="missed-phone", path="/missed", role="senior_manager", width=PHONE, languages=_RU),
    Shot(name="missed-waits", path="/missed/waits"),
    Shot(name="matrix", path="/matrix"),
    Shot(name="matrix-cell", path="/matrix?cell=inbound.missed.new/end"),
    Shot(name="matrix-phone", path="/matrix", width=PHONE, languages=_RU),
    Shot(name="matrix-rules", path="/matrix/rules"),
    Shot(name="matrix-publish", path="/matrix/publish"),
    Shot(name="matrix-versions", path="/matrix/versions"),
    Shot(name="distribution-results", path="/distribution/results"),
    Shot(name="distribution-log", path="/distribution/results", follow='a[href*="/distribution/results/"]'),
    Shot(name="distribution-waiting", path="/distribution/waiting"),
    Shot(name="templates", path="/distribution/templates"),
    Shot(name="template", path="/distribution/templates/%D0%9F%D0%BE%20%D0%B4%D0%BE%D0%BB%D1%8F%D0%BC", most=1600),
    Shot(name="template-versions", path="/distribution/templates/%D0%9F%D0%BE%20%D0%B4%D0%BE%D0%BB%D1%8F%D0%BC/versions"),
    Shot(name="shift-change", path="/distribution/shift-change"),
    Shot(name="shift-run", path="/distribution/shift-change", follow='main a[href*="/shift-change/runs/"]'),
    Shot(name="here", path="/shifts"),
    Shot(name="schedules", path="/shifts/schedules"),
    Shot(name="schedule-week", path="/shifts/schedules", follow='main a[href*="%D0%9E%D1%84"]'),
    Shot(name="schedule-month", path="/shifts/schedules", follow='main a[href*="%D0%9D%D0%BE%D1%87"]'),
    Shot(name="schedule-settings", path="/shifts/schedules", follow='main a[href*="%D0%9E%D1%84"]', then="/settings", most=1600),
    Shot(name="dialogs", path="/dialogs", role="manager"),
    Shot(name="dialog", path="/dialogs?q=79005550131", role="manager", follow=".cm-dialogs-row"),
    Shot(name="dialog-phone", path="/dialogs?q=79005550131", role="manager", follow=".cm-dialogs-row", width=PHONE, languages=_RU),
    Shot(name="channels", path="/setup/channels"),
    Shot(name="channel", path="/setup/channels/demo-retail", most=1600),
    Shot(name="channel-access", path="/setup/channels/access", most=1000),
    Shot(name="callbacks", path="/messages"),
    Shot(name="sms", path="/messages/sms"),
    Shot(name="triggers", path="/messages/triggers"),
    Shot(name="trigger", path="/messages/sms", follow='main a[href*="/messages/triggers/"]', most=1600),
    Shot(name="trigger-versions", path="/messages/sms", follow='main a[href*="/messages/triggers/"]', then="/versions"),
    Shot(name="texts", path="/messages/texts"),
    Shot(name="firings", path="/messages/firings"),
    Shot(name="campaigns", path="/messages/campaigns"),
    Shot(name="campaign", path="/messages/campaigns", follow='main a[href*="/messages/campaigns/"]', most=1600),
    Shot(name="crm", path="/setup"),
    Shot(name="held", path="/setup/held"),
    Shot(name="pbx", path="/setup/pbx"),
    Shot(name="pbx-one", path="/setup/pbx/generic"),
    Shot(name="sms-providers", path="/setup/sms"),
    Shot(name="sms-provider", path="/setup/sms", follow='main a[href*="/setup/sms/"]', most=1600),
    Shot(name="employees", path="/setup/employees"),
    Shot(name="do-not-call", path="/setup/do-not-call"),
    Shot(name="numbers", path="/setup/numbers"),
    Shot(name="not-sent", path="/setup/not-sent"),
    Shot(name="users", path="/setup/users"),
    Shot(name="user", path="/setup/users/manager"),
    Shot(name="changes", path="/setup/audit"),
    Shot(name="desk", path="/me", role="manager"),
    Shot(name="desk-phone", path="/me", role="manager", width=PHONE, languages=_RU),
    Shot(name="account", path="/me/account"),
    Shot(name="other", path="/setup/other"),
    Shot(name="sign-in", path="/sign-in", role="", width=SMALL),
    Shot(name="sign-in-refused", path="/sign-in", role="", width=SMALL, languages=_RU,
         fill={"[name=login]": "olga", "[name=password]": "12345678"}, press="main form [type=submit]"),
    Shot(name="frame-card", path="/calls?q=79010000001", follow=_TALKED_CALL, frame="card", width=FRAMED),
    Shot(name="frame-template", path="/help", frame="template", width=FRAMED),
    Shot(name="frame-settings", path="/help", frame="settings", width=FRAMED),
)  # fmt: skip
