"""The wire of amoCRM's chats: signatures, bytes, answers, hooks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from crm.amocrm.chats import wire
from crm.amocrm.chats.errors import (
    CrmChatError,
    CrmChatForbidden,
    CrmChatHookInvalid,
    CrmChatNotThere,
    CrmChatRefused,
    CrmChatSilent,
    CrmChatThrottled,
)
from crm.amocrm.chats.hooks import read_hook
from crm.amocrm.chats.model import ChatPerson, CrmChatMessage
from crm.amocrm.chats.signing import is_genuine, signed_headers
from crm.amocrm.chats.wire import ChatReply

# Published with the examples of amoCRM's documentation ("Пример по шагам").
SECRET = "f2d7f8704eff95087ed45b23ba99c0b5aac8278e"
CHANNEL = "344a5002-f8ca-454d-af3d-396180102ac7"
ACCOUNT = "52e591f7-c98f-4255-8495-827210138c81"
SCOPE = f"{CHANNEL}_{ACCOUNT}"
AT = datetime(2026, 11, 28, 9, 30, 0, 250_000, tzinfo=UTC)
CLIENT = ChatPerson(id="c-1", name="Вася/клиент", phone="+79151112233")


def a_message(**fields: Any) -> CrmChatMessage:
    return CrmChatMessage(
        **{"id": "m-1", "chat": "d-1", "at": AT, "text": "Здравствуйте", "client": CLIENT, **fields}
    )


def test_the_documentations_connect_is_signed_as_it_prints() -> None:
    request = wire.connect(CHANNEL, ACCOUNT, "ChatsIntegration")
    at = datetime(2021, 12, 15, 23, 12, 55, tzinfo=UTC)
    headers = signed_headers(SECRET, request.method, request.path, request.body, at)
    assert headers == {
        "Date": "Wed, 15 Dec 2021 23:12:55 +0000",
        "Content-Type": "application/json",
        "Content-MD5": "2fbcb3c652b61e24e004daddfc73d0ce",
        "X-Signature": "81211856ce0c5095f3e1a90c0a38dc9d736cfd55",
    }


def test_the_documentations_message_comes_out_only_as_php_writes_json() -> None:
    """Its sum is of escaped slashes and Cyrillic; we sign the bytes that we send, which are shorter and as good."""
    profile = {"phone": "+79151112233", "email": "example.client@example.com"}
    avatar = "https://images.pexels.com/photos/10050979/pexels-photo-10050979.jpeg?auto=compress&cs=tinysrgb&dpr=2&w=500"
    sender = {
        "id": "my_int-1376265f-86df-4c49-a0c3-a4816df41af8",
        "avatar": avatar,
        "profile": profile,
        "profile_link": "https://example.com/profile/example.client",
        "name": "Вася клиент",
    }
    payload = {
        "timestamp": 1639660529,
        "msec_timestamp": 1639660529379,
        "msgid": "my_int-5f2836a8ca481",
        "conversation_id": "my_int-d5a421f7f218",
        "sender": sender,
        "message": {"type": "text", "text": "Сообщение от клиента"},
        "silent": False,
    }
    ours = orjson.dumps({"event_type": "new_message", "payload": payload})
    escaped = (
        "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in ours.decode()).replace("/", "\\/").encode()
    )
    told = "223ef85def871bc7cb58aa6f02f0a26e"
    assert (_md5(escaped), _md5(ours) == told) == (told, False)
    at = datetime(2021, 12, 16, 13, 15, 29, tzinfo=UTC)
    path = f"/v2/origin/custom/{SCOPE}"
    assert (
        signed_headers(SECRET, "POST", path, escaped, at)["X-Signature"]
        == "29b49e9eaf03f13a66ecaff315f2855b31b25eee"
    )


def _md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


def test_what_has_no_body_is_signed_with_the_sum_of_nothing_and_without_the_query() -> None:
    request = wire.history(SCOPE, "chat", 50)
    assert (request.query, request.body) == ("offset=50&limit=50", b"")
    assert request.path == f"/v2/origin/custom/{SCOPE}/chats/chat/history"
    headers = signed_headers(SECRET, request.method, request.path, request.body, AT)
    assert headers["Content-MD5"] == "d41d8cd98f00b204e9800998ecf8427e"


def test_bodies_are_compact_utf8() -> None:
    """Golden: a changed byte changes what is signed."""
    request = wire.new_message(SCOPE, a_message())
    assert request.body.decode() == (
        '{"event_type":"new_message","payload":{"timestamp":1795858200,"msec_timestamp":1795858200250,"msgid":"m-1",'
        '"conversation_id":"d-1","sender":{"id":"c-1","name":"Вася/клиент","profile":{"phone":"+79151112233"}},'
        '"message":{"type":"text","text":"Здравствуйте"},"silent":false}}'
    )
    assert _md5(request.body) == "0ce3bf14632674859a34c81152b19463"


def test_an_employees_message_names_both() -> None:
    author = ChatPerson(id="e-anna", name="Анна", ref_id="76fc2bea")
    payload = orjson.loads(
        wire.new_message(SCOPE, a_message(author=author, is_silent=True, chat_ref="8e4d")).body
    )["payload"]
    assert payload["sender"] == {"id": "e-anna", "name": "Анна", "ref_id": "76fc2bea"}
    assert (payload["receiver"]["id"], payload["silent"]) == ("c-1", True)
    assert payload["conversation_ref_id"] == "8e4d"


def test_an_edit_says_only_what_may_change() -> None:
    told = orjson.loads(wire.edit_message(SCOPE, a_message(text="Иначе")).body)
    assert told["event_type"] == "edit_message"
    assert sorted(told["payload"]) == ["conversation_id", "message", "msec_timestamp", "msgid", "timestamp"]


def test_a_delivery_status_goes_out_under_both_names_of_the_documentation() -> None:
    request = wire.delivery_status(SCOPE, "079e44fb", "refused", "Заблокирован")
    assert request.path.endswith("/079e44fb/delivery_status")
    assert orjson.loads(request.body) == {
        "msgid": "079e44fb",
        "status_code": -1,
        "delivery_status": -1,
        "error_code": 905,
        "error": "Заблокирован",
    }
    read = orjson.loads(wire.delivery_status(SCOPE, "m", "read").body)
    assert read == {"msgid": "m", "status_code": 2, "delivery_status": 2}


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert wire.history("a/b", "../x", 0).path == "/v2/origin/custom/a%2Fb/chats/..%2Fx/history"


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://firma.amocrm.ru", "https://amojo.amocrm.ru"),
        ("https://firma.amocrm.com/", "https://amojo.amocrm.com"),
        ("https://firma.kommo.com", "https://amojo.kommo.com"),
        ("http://127.0.0.1:8085/x", "http://127.0.0.1:8085"),
        ("https://amocrm.ru.evil.example", "https://amocrm.ru.evil.example"),
    ],
)
def test_the_chats_live_at_the_vendor_whose_the_account_is(base_url: str, address: str) -> None:
    assert wire.chats_address(base_url) == address


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, CrmChatRefused),
        (403, CrmChatForbidden),
        (404, CrmChatNotThere),
        (422, CrmChatRefused),
        (429, CrmChatThrottled),
        (302, CrmChatSilent),
        (500, CrmChatSilent),
        (504, CrmChatSilent),
    ],
)
def test_each_refusal_has_its_error(status: int, error: type[CrmChatError]) -> None:
    with pytest.raises(error):
        wire.judged(wire.history(SCOPE, "chat", 0), ChatReply(status=status, body=b"<html>"))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b"{}", b'{"new_message":[]}', b'{"new_message":{"msgid":5}}']
)
def test_an_answer_that_tells_no_id_is_none(body: bytes) -> None:
    """So the message is asked for again: refused, it stands there."""
    with pytest.raises(CrmChatSilent):
        wire.message_id_of(ChatReply(status=200, body=body))


def test_a_history_is_read_whatever_is_left_out_of_it() -> None:
    messages = [
        {"message": {"id": "a", "client_id": "m-1", "text": "Да"}},
        {"message": {"id": "b"}},
        {"sender": {}},
        7,
    ]
    found = wire.history_of(ChatReply(status=200, body=orjson.dumps({"messages": messages})))
    assert [(one.id, one.own_id) for one in found] == [("a", "m-1"), ("b", "")]
    assert wire.history_of(ChatReply(status=204)) == []


def a_hook(**changes: Any) -> dict[str, Any]:
    message = {"id": "0371a0ff", "type": "text", "text": "Добрый день"}
    told = {
        "receiver": {"id": "2ed64e26", "phone": "79161234567", "email": "", "client_id": "c-1"},
        "sender": {"id": "76fc2bea"},
        "conversation": {"id": "8e4d4baa", "client_id": "d-1"},
        "timestamp": 1639572260,
        "msec_timestamp": 1639572260980,
        "message": message,
    }
    return {"account_id": ACCOUNT, "time": 1639572261, "message": {**told, **changes}}


def test_a_hook_tells_who_wrote_what_in_which_chat() -> None:
    hook = read_hook(orjson.dumps(a_hook()))
    assert hook is not None
    assert (hook.id, hook.chat, hook.chat_ref, hook.sender) == ("0371a0ff", "d-1", "8e4d4baa", "76fc2bea")
    assert (hook.text, hook.kind, hook.album) == ("Добрый день", "text", "")
    assert hook.at == datetime(2021, 12, 15, 12, 44, 20, 980_000, tzinfo=UTC)


def test_a_hook_of_a_chat_that_was_begun_in_the_card_tells_no_chat_of_ours() -> None:
    hook = read_hook(orjson.dumps(a_hook(conversation={"id": "8e4d4baa"})))
    assert hook is not None
    assert (hook.chat, hook.phone) == ("", "79161234567")


def test_pictures_sent_as_one_keep_together() -> None:
    message = {"id": "x", "type": "picture", "media": "https://f.example/1", "media_group_id": "g"}
    hook = read_hook(orjson.dumps(a_hook(message=message)))
    assert hook is not None
    assert (hook.album, hook.media, hook.text) == ("g", "https://f.example/1", "")


def test_typing_and_reactions_are_nothing_to_us() -> None:
    assert read_hook(orjson.dumps({"account_id": ACCOUNT, "action": {"typing": {}}})) is None


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"message":"text"}', "message"),
        (orjson.dumps(a_hook(sender={})), "id"),
        (orjson.dumps(a_hook(message={"id": 7})), "id"),
        (orjson.dumps(a_hook(conversation=None)), "conversation"),
        (orjson.dumps(a_hook(conversation={"id": "x", "client_id": 5})), "client_id"),
    ],
)
def test_what_is_no_hook_is_refused_by_its_field(told: bytes, field: str) -> None:
    with pytest.raises(CrmChatHookInvalid) as refused:
        read_hook(told)
    assert refused.value.field == field


def test_a_hook_is_known_by_its_signature() -> None:
    body = orjson.dumps(a_hook())
    signature = "4d4266aab91d22c404eab4bac16e93b42b08eee7"  # as openssl tells it
    assert is_genuine(SECRET, body, signature)
    assert is_genuine(SECRET, body, signature.upper())
    assert not is_genuine(SECRET, body + b" ", signature)
    assert not is_genuine("another", body, signature)
    assert not is_genuine(SECRET, body, "")
    assert not is_genuine(SECRET, body, "\udcff")
