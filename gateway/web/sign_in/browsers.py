"""A browser in words, by what it calls itself: enough for a person to know theirs again. Pure."""

from __future__ import annotations

from routing.texts.catalogue import Texts

# The first that stands in the text: the names of others stand in most of them too.
_BROWSERS = (
    ("YaBrowser/", "yandex"),
    ("Edg", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser/", "samsung"),
    ("Vivaldi/", "vivaldi"),
    ("FxiOS/", "firefox"),
    ("Firefox/", "firefox"),
    ("CriOS/", "chrome"),
    ("Chromium/", "chromium"),
    ("Chrome/", "chrome"),
    ("Safari/", "safari"),
)
_SYSTEMS = (
    ("iPhone", "iphone"),
    ("iPad", "ipad"),
    ("Android", "android"),
    ("CrOS", "chromeos"),
    ("Windows", "windows"),
    ("Macintosh", "macos"),
    ("Linux", "linux"),
)


def browser_name(agent: str, texts: Texts) -> str:
    """Return e.g. "Firefox, Windows"."""
    found = [
        texts.say(f"sign_in.known.{next(name for sign, name in known if sign in agent)}")
        for known in (_BROWSERS, _SYSTEMS)
        if any(sign in agent for sign, _ in known)
    ]
    return ", ".join(found) or texts.say("sign_in.browser_unknown")
