"""`sms messages`, `incoming`, `preview`, `test`: what goes out, how it would read, and one that is sent to try."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gateway.admin.refused import InputRefused
from gateway.admin.sms import sending
from gateway.admin.sms.connections import sms_connection_of
from gateway.admin.sms.words import receivers_in_words, why_in_words
from gateway.admin.triggers.saved import the_trigger
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import language_of, local, on_account, print_json, print_table, refusals, with_zone
from gateway.sms.preview import TextPreview
from gateway.store.sms.incoming import IncomingRow
from gateway.store.sms.listing import SmsFilter, listed_incoming, listed_sms
from gateway.store.sms.messages import SmsMessageRow, message_of
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from routing.triggers.model import SendSms
from runtime.database.pool import Conn
from sms.model import SmsState

_WAITED_SECONDS = 30.0


def extend(app: typer.Typer) -> None:
    commands = (("messages", messages), ("incoming", incoming), ("preview", preview), ("test", try_it))
    for name, command in commands:
        app.command(name)(command)


def messages(
    account: AccountName = None,
    deal: Annotated[str | None, typer.Option(help="only of this deal")] = None,
    state: Annotated[SmsState | None, typer.Option(help="only in this state")] = None,
    connection: Annotated[str | None, typer.Option(help="only through this provider")] = None,
    limit: Limit = 100,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List messages, newest first, by the account's clocks.

    Example: callmatrix sms messages --account sales --state unknown
    """
    wanted = SmsFilter(deal_id=deal, state=state, connection=connection)

    async def work(conn: Conn, account_id: str) -> tuple[list[SmsMessageRow], Language]:
        found = await listed_sms(conn, account_id, wanted, limit=limit)
        if not found and connection is not None:
            await sms_connection_of(conn, account_id, connection)
        return found, await language_of(conn, account_id, lang)

    with refusals("nothing is shown"):
        (found, language), zone = on_account(account, with_zone(work))
    texts = TEXTS[language]
    if json:
        print_json([{**_as_json(row), "message": why_in_words(row, texts)} for row in found])
        return
    print_table(
        ["written", "number", "deal", "through", "parts", "price", "what became of it", "text"],
        [
            (local(row.created_at, zone), row.number, row.deal_id, row.connection, row.parts, row.price,
             why_in_words(row, texts), row.text)
            for row in found
        ],
        "No message was to go out.",
    )  # fmt: skip


def incoming(account: AccountName = None, limit: Limit = 100, json: Json = False) -> None:
    """List what clients wrote, newest first, by the account's clocks.

    Example: callmatrix sms incoming --account sales
    """

    async def work(conn: Conn, account_id: str) -> list[IncomingRow]:
        return await listed_incoming(conn, account_id, after=None, limit=limit)

    found, zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    print_table(
        ["came", "number", "to", "no more", "text"],
        [
            (local(row.received_at, zone), row.number, row.sent_to, "yes" if row.is_opt_out else "", row.text)
            for row in found
        ],
        "No client wrote.",
    )


def preview(
    trigger: Annotated[str, typer.Argument(help="see 'callmatrix trigger list'")],
    deal: Annotated[str, typer.Argument(help="the deal's id in the CRM")],
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show how a trigger's text would read for a deal, in how many parts, and who would get it. Nothing is sent.

    Example: callmatrix sms preview "order ready" 12345 --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[TextPreview, Language]:
        action = (await the_trigger(conn, account_id, trigger)).trigger.action
        if not isinstance(action, SendSms):
            raise InputRefused("trigger", f"'{trigger}' sends no SMS", "name one that does")
        found = await sending.preview_text(conn, account_id, deal, action)
        return found, await language_of(conn, account_id, lang)

    with refusals("nothing is shown"):
        found, language = on_account(account, work)
    texts, segments = TEXTS[language], found.segments
    who = receivers_in_words(found, texts)
    if json:
        told = {"text": segments.text, "encoding": segments.encoding, "parts": len(segments.parts)}
        refusal = found.refusal.reason if found.refusal else None
        told |= {"is_known": found.is_known}
        print_json({**told, "odd": segments.odd, "empty": found.empty, "refusal": refusal, "recipients": who})
        return
    if not found.is_known:
        print(f"Deal {deal} is not known here: so the text reads for a deal of which nothing is known.\n")
    print(
        f"{segments.text}\n\n{segments.encoding}, parts: {len(segments.parts)}, room left: {segments.room_left}"
    )
    if segments.odd:
        print(f"UCS-2 because of '{segments.odd.character}' at {segments.odd.offset + 1}")
    if found.refusal:
        print(f"It would not be sent: {texts.word('sms.reason', found.refusal.reason)}")
    if found.empty:
        print(f"Without a value, as far as is known here: {', '.join(found.empty)}")
    print("\n".join(f"  {one.name}: {one.number or one.message}" for one in who))


def try_it(
    name: Annotated[str, typer.Argument(help="see 'callmatrix sms list'")],
    number: Annotated[str, typer.Argument(help="to whom, in any spelling")],
    text: Annotated[str, typer.Argument(help="what it says, as it is")] = "Callmatrix: test",
    account: AccountName = None,
    sender: Annotated[str | None, typer.Option(help="name that the recipient sees")] = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Send one message to try a provider, and wait for what becomes of it; a worker must run.

    Example: callmatrix sms test texts +79161234567 "Does it work?"
    """
    with refusals("nothing is sent"):
        sent = on_account(
            account, lambda conn, id: sending.send_test(conn, id, name, number, text, sender or None)
        )
    sent = _waited_for(account, sent)
    language = on_account(account, lambda conn, id: language_of(conn, id, lang))
    if json:
        print_json(_as_json(sent))
    else:
        said = " ".join(filter(None, (why_in_words(sent, TEXTS[language]), sent.words)))
        print(said if sent.price is None else f"{said}, price: {sent.price:f}")


def _waited_for(account: str | None, sent: SmsMessageRow) -> SmsMessageRow:
    """Return the message as it is once somebody answered, or nobody did for long."""

    async def again(conn: Conn, account_id: str) -> SmsMessageRow:
        return await message_of(conn, account_id, sent.own_id) or sent

    ends, found = time.monotonic() + _WAITED_SECONDS, sent
    while found.state in ("queued", "sending") and not found.reason and time.monotonic() < ends:
        time.sleep(1)
        found = on_account(account, again)
    return found


def _as_json(row: SmsMessageRow) -> dict[str, object]:
    return {
        "id": row.own_id,
        "item": row.item_id,
        "connection": row.connection,
        "employee": row.employee_id,
        "number": row.number,
        "deal": row.deal_id,
        "text": row.text,
        "encoding": row.encoding,
        "parts": row.parts,
        "state": row.state,
        "reason": row.reason,
        "words": row.words,
        "price": row.price,
        "created_at": row.created_at,
        "sent_at": row.claimed_at,
        "ended_at": row.ended_at,
    }
