"""Device states, hints and queue pauses of an Asterisk, folded into what is known of each phone. Pure.

That a phone is registered says nothing of its owner: only that it talks, or that it is shut, is taken from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.capabilities import PhoneState

_BUSY_DEVICES = frozenset({"INUSE", "BUSY", "RINGINUSE", "ONHOLD"})
_BUSY_HINTS = frozenset({"1", "2", "9", "16", "17"})
"""In use, busy, in use and ringing, on hold, in use and on hold."""
_DND_DEVICE = re.compile(r"Custom:DND(.+)", re.IGNORECASE)
"""As FreePBX keeps do-not-disturb: BUSY while it is on."""
_TECHNOLOGIES = frozenset({"pjsip", "sip", "iax2", "local", "sccp", "skinny", "dahdi"})
SNAPSHOT = ("DeviceStateList", "ExtensionStateList", "QueueStatus")
"""What is asked for after connecting: what was true before anybody listened."""
SNAPSHOT_ENDS = frozenset({"devicestatelistcomplete", "extensionstatelistcomplete", "queuestatuscomplete"})


def address_of_device(device: str) -> str | None:
    """Return the extension or SIP login of `PJSIP/101`, `Local/101@from-queue/n`; None of what is no phone."""
    technology, slash, rest = device.partition("/")
    if not slash or technology.lower() not in _TECHNOLOGIES:
        return None
    return re.split(r"[@/]", rest, maxsplit=1)[0] or None


@dataclass(slots=True)
class AsteriskPhones:
    """Of one link, from its beginning. Queues: a phone is shut when its owner pauses in every one they are in."""

    _devices: dict[str, bool] = field(default_factory=dict)
    _hints: dict[str, bool] = field(default_factory=dict)
    _shut: set[str] = field(default_factory=set)
    _paused: dict[str, dict[str, bool]] = field(default_factory=dict)

    def take(self, message: AmiMessage) -> bool:
        """Take in one message. True: something is known otherwise than before."""
        before = self.states()
        event = (message.event or "").lower()
        if event == "devicestatechange":
            self._take_device(message.get("Device"), message.get("State").upper())
        elif event == "extensionstatus":
            self._take_hint(message)
        elif event in ("queuemember", "queuememberadded", "queuememberpause", "queuememberstatus"):
            self._take_member(message)
        elif event == "queuememberremoved":
            self._paused.get(_member(message) or "", {}).pop(message.get("Queue"), None)
        else:
            return False
        return self.states() != before

    def states(self) -> tuple[PhoneState, ...]:
        """Return those of whom there is something to say, by address."""
        busy = {a for known in (self._devices, self._hints) for a, is_busy in known.items() if is_busy}
        paused = {address for address, queues in self._paused.items() if queues and all(queues.values())}
        shut = self._shut | paused
        return tuple(PhoneState(a, is_busy=a in busy, is_dnd=a in shut) for a in sorted(busy | shut))

    def _take_device(self, device: str, state: str) -> None:
        if (dnd := _DND_DEVICE.fullmatch(device)) is not None:
            (self._shut.add if state == "BUSY" else self._shut.discard)(dnd.group(1))
        elif (address := address_of_device(device)) is not None:
            self._devices[address] = state in _BUSY_DEVICES

    def _take_hint(self, message: AmiMessage) -> None:
        """Take a hint that stands for phones; one with a do-not-disturb in it is told by that device itself."""
        hint, status = message.get("Hint"), message.get("Status")
        phones = [address for part in re.split(r"[&,]", hint) if (address := address_of_device(part))]
        if _DND_DEVICE.search(hint) is None and phones:
            self._hints[message.get("Exten")] = status in _BUSY_HINTS

    def _take_member(self, message: AmiMessage) -> None:
        address, queue = _member(message), message.get("Queue")
        if address is not None and queue:
            self._paused.setdefault(address, {})[queue] = message.get("Paused") == "1"


def _member(message: AmiMessage) -> str | None:
    names = (message.get("StateInterface"), message.get("Interface"), message.get("Location"))
    return next((address for name in names if (address := address_of_device(name))), None)
