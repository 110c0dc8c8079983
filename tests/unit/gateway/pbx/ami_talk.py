"""AMI events as Asterisk 22 sends them, with readable defaults: what was recorded, field for field where it matters."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.pbx.asterisk.wire import AmiMessage, message

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Talk:
    """Writes the events of one call. key: its Linkedid and the Uniqueid of its first channel."""

    def __init__(self, key: str, *, begins: float = 0) -> None:
        self.key, self.begins = key, begins
        self.names: dict[str, str] = {}
        self.linked: dict[str, str] = {}
        self.exten: dict[str, str] = {}
        self.caller: dict[str, str] = {}

    def _at(self, second: float) -> dict[str, str]:
        return {"Timestamp": f"{START.timestamp() + self.begins + second:.6f}", "SystemName": "pbx"}

    def _channel(self, uid: str, prefix: str = "") -> dict[str, str]:
        return {
            f"{prefix}Channel": self.names[uid],
            f"{prefix}ChannelState": "6",
            f"{prefix}CallerIDNum": self.caller.get(uid, "<unknown>"),
            f"{prefix}Exten": self.exten.get(uid, "s"),
            f"{prefix}Uniqueid": uid,
            f"{prefix}Linkedid": self.linked[uid],
        }

    def new(
        self,
        second: float,
        uid: str,
        name: str,
        *,
        caller: str = "<unknown>",
        exten: str = "s",
        state: str = "0",
    ) -> AmiMessage:
        self.names[uid], self.linked[uid] = name, self.key
        self.caller[uid], self.exten[uid] = caller, exten
        fields = {"Event": "Newchannel", **self._at(second), **self._channel(uid), "ChannelState": state}
        return message(fields)

    def came_in(
        self, second: float, caller: str, exten: str, name: str = "PJSIP/trunk-00000001"
    ) -> AmiMessage:
        return self.new(second, self.key, name, caller=caller, exten=exten, state="4")

    def dial(self, second: float, event: str, source: str | None, dest: str, **more: str) -> AmiMessage:
        fields = {"Event": event, **self._at(second)}
        if source:
            fields |= self._channel(source)
        return message({**fields, **self._channel(dest, "Dest"), **more})

    def rings(self, second: float, source: str | None, dest: str, dialled: str) -> list[AmiMessage]:
        return [
            self.new(second, dest, f"PJSIP/{dialled.partition('/')[0]}-000000{dest[-2:]}"),
            self.dial(second, "DialBegin", source, dest, DialString=dialled),
            self.dial(second, "DialState", source, dest, DialStatus="RINGING"),
        ]

    def dial_end(self, second: float, source: str | None, dest: str, status: str) -> AmiMessage:
        return self.dial(second, "DialEnd", source, dest, DialStatus=status)

    def bridge(self, second: float, event: str, uid: str, bridge: str, count: int) -> AmiMessage:
        more = {"BridgeUniqueid": bridge, "BridgeNumChannels": str(count)}
        return message({"Event": event, **self._at(second), **more, **self._channel(uid)})

    def enter(self, second: float, bridge: str, *uids: str) -> list[AmiMessage]:
        return [self.bridge(second, "BridgeEnter", uid, bridge, n + 1) for n, uid in enumerate(uids)]

    def leave(self, second: float, bridge: str, *uids: str) -> list[AmiMessage]:
        return [self.bridge(second, "BridgeLeave", uid, bridge, 0) for uid in uids]

    def hangup(self, second: float, uid: str, cause: str = "16") -> AmiMessage:
        return message({"Event": "Hangup", **self._at(second), **self._channel(uid), "Cause": cause})

    def ask_hangup(self, second: float, uid: str) -> AmiMessage:
        return message({"Event": "HangupRequest", **self._at(second), **self._channel(uid)})

    def event(self, second: float, event: str, uid: str, **fields: str) -> AmiMessage:
        return message({"Event": event, **self._at(second), **self._channel(uid), **fields})

    def user_event(self, second: float, **fields: str) -> AmiMessage:
        told = {
            "Event": "UserEvent",
            **self._at(second),
            **self._channel(self.key),
            "UserEvent": "Callmatrix",
        }
        return message({**told, **fields})

    def cdr(self, second: float, **fields: str) -> AmiMessage:
        return message({"Event": "Cdr", **self._at(second), "UniqueID": self.key, **fields})

    def answers(self, second: float, source: str, dest: str) -> list[AmiMessage]:
        return [self.dial_end(second, source, dest, "ANSWER"), *self.enter(second, f"b{dest}", dest, source)]

    def parts(self, second: float, source: str, dest: str) -> list[AmiMessage]:
        """Both leave the bridge and hang up."""
        return [
            self.ask_hangup(second, source),
            *self.leave(second, f"b{dest}", source, dest),
            self.hangup(second, dest),
            self.hangup(second, source),
        ]
