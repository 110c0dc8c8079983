"""What went wrong, for the person at the command line."""

from __future__ import annotations


class Failure(Exception):
    """A command that did not work: what, why, what to do."""

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.remedy = what, why, remedy
