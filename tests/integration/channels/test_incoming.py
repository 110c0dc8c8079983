"""What messengers tell becomes dialogues, one contact and one deal, whatever is told twice, late, at once or out of order."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gateway.admin.protection.forget_client import forget_client
from tests.fakes.channels.sandbox import SentIntoChat, client_message, echo_of, signed_headers, status
from tests.integration.channels.shop import RULES, ChatShop
from tests.integration.intake.office import ACCOUNT, ANNA, CLIENT, a_call


def edited(id: str, text: str, at: str) -> dict[str, object]:
    return client_message(id, text=text, at="2026-03-02T07:00:00Z", edit={"at": at})


async def test_cases_1_to_5_a_new_client_has_one_contact_and_one_deal_whatever_comes_at_once(
    shop: ChatShop,
) -> None:
    """Case 5: an album is five requests at one instant; cases 1 and 2: each of them twice; case 4: all new."""
    album = [
        client_message(
            f"m{n}",
            text=f"{n}",
            phone=CLIENT,
            name="Олег",
            sequence=n,
            at="2026-03-02T07:00:00Z",
            album_id="a",
        )
        for n in range(1, 6)
    ]
    assert set(await shop.tell(*album, how=frozenset({"duplicates", "disorder", "one by one"}))) == {200}
    await shop.told(*album)  # case 3: the answer was lost, the vendor tells it again
    assert await shop.texts() == ["1", "2", "3", "4", "5"]
    (dialogue,) = await shop.dialogues()
    assert (dialogue["number"], dialogue["name"], dialogue["place_reason"]) == (CLIENT, "Олег", "new-client")
    contact, deal = await shop.office.effects("create_contact", "create_deal")
    assert (contact["ordered"]["number"], contact["ordered"]["name"], contact["client"]) == (
        CLIENT,
        "Олег",
        CLIENT,
    )
    assert (deal["ordered"]["pipeline_id"], deal["ordered"]["stage_id"]) == ("7", "71")
    assert deal["ordered"]["name"] == "Чат «WhatsApp «Опт»»: Олег"
    assert deal["ordered"]["owner_id"] == "1"  # the senior's: nobody has answered
    assert {str(m["deal"]) for m in await shop.messages()} == {str(dialogue["deal"])}


async def test_a_call_and_a_first_message_at_once_make_one_contact_and_one_deal(shop: ChatShop) -> None:
    events = a_call(client=CLIENT)
    await asyncio.gather(shop.tell(client_message("m1", phone=CLIENT)), shop.office.tell_all(events))
    await shop.idle()
    made = [e["what"] for e in await shop.office.effects("create_contact", "create_deal", "create_lead")]
    assert sorted(made) == ["create_contact", "create_deal"]


async def test_cases_6_and_7_statuses_in_one_body_early_late_and_of_nobody(shop: ChatShop) -> None:
    sent = echo_of(SentIntoChat("s1", "", "7", "Здравствуйте"), "phone")
    await shop.told(status("s1", "read"), status("nobody", "read"), client_message("m1"), sent)
    await shop.told(status("s1", "delivered"))
    assert [m["status"] for m in await shop.messages() if m["outside_id"] == "s1"] == ["read"]
    states = await shop.rows(
        "SELECT about, state FROM channel_update WHERE about IS NOT NULL ORDER BY about, update_id"
    )
    assert [(r["about"], r["state"]) for r in states] == [
        ("nobody", "early"),
        ("s1", "applied"),
        ("s1", "applied"),
    ]


async def test_cases_9_and_10_an_echo_from_the_phone_begins_a_dialogue_and_makes_its_mapped_author_the_owner(
    shop: ChatShop,
) -> None:
    unmapped = echo_of(SentIntoChat("s1", "", "7", "Добрый день"), "phone")
    await shop.told(unmapped)
    assert await shop.office.effects() == []  # we wrote first: nothing is made before the client answers
    await shop.told(client_message("m1"))
    (dialogue,) = await shop.dialogues()
    assert (dialogue["place_reason"], dialogue["owner"]) == ("new-client", None)
    mapped = {
        **echo_of(SentIntoChat("s2", "", "7", "Слушаю"), "phone"),
        "author": {"kind": "phone", "id": "phone-anna"},
    }
    await shop.told(mapped, mapped)
    (dialogue,) = await shop.dialogues()
    assert (dialogue["owner"], dialogue["owner_how"]) == (ANNA.id, "first-answer")
    changes = await shop.office.effects("update_entity")
    assert {(c["ordered"]["target"]["kind"], c["ordered"]["owner_id"]) for c in changes} == {
        ("deal", "11"),
        ("contact", "11"),
    }


async def test_case_34_robots_greetings_and_campaigns_do_not_win_and_case_33_the_second_answer_changes_nothing(
    shop: ChatShop,
) -> None:
    await shop.told(client_message("m1"))
    for n, author in enumerate(("robot", "greeting", "template", "campaign")):
        told = echo_of(SentIntoChat(f"r{n}", "", "7", "авто"), author)
        await shop.told({**told, "author": {"kind": author, "id": "phone-anna"}})
    assert [d["owner"] for d in await shop.dialogues()] == [None]
    by = [
        {**echo_of(SentIntoChat(id, "", "7", "я"), "phone"), "author": {"kind": "phone", "id": who}}
        for id, who in (("a1", "phone-anna"), ("b1", "phone-second"))
    ]
    await asyncio.gather(*(shop.tell(one) for one in by))
    await shop.idle()
    (dialogue,) = await shop.dialogues()
    changes = await shop.office.effects("update_entity")
    users = {"anna": "11", "second": "2"}
    assert {c["ordered"]["owner_id"] for c in changes} == {users[dialogue["owner"]]}


async def test_cases_14_to_17_edits_and_deletions_in_any_order(shop: ChatShop) -> None:

    await shop.told(client_message("m1", text="раз", at="2026-03-02T07:00:00Z"))
    await shop.told(edited("m1", "три", "2026-03-02T07:03:00Z"))
    await shop.told(
        edited("m1", "два", "2026-03-02T07:02:00Z")
    )  # case 14: the older one comes later, and loses
    await shop.told(edited("m1", "три", "2026-03-02T07:04:00Z"))  # case 15: it says the same
    await shop.told(
        edited("m2", "второе, исправлено", "2026-03-02T07:05:00Z")
    )  # case 17: of one that we never got
    await shop.told({"told": "deleted", "ids": ["m1", "m3"], "chat_id": "7"})  # case 16
    await shop.told(client_message("m3", text="третье"))
    rows = {m["outside_id"]: m for m in await shop.messages()}
    assert (rows["m1"]["parts"][0]["text"], rows["m1"]["revision"]) == ("три", 1)
    assert [r["parts"][0]["text"] for r in await shop.rows("SELECT parts FROM chat_revision")] == ["раз"]
    assert rows["m2"]["parts"][0]["text"] == "второе, исправлено"
    assert {id: row["deleted_at"] is not None for id, row in rows.items()} == {
        "m1": True,
        "m2": False,
        "m3": True,
    }
    await shop.told(
        client_message("m2", text="второе", at="2026-03-02T07:00:00Z")
    )  # the first form comes after the edit
    assert (await shop.rows("SELECT parts FROM chat_revision WHERE revision = -1"))[0]["parts"][0][
        "text"
    ] == "второе"


async def test_whoever_answered_before_the_clients_late_message_came_is_responsible_for_their_deal(
    shop: ChatShop,
) -> None:
    await shop.office.know_client(CLIENT, owner="2")
    answer = {**echo_of(SentIntoChat("a1", "", "9", "Да"), "phone"), "chat": {"id": "9", "phone": CLIENT}}
    await shop.told({**answer, "author": {"kind": "phone", "id": "phone-anna"}})
    assert await shop.office.effects("update_entity") == []
    late = client_message("m1", chat="9", phone=CLIENT, at="2026-03-02T07:00:00Z")
    for one in (late, late, client_message("m2", chat="9", phone=CLIENT)):
        await shop.told(one)
    (dialogue,) = await shop.dialogues()
    assert (dialogue["owner"], dialogue["deal"]["id"]) == ("anna", "601")
    told = [e["ordered"] for e in await shop.office.effects("update_entity")]
    assert sorted((t["target"]["kind"], t["target"]["id"], t["owner_id"]) for t in told) == [
        ("contact", "501", "11"),
        ("deal", "601", "11"),
    ]


async def test_the_deal_of_a_client_who_was_written_to_first_stays_whose_it_is(shop: ChatShop) -> None:
    await shop.office.know_client(CLIENT, owner="2")
    ours = echo_of(SentIntoChat("a1", "", "9", "Добрый день"), "phone")
    await shop.told({**ours, "author": {"kind": "phone", "id": "phone-anna"}})
    written_later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    await shop.told(client_message("m1", chat="9", phone=CLIENT, at=written_later))
    (dialogue,) = await shop.dialogues()
    assert (dialogue["owner"], dialogue["deal"]["id"]) == ("anna", "601")
    assert await shop.office.effects("update_entity") == []


@pytest.mark.parametrize("order", list(itertools.permutations(["first", "first", "edit 1", "edit 2"])))
async def test_in_whatever_order_forms_come_the_message_stands_where_it_was_written(
    shop: ChatShop, order: tuple[str, ...]
) -> None:
    forms = {
        "first": client_message("m1", text="first", at="2026-03-02T07:00:00Z"),
    }
    for text, at in (("edit 1", "2026-03-02T07:02:00Z"), ("edit 2", "2026-03-02T07:04:00Z")):
        forms[text] = {
            **edited("m1", text, at),
            "at": at,
        }  # messengers that tell when it was edited, and no more
    await shop.told(client_message("m2", text="after it", at="2026-03-02T07:01:00Z"))
    for form in order:
        await shop.told(forms[form])
    rows = sorted(await shop.messages(), key=lambda m: m["at"])
    assert [m["parts"][0]["text"] for m in rows] == ["edit 2", "after it"]
    revisions = await shop.rows("SELECT parts, revision FROM chat_revision ORDER BY revision")
    former = [r["parts"][0]["text"] for r in revisions]
    assert former[0] == "first"
    assert former in (["first"], ["first", "edit 1"])


async def test_case_29_one_client_on_two_channels_has_one_deal_and_case_30_without_a_number_nobody_is_merged(
    shop: ChatShop,
) -> None:
    await shop.connect("c2", "Telegram")
    await shop.told(client_message("m1", phone=CLIENT))
    await shop.told(client_message("m1", chat="tg-9", phone=CLIENT), channel="c2")
    first, second = await shop.dialogues()
    assert first["deal"] == second["deal"]
    await shop.told(client_message("m2", chat="tg-10", text=f"мой номер {CLIENT}"), channel="c2")
    assert len(await shop.office.effects("create_deal")) == 2
    (nameless,) = (e for e in await shop.office.effects("create_contact") if e["client"].startswith("chat:"))
    assert (nameless["ordered"]["number"], nameless["ordered"]["name"]) == ("", "Клиент из «Telegram»")
    await shop.told(client_message("m3", chat="tg-10", text="ещё"), channel="c2")
    assert len(await shop.office.effects("create_deal")) == 2


async def test_case_32_a_group_makes_no_deal_and_goes_on_under_its_new_id(shop: ChatShop) -> None:
    await shop.told(
        client_message("g1", chat="-5", kind="group"), client_message("g2", chat="-5", kind="group")
    )
    await shop.told(client_message("g3", chat="-100500", kind="group", moved_from="-5"))
    (dialogue,) = await shop.dialogues()
    assert (dialogue["chat_id"], len(await shop.messages())) == ("-100500", 3)
    assert await shop.office.effects() == []


async def test_case_38_after_closing_the_rule_says_which_deal(shop: ChatShop) -> None:
    await shop.office.know_client(CLIENT)
    await shop.told(client_message("m1", phone=CLIENT))
    (dialogue,) = await shop.dialogues()
    assert (dialogue["place_reason"], dialogue["deal"]["id"]) == ("open-deal", "601")
    await shop.pool.execute(
        "UPDATE directory_entity SET is_open = false, closed_at = now() WHERE entity_id = '601'"
    )
    by_template = RULES.model_copy(
        update={"owner": "template", "template": "t", "after_closing": "last_closed"}
    )
    await shop.change(rules=by_template)
    await shop.told(client_message("m2", phone=CLIENT))
    assert [(d["place_reason"], d["deal"]["id"]) for d in await shop.dialogues()] == [
        ("last-closed-deal", "601")
    ]
    await shop.change(rules=RULES)
    await shop.told(client_message("m3", phone=CLIENT))
    assert [d["place_reason"] for d in await shop.dialogues()] == ["after-closing"]
    (made,) = await shop.office.effects("create_deal")
    assert made["ordered"]["contact"] == {"kind": "contact", "id": "501", "effect": None}
    deals = [m["deal"]["id"] for m in await shop.messages()]
    assert deals == ["601", "601", None]  # a message keeps the deal of its time


async def test_case_39_a_channel_that_is_off_or_in_trouble_is_still_listened_to(shop: ChatShop) -> None:
    await shop.told({"told": "channel", "state": "no_money", "words": "pay"})
    assert (await shop.channel()).state == "no_money"
    await shop.change(is_on=False, name="Новое имя")
    await shop.told(client_message("m1", phone=CLIENT))
    assert await shop.texts() == ["Hello"]
    assert await shop.office.effects() == []
    await shop.change(is_on=True)
    await shop.told(client_message("m2", phone=CLIENT))
    assert sorted(await shop.office.whats()) == ["create_contact", "create_deal"]


async def test_case_47_strangers_learn_nothing_and_what_cannot_be_read_is_kept(shop: ChatShop) -> None:
    await shop.connect("c3", "Signed", keys={"signing_secret": "s"})
    address = f"{shop.url}/channels/c3/hush"

    async def posted(body: bytes, url: str = address, headers: dict[str, str] | None = None) -> int:
        async with shop.session.post(url, data=body, headers=headers or signed_headers("s", body)) as answer:
            return answer.status

    assert await posted(b"{}", f"{shop.url}/channels/c3/wrong") == 404
    assert await posted(b"{}", f"{shop.url}/channels/none/hush") == 404
    assert await posted(b"{}", headers=signed_headers("other", b"{}")) == 404
    assert await posted(b"{}", headers=signed_headers("s", b"{}", 1)) == 404
    assert await posted(b"x" * 2**21) == 413
    assert await posted(b"not JSON") == 200
    bad = {**client_message("m2"), "parts": [{"kind": "smell"}]}
    await shop.tell(client_message("m1"), bad, channel="c3", secret="s")
    await shop.idle()
    dead = await shop.rows("SELECT raw, error FROM channel_update WHERE state = 'dead' ORDER BY update_id")
    assert [row["error"].split(":")[0] for row in dead] == ["sms-wire-invalid"] * 2
    assert dead[0]["raw"] == b"not JSON"
    assert await shop.texts() == ["Hello"]
    async with shop.session.get(f"{address}?challenge=abc") as answer:
        assert (answer.status, await answer.text()) == (200, "abc")


async def test_a_client_who_blocks_us_cannot_be_written_to_until_they_let_us(shop: ChatShop) -> None:
    await shop.told(client_message("m1"))
    await shop.told({"told": "chat", "chat": {"id": "7"}, "can_write": False})
    await shop.told({"told": "chat", "chat": {"id": "nobody"}, "can_write": False})
    assert [d["can_write"] for d in await shop.dialogues()] == [False]
    await shop.told({"told": "chat", "chat": {"id": "7"}, "can_write": True})
    assert [d["can_write"] for d in await shop.dialogues()] == [True]


async def test_while_the_database_is_away_nothing_is_thanked_for(shop: ChatShop, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE channel_update IN ACCESS EXCLUSIVE MODE")
        assert await shop.tell(client_message("m1")) == [503]
    await shop.told(client_message("m1"))
    assert await shop.texts() == ["Hello"]


async def test_a_client_who_is_forgotten_leaves_no_message(shop: ChatShop) -> None:
    await shop.told(client_message("m1", phone=CLIENT), client_message("m2", chat="other"))
    await shop.office.sent()
    async with shop.pool.acquire() as conn:
        await forget_client(conn, ACCOUNT, CLIENT)
    assert [d["chat_id"] for d in await shop.dialogues()] == ["other"]
    left = await shop.rows("SELECT told::text FROM channel_update")
    assert not any(CLIENT in row["told"] for row in left)


async def test_a_client_whose_number_was_told_later_is_forgotten_with_what_was_ordered_before(
    shop: ChatShop,
) -> None:
    await shop.told(client_message("m1", name="Олег"))
    await shop.told(client_message("m2", name="Олег", phone=CLIENT))
    await shop.office.sent()
    assert "Олег" in str([e["ordered"] for e in await shop.office.effects()])
    async with shop.pool.acquire() as conn:
        await forget_client(conn, ACCOUNT, CLIENT)
    assert "Олег" not in str([e["ordered"] for e in await shop.office.effects()])
    assert await shop.dialogues() == []


async def test_who_may_be_written_to_goes_by_when_it_was_and_not_by_what_came_last(shop: ChatShop) -> None:
    """A message and what became of the chat, in every order, with and without a pause between them; at one and the same second
    a client who writes and blocks us has blocked us."""
    one, two, three = ("2026-03-02T07:00:00Z", "2026-03-02T07:00:01Z", "2026-03-02T07:00:02Z")
    expected: dict[str, bool] = {}
    for n, (times, can_write) in enumerate(
        {(one, two): False, (two, two): False, (three, two): True, (one, two, three): True}.items()
    ):
        for m, order in enumerate(itertools.permutations(range(len(times)))):
            for at_once in (True, False):
                chat = f"{n}-{m}-{at_once}"
                whole = [
                    client_message(f"{chat}-1", chat=chat, at=times[0]),
                    {"told": "chat", "chat": {"id": chat}, "can_write": False, "at": times[1]},
                    *([client_message(f"{chat}-2", chat=chat, at=times[2])] if len(times) > 2 else []),
                ]
                expected[chat] = can_write
                begun = client_message(f"{chat}-0", chat=chat, at="2026-03-02T06:00:00Z")
                await shop.told(begun)  # so that there is a chat of which something can be told
                for told in [whole] if at_once else [[whole[i]] for i in order]:
                    await shop.told(*told)
    assert {d["chat_id"]: d["can_write"] for d in await shop.dialogues()} == expected


async def test_messages_of_one_moment_stand_as_they_came_whatever_their_ids_are(shop: ChatShop) -> None:
    """As from a messenger that numbers nothing and has ids without order."""
    ids = ["zz-c", "zz-a", "b-9", "zz-b", "a-1"]
    same = [client_message(id, text=f"{n}", at="2026-03-02T07:00:00Z") for n, id in enumerate(ids)]
    untimed = [client_message(f"{id}-u", chat="8", text=f"{n}") for n, id in enumerate(ids)]
    await shop.told(*same)
    await shop.told(*untimed)
    assert await shop.texts() == ["0", "1", "2", "3", "4"] * 2


async def test_why_a_dialogue_has_no_deal_is_said(shop: ChatShop) -> None:
    async def reasons() -> list[str]:
        return [d["place_reason"] for d in await shop.dialogues()]

    await shop.told(client_message("g1", chat="group", kind="group"))
    assert await reasons() == ["group-chat"]
    await shop.change(is_on=False)
    await shop.told(client_message("m1", phone=CLIENT))
    assert await reasons() == ["group-chat", "channel-off"]
    await shop.change(is_on=True)
    await shop.told(client_message("m2", phone=CLIENT))
    assert await reasons() == ["group-chat", "new-client"]
