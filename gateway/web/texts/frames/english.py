"""English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "frames.card.unknown": "Card of amoCRM",
    "frames.card.not_yet": "The client copy does not have this card yet: new ones appear within half a minute.",
    "frames.card.no_number": "The card has no phone number: no calls can be linked with it.",
    "frames.card.owner": "Responsible:",
    "frames.card.waits": "Has waited for a call for {waited}",
    "frames.card.missed": "Missed: {n:call|calls}, the last one {at}. Call back by {until}.",
    "frames.card.calls": "Calls",
    "frames.card.journal": "Journal",
    "frames.card.none": "There were no calls with these numbers.",
    "frames.card.said.called": "Your phone will ring now, then the client's.",
    "frames.card.said.waits": "This client is being called already: wait for that call.",
    "frames.settings.title": "Callmatrix: {name}",
    "frames.settings.state": "How everything works",
    "frames.settings.rooms": "Pages of Callmatrix",
    "frames.settings.sign_in": "They open in a new tab and want you to sign in.",
    "frames.settings.who": "An administrator of Callmatrix changes the settings.",
    "frames.settings.said.asked": "amoCRM is being asked, the data will be fresh in a few seconds.",
    "frames.settings.said.off": "Switch amoCRM on first: nothing is read while it is off.",
    "refused.frame-unknown.title": "The window did not open",
    "refused.frame-unknown.detail": "Close it and open it in amoCRM again.",
    "refused.frame-expired.title": "The window was opened too long ago",
    "refused.frame-expired.detail": "Nothing has changed. Close it and open it in amoCRM again.",
    "refused.frame-used.title": "Saved already",
    "refused.frame-used.detail": "To change anything else, close the window and open it in amoCRM again.",
    "refused.frame-person.title": "Not for you",
    "refused.frame-person.detail": "The pages of Callmatrix are closed to this person. Ask an administrator.",
    "refused.frame-elsewhere.title": "Another address",
    "refused.frame-elsewhere.detail": "The page opens only at the https address of Callmatrix.",
    "frames.close": "Close",
    "frames.done": "Saved",
    "frames.done.text": "The template “{name}” is saved. You can close the window.",
    "frames.template.closes": "The window closes once it is saved.",
    "frames.template.save": "Save and close",
}
