"""How many files and sockets this process may have open, and whether there are any left."""

from __future__ import annotations

import contextlib
import errno
import os
import resource

from runtime.trouble import Trouble

# Of the database, the CRM, the log, files: what no door may use up.
RESERVE = 128


def raise_limit() -> int:
    """Use what the system allows; return the limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most if soft == resource.RLIM_INFINITY else soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft


def most_connections(wanted: int, share: float) -> int:
    """Return how many connections a door may hold: as many as wanted, or this share of what the limit leaves."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    left = limit - RESERVE if limit > 2 * RESERVE else limit // 2
    return max(1, min(wanted, int(left * share)))


class Descriptors:
    """Whether one could be opened. exhausted: how often there began to be none."""

    def __init__(self) -> None:
        self._trouble = Trouble("descriptors")
        self.exhausted = 0

    def are_left(self) -> bool:
        """Try; told once when they run out and once when there are some again."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as err:
            if err.errno not in (errno.EMFILE, errno.ENFILE):
                return True
            self.exhausted += not self._trouble.is_present
            self._trouble.failed(err, is_alarm=True)
            return False
        self._trouble.recovered()
        return True
