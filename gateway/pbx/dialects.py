"""How answers to a lookup are written: one function per dialect, in one visible table.

`json` is the contract's own form. `text` is the first target's address or nothing. The others are what particular
PBXs consume; each says "carry on with your scheme" in its own way when there is no target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from gateway.pbx.capabilities import SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.port import Inbound, LookupRequest, WireInvalid
from gateway.pbx.reading.addresses import whole_number
from gateway.pbx.reading.payload import read_fields

DialectFields = Mapping[str, Any]
WrittenAnswer = tuple[str, bytes]

_JSON = "application/json"
_XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'

_PHONE = ("phone", "from", "caller", "number", "From", "Caller-Caller-ID-Number", "caller_id_number")
_DID = ("did", "to", "called", "callee", "dst", "destination", "To", "Caller-Destination-Number")
_CALL_ID = ("call_id", "callId", "callid", "uniqueid", "uuid", "Unique-ID", "Channel-Call-UUID")


def read_lookup(request: Inbound) -> LookupRequest:
    """Return a question in query, form or JSON. Never raises: an unreadable body is as good as none."""
    if not request.body:
        return lookup_of(request.query)
    try:
        return lookup_of(read_fields(request))
    except WireInvalid:
        return lookup_of(request.query)


_ALL_NAMES = (_PHONE, _DID, _CALL_ID, ("format",))


def lookup_of(fields: Mapping[str, Any]) -> LookupRequest:
    """Return the question in these fields, under any of the names that PBXs use. Runs while a phone rings: microseconds."""
    get = fields.get
    phone = get("phone")
    if phone is not None and len(fields) == 1:
        return LookupRequest(_number(phone))
    did, call_id, format_ = get("did"), get("call_id"), get("format")
    known = (phone is not None) + (did is not None) + (call_id is not None) + (format_ is not None)
    if known < len(fields):  # something else stands there: perhaps the same thing by another name
        phone, did, call_id, format_ = (_first(fields, names) for names in _ALL_NAMES)
    return LookupRequest(
        phone=_number(phone),
        did=_number(did),
        call_id=None if call_id is None else _text_of(call_id),
        format=None if format_ is None else (_text_of(format_) or "").strip().lower() or None,
    )


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Of several names the one that we prefer and that holds something."""
    return next((text for name in names if (text := _text_of(fields.get(name))) is not None), None)


def _text_of(value: Any) -> str | None:
    """Return what a field holds, None when it holds nothing; JSON numbers count as text."""
    if type(value) is str:
        return value if value.strip() else None
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value.strip() else None


def _number(value: Any) -> str | None:
    """`+7…` put into a URL without escaping arrives as ` 7…`: a leading space before a digit was a plus."""
    if value is None:
        return None
    if type(value) is str and (value.isalnum() or (value[:1] == "+" and value[1:].isalnum())):
        return value
    raw = _text_of(value)
    if raw is None:
        return None
    if raw[0] == " " and raw.lstrip(" ")[:1].isdigit():
        return "+" + raw.strip()
    return whole_number(raw.strip()) if "." in raw else raw.strip()


def write(answer: DialectFields, connection: Connection, dialect: str) -> WrittenAnswer:
    """dialect: a key of DIALECTS; an unknown one is plain JSON."""
    return DIALECTS.get(dialect, _json)(answer, connection)


def chosen(connection: Connection, format: str | None, xml: str = "sipgate") -> str:
    """Return the dialect to answer in. format `xml` means the connection's own XML where it has one, else the kind's."""
    wanted = (format or "").strip().lower()
    if wanted == "xml":
        return connection.dialect if connection.dialect in ("sipgate", "freeswitch") else xml
    return wanted if wanted in DIALECTS else connection.dialect


NUMBER_SPELLINGS = ("e164", "digits", "8")


def address(target: Mapping[str, Any], connection: Connection) -> str:
    """Return the target's address in the spelling that the PBX expects.

    Setting `number_spelling`: e164 (+7…), digits (7…, see `in_digits`) or `8` for the national form of +7 numbers. Extensions and SIP logins stay as they are.
    """
    text = str(target.get("address") or "")
    if target.get("kind") != "phone" or not text.startswith("+"):
        return text
    spelling = connection.settings.get("number_spelling", "e164")
    if spelling == "digits":
        return text[1:]
    if spelling == "8" and text.startswith("+7") and len(text) == 12:
        return "8" + text[2:]
    return text


def in_digits(connection: Connection) -> Connection:
    """Return the connection of a PBX that wants numbers without `+` unless its settings say otherwise."""
    return replace(connection, settings={"number_spelling": "digits", **connection.settings})


def _targets(answer: DialectFields) -> list[Mapping[str, Any]]:
    return [target for target in answer.get("targets") or [] if target.get("address")]


def _first_address(answer: DialectFields, connection: Connection) -> str:
    targets = _there(answer)
    return address(targets[0], connection) if targets else ""


def _there(answer: DialectFields) -> list[Mapping[str, Any]]:
    """Return the targets for a PBX that rings one, or all at once: nobody is rung for a moment first, unless nobody else is."""
    targets = _targets(answer)
    return [target for target in targets if not target.get("is_away")] or targets


def _json(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    return _JSON, orjson.dumps(dict(answer))


def _text(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    return "text/plain; charset=utf-8", _first_address(answer, connection).encode()


def _sipgate(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    """`<Dial>` with up to five numbers, or an empty response = carry on (facts: sipgate.io README).

    answer and hangup are pushed only to the URLs named here: setting `events_url`, the full address with its token.
    """
    url = connection.settings.get("events_url")
    attributes = f" onAnswer={quoteattr(str(url))} onHangup={quoteattr(str(url))}" if url else ""
    numbers = [address(target, connection).removeprefix("+") for target in _there(answer)[:5]]
    dialled = "".join(f"<Number>{escape(number)}</Number>" for number in numbers)
    inner = f"<Dial>{dialled}</Dial>" if dialled else ""
    return "application/xml", f"{_XML_HEAD}<Response{attributes}>{inner}</Response>".encode()


def _zammad(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    """`{}` = carry on. `dial` is documented for outbound caller ids only; that PBXs route by it is not confirmed."""
    number = _first_address(answer, connection)
    return _JSON, orjson.dumps({"action": "dial", "number": number} if number else {})


def _freeswitch(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    """Return a dialplan section that bridges to the targets one after another, or "not found" so that the next binding answers.

    Setting `bridge`: the dial string of one address, `user/{address}` by default; `phone_bridge` for outside numbers.
    `context`: the dialplan context asked for. The shape of the answer is from the vendor's documentation by memory.
    """
    targets = _targets(answer)
    if not targets:
        return "text/xml", (
            f'{_XML_HEAD}<document type="freeswitch/xml"><section name="result">'
            '<result status="not found"/></section></document>'
        ).encode()
    context = quoteattr(str(connection.settings.get("context", "public")))
    return "text/xml", (
        f'{_XML_HEAD}<document type="freeswitch/xml"><section name="dialplan"><context name={context}>'
        f'<extension name="callmatrix"><condition>{"".join(_bridges(targets, connection))}'
        "</condition></extension></context></section></document>"
    ).encode()


def _bridges(targets: Sequence[Mapping[str, Any]], connection: Connection) -> list[str]:
    actions = ['<action application="set" data="hangup_after_bridge=true"/>']
    actions.append('<action application="set" data="continue_on_fail=true"/>')
    for target in targets:
        name = "phone_bridge" if target.get("kind") == "phone" else "bridge"
        default = "sofia/gateway/gw/{address}" if name == "phone_bridge" else "user/{address}"
        dialled = str(connection.settings.get(name, default)).replace(
            "{address}", address(target, connection)
        )
        ring = target.get("ring_seconds")
        data = f"[leg_timeout={int(ring)}]{dialled}" if ring else dialled
        actions.append(f'<action application="bridge" data={quoteattr(data)}/>')
    fallback = connection.settings.get("fallback")
    if fallback:
        actions.append(f'<action application="transfer" data={quoteattr(str(fallback))}/>')
    return actions


def _kamailio(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    """Return a document for the rtjson module: routes tried one after another; no routes = carry on.

    Setting `sip_uri`: the URI of one address, `sip:{address}@{domain}` by default with the setting `domain`.
    `fallback`: an address tried last.
    """
    template = str(connection.settings.get("sip_uri", "sip:{address}@{domain}"))
    domain = str(connection.settings.get("domain", "127.0.0.1"))
    routes: list[dict[str, Any]] = []
    for target in _targets(answer):
        where = address(target, connection)
        uri = where if where.startswith("sip:") else f"sip:{where}" if "@" in where else ""
        route: dict[str, Any] = {
            "uri": uri or template.replace("{address}", where).replace("{domain}", domain)
        }
        if ring := target.get("ring_seconds"):
            route["fr_inv_timer"] = int(ring) * 1000
        routes.append(route)
    return _JSON, orjson.dumps({"version": "1.0", "routing": "serial", "routes": routes})


def _ringostat(answer: DialectFields, connection: Connection) -> WrittenAnswer:
    """One key of a JSON object, named in the cabinet and in setting `answer_key`; that `destination` is the default is our choice."""
    key = str(connection.settings.get("answer_key", "destination"))
    return _JSON, orjson.dumps({key: _first_address(answer, connection)})


DIALECTS: Mapping[str, Callable[[DialectFields, Connection], WrittenAnswer]] = {
    "json": _json,
    "text": _text,
    "sipgate": _sipgate,
    "zammad": _zammad,
    "freeswitch": _freeswitch,
    "kamailio": _kamailio,
    "rtjson": _kamailio,
    "ringostat": _ringostat,
    "ringostat_text": _text,
}

_OF_KAMAILIO: Mapping[str, SettingType] = {"sip_uri": "text", "domain": "text", "fallback": "text"}
DIALECT_SETTINGS: Mapping[str, Mapping[str, SettingType]] = {
    "sipgate": {"events_url": "text"},
    "freeswitch": {"context": "text", "bridge": "text", "phone_bridge": "text", "fallback": "text"},
    "kamailio": _OF_KAMAILIO,
    "rtjson": _OF_KAMAILIO,
    "ringostat": {"answer_key": "text"},
}
"""What each of them reads of a connection, besides `number_spelling`."""
