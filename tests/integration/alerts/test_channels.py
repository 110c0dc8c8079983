"""A message goes out by e-mail and Telegram, or it is said plainly why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from runtime.alerts.delivery import AlertMessage, AlertNotSent
from runtime.alerts.mail import MailSender, MailServer
from runtime.alerts.telegram import TelegramSender
from tests.integration.alerts.mailbox import (
    CHAT,
    PASSWORD,
    TOKEN,
    USER,
    Mailbox,
    mailbox,
    new_certificate,
    telegram_double,
)

ALARM = AlertMessage(id="a1", to="ops@example.com", subject="АТС\nмолчит", text="Что делать: позвоните.")


def server_of(box: Mailbox, **more: Any) -> MailServer:
    return MailServer(
        **{"host": "127.0.0.1", "port": box.port, "sender": "cm@example.com", "security": "none", **more}
    )


async def refusal(server: MailServer, message: AlertMessage = ALARM) -> AlertNotSent:
    with pytest.raises(AlertNotSent) as caught:
        await MailSender(server).send(message)
    assert PASSWORD not in str(caught.value)
    return caught.value


async def test_a_mail_arrives_readable_and_is_the_same_mail_when_it_is_sent_again() -> None:
    async with mailbox() as box:
        for _ in range(2):
            await MailSender(server_of(box)).send(ALARM)
    first, again = box.got
    assert (first["Subject"], first["To"], first["From"]) == (
        "АТС молчит",
        "ops@example.com",
        "cm@example.com",
    )
    assert first.get_content().strip() == "Что делать: позвоните."
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"


async def test_no_word_of_a_long_subject_grows_together_with_the_next() -> None:
    subjects = [
        f"Callmatrix, установка: {'я' * n} снова в порядке (обработчик не работает)" for n in range(1, 40)
    ]
    async with mailbox() as box:
        for subject in (*subjects, "Callmatrix: a test"):
            await MailSender(server_of(box)).send(replace(ALARM, subject=subject))
    assert box.subjects == [*subjects, "Callmatrix: a test"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_user_and_password_go_over_tls(tmp_path: Path, security: str) -> None:
    trust = new_certificate(tmp_path)
    login: dict[str, Any] = {"user": USER, "password": PASSWORD, "security": security}
    async with mailbox(trust=trust, is_tls=security == "tls", needs_login=True) as box:
        await MailSender(server_of(box, **login, ca_file=trust.file)).send(ALARM)
        assert len(box.got) == 1
        stranger = await refusal(server_of(box, **login))
        wrong = await refusal(server_of(box, **login | {"password": "wrong"}, ca_file=trust.file))
    assert (stranger.code, wrong.code) == ("alert-tls-refused", "alert-login-refused")
    assert len(box.got) == 1


async def test_a_server_without_tls_is_told_apart_from_one_that_is_away() -> None:
    async with mailbox() as box:
        plain = await refusal(server_of(box, security="starttls"))
    away = await refusal(server_of(box))
    assert (plain.code, away.code) == ("alert-tls-refused", "alert-unreachable")
    assert "refuses the connection" in str(away)


async def test_a_name_that_does_not_exist_is_said() -> None:
    err = await refusal(MailServer(host="mail.invalid", sender="cm@example.com", security="none"))
    assert err.code == "alert-host-unknown"
    assert "mail.invalid" in str(err)


async def test_no_password_goes_to_another_machine_in_plain_text() -> None:
    server = MailServer(
        host="192.0.2.1", sender="cm@example.com", security="none", user=USER, password=PASSWORD
    )
    err = await refusal(server)
    assert err.code == "alert-in-the-clear"
    assert "over TLS only" in str(err)


async def test_a_mailbox_that_does_not_exist_is_said_in_the_servers_words() -> None:
    async with mailbox() as box:
        box.refuses["ops@example.com"] = "550 no such user here"
        err = await refusal(server_of(box))
    assert (err.code, err.is_in_doubt) == ("alert-recipient-refused", False)
    assert "no such user here" in str(err)


async def test_what_breaks_after_the_message_was_handed_over_is_in_doubt() -> None:
    async with mailbox() as box:
        box.breaks = True
        err = await refusal(server_of(box))
    assert (err.code, err.is_in_doubt) == ("alert-unreachable", True)


async def test_a_server_that_takes_the_message_and_says_nothing_is_not_waited_for() -> None:
    async with mailbox() as box:
        box.hangs = True
        err = await refusal(server_of(box, patience_seconds=0.3))
    assert err.is_in_doubt


async def telegram_refusal(url: str, *, token: str = TOKEN, to: str = CHAT) -> AlertNotSent:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(AlertNotSent) as caught:
            await TelegramSender(session, token, url).send(AlertMessage(id="a", to=to, subject="s", text="t"))
    assert token not in f"{caught.value}{caught.value.__cause__}"
    return caught.value


async def test_no_token_goes_to_another_machine_in_plain_text() -> None:
    err = await telegram_refusal("http://192.0.2.1:8081")
    assert err.code == "alert-in-the-clear"
    assert "192.0.2.1:8081 over TLS only" in str(err)


async def test_a_message_to_telegram_arrives_in_the_chat() -> None:
    async with telegram_double() as double, aiohttp.ClientSession() as session:
        sender = TelegramSender(session, TOKEN, double.url)
        await sender.send(AlertMessage(id="a", to=CHAT, subject="АТС молчит", text="x" * 5000))
    assert double.texts[0].startswith("АТС молчит\n\nxxx")
    assert len(double.texts[0]) == 4096


async def test_what_telegram_refuses_is_told_apart() -> None:
    async with telegram_double() as double:
        token = await telegram_refusal(double.url, token="1:wrong")
        odd = await telegram_refusal(double.url, token="a b/c")
        chat = await telegram_refusal(double.url, to="77")
        double.throttles = 1
        often = await telegram_refusal(double.url)
    away = await telegram_refusal(double.url)
    codes = [err.code for err in (token, odd, chat, often, away)]
    assert codes == [
        "alert-login-refused",
        "alert-login-refused",
        "alert-recipient-refused",
        "alert-throttled",
        "alert-unreachable",
    ]
    assert "chat not found" in str(chat)
    assert often.retry_after == 7
    assert not away.is_in_doubt
