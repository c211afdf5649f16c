"""Mails: once for each event, at most once on the wire, in the reader's language, and nothing left behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.headerregistry import Address
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import bootstrap
from app.capabilities.mailing import letters, outbox
from app.capabilities.mailing.outbox import MAIL_SECRET, Mail
from app.core.catalogue import LANGUAGES
from app.db.attention import Subject, raise_item
from app.jobs.work import WorkLoop
from sandbox.mail.catcher import Mischief
from tests.fixtures.post import SENDER, Post
from tests.fixtures.shop import NOON

PASSWORD = "initial-Passwort-83"
LOGIN = {"login_url": "https://muster.arcavis.example/login", "login_name": "max@muster.example"}
ADMIN = "max@muster.example"


async def put(post: Post, mail: Mail, **options: Any) -> int:  # noqa: ANN401 - of `outbox.put`
    async with post.shop.db.begin(post.tenant.id) as session:
        return await outbox.put(session, post.tenant.id, mail, post.shop.clock.now(), **options)


async def put_login(post: Post, event: str = "login/1") -> int:
    sealed = post.shop.resources.vault.seal(post.tenant.id, MAIL_SECRET, PASSWORD)
    mail = Mail(event, "mail-login-initial", LOGIN, secret=sealed, lasts=timedelta(days=14))
    return await put(post, mail, recipients=[ADMIN], language="de")


async def states(post: Post) -> list[tuple[str, bool]]:
    rows = await post.tenant.rows("select state, secret is null and params = '{}' as empty from mail order by id")
    return [(row.state, row.empty) for row in rows]


async def open_items(post: Post) -> list[str]:
    return [item["code"] for item in (await post.tenant.get("/attention?state=open")).json()["items"]]


async def test_the_login_is_mailed_once_and_its_password_is_nowhere_afterwards(post: Post) -> None:
    assert [await put_login(post), await put_login(post)] == [1, 0]
    await post.shop.work()
    await post.shop.work()
    (mail,) = post.catcher.mails
    assert (mail.sender, mail.recipient) == (SENDER, ADMIN)
    assert mail.message["Subject"] == "Ihr Arcavis für Feinkost Zürihorn AG ist bereit"
    for part in (mail.text, mail.part("html")):
        assert PASSWORD in part
        assert LOGIN["login_url"] in part
    assert "bei der ersten Anmeldung geändert" in mail.text
    assert await states(post) == [("sent", True)]


async def test_before_it_is_mailed_the_password_is_sealed(post: Post) -> None:
    await put_login(post)
    (row,) = await post.tenant.rows("select m::text as row, secret from mail m")
    assert PASSWORD not in row.row
    assert PASSWORD.encode() not in row.secret


async def test_an_event_that_rolls_back_mails_nothing(post: Post) -> None:
    async def undone() -> None:
        async with post.shop.db.begin(post.tenant.id) as session:
            await outbox.put(session, post.tenant.id, Mail("x", "mail-connection-lost", {"system": "bexio"}), NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await undone()
    await post.shop.work()
    assert post.catcher.mails == []


async def test_everybody_who_wants_to_be_told_is_told_once(post: Post) -> None:
    mail = Mail("lost/1", "mail-connection-lost", {"system": "bexio"})
    assert [await put(post, mail), await put(post, mail)] == [2, 0]
    await post.shop.work()
    assert sorted(one.recipient for one in post.catcher.mails) == ["info@muster.example"]
    assert await open_items(post) == ["mail-address-invalid"]


async def test_a_domain_with_umlauts_is_written_to_in_its_ascii_form(post: Post) -> None:
    await put(post, Mail("lost/2", "mail-connection-lost", {"system": "bexio"}), recipients=["buero@zürihorn.example"])
    await post.shop.work()
    assert [mail.recipient for mail in post.catcher.mails] == ["buero@xn--zrihorn-n2a.example"]


async def test_a_broken_connection_is_mailed_once_however_much_work_meets_it(post: Post) -> None:
    post.shop.world.tokens.clear()
    for _ in range(3):
        await post.tenant.accepted()
    await post.shop.work()
    await post.shop.later(3600)
    (mail,) = post.catcher.to("info@muster.example")
    assert mail.message["Subject"] == "Feinkost Zürihorn AG: la connexion à bexio ne fonctionne plus"


@pytest.mark.parametrize("mischief", [Mischief.BUSY_RECIPIENT, Mischief.BUSY_MESSAGE, Mischief.HANG_UP_EARLY])
async def test_a_mail_that_was_surely_not_taken_is_sent_again(post: Post, mischief: Mischief) -> None:
    post.catcher.mischief = [mischief]
    await put_login(post)
    await post.shop.work()
    assert post.catcher.mails == []
    await post.shop.later(301)
    assert len(post.catcher.mails) == 1
    assert await open_items(post) == []


async def test_a_mail_that_may_have_been_taken_is_sent_again_only_when_a_person_says_so(post: Post) -> None:
    post.catcher.mischief = [Mischief.HANG_UP]
    await put_login(post)
    await post.shop.work()
    await post.shop.later(7200)
    assert len(post.catcher.mails) == 1
    (item,) = (await post.tenant.get("/attention?state=open", headers={"Accept-Language": "de"})).json()["items"]
    assert item["code"] == "mail-perhaps-sent"
    assert ADMIN in item["detail"]
    await post.tenant.post(f"/attention/{item['id']}/retry")
    await post.shop.work()
    assert [PASSWORD in mail.text for mail in post.catcher.mails] == [True, True]
    assert await states(post) == [("sent", True)]


async def test_a_refused_login_mail_waits_for_a_person_and_keeps_its_password_sealed(post: Post) -> None:
    post.catcher.mischief = [Mischief.REFUSE_RECIPIENT]
    await put_login(post)
    await post.shop.work()
    assert await open_items(post) == ["mail-refused"]
    assert await states(post) == [("waiting", False)]


async def test_a_refused_notification_is_one_item_until_the_address_works(post: Post) -> None:
    to = ["info@muster.example"]
    for number in range(3):
        post.catcher.mischief = [Mischief.REFUSE_RECIPIENT]
        await put(post, Mail(f"lost/{number}", "mail-connection-lost", {"system": "bexio"}), recipients=to)
        await post.shop.work()
    assert await open_items(post) == ["mail-refused"]
    assert {state for state, _ in await states(post)} == {"refused"}
    await put(post, Mail("lost/9", "mail-connection-lost", {"system": "bexio"}), recipients=to)
    await post.shop.work()
    assert await open_items(post) == []


class Killed(BaseException):
    """The process ended here."""


@pytest.mark.parametrize(
    ("point", "arrived", "item"),
    [
        ("mail-before-intent", 1, []),
        ("mail-before-data", 0, ["mail-perhaps-sent"]),
        ("mail-after-data", 1, ["mail-perhaps-sent"]),
        ("before-settle", 1, ["mail-perhaps-sent"]),
    ],
)
async def test_a_worker_killed_at_any_point_never_mails_twice(
    post: Post, point: str, arrived: int, item: list[str]
) -> None:
    async def kill(milestone: str) -> None:
        if milestone == point:
            raise Killed

    shop = post.shop
    dying = WorkLoop(shop.db, shop.clock, bootstrap.handlers(shop.resources), kill, shop.resources.chance)
    await put_login(post)
    with pytest.raises(Killed):
        await dying.drain()
    await shop.later(60)
    assert len(post.catcher.mails) == arrived
    assert await open_items(post) == item


async def test_a_worker_that_was_frozen_before_it_sent_does_not_send(post: Post) -> None:
    async def freeze(milestone: str) -> None:
        if milestone == "mail-before-data":
            post.shop.clock.moved += 60
            await post.shop.work()

    shop = post.shop
    frozen = WorkLoop(shop.db, shop.clock, bootstrap.handlers(shop.resources), freeze, shop.resources.chance)
    await put_login(post)
    await frozen.drain()
    assert post.catcher.mails == []
    assert await open_items(post) == ["mail-perhaps-sent"]


async def test_without_a_mail_server_a_person_is_told(post: Post) -> None:
    shop = post.shop
    kinds = {
        **bootstrap.handlers(shop.resources),
        "mail": bootstrap.MailHandler(
            bootstrap.Mailer(None, shop.resources.mailer.sender), shop.resources.vault, shop.clock
        ),
    }

    async def on(milestone: str) -> None:
        pass

    await put_login(post)
    await WorkLoop(shop.db, shop.clock, kinds, on, shop.resources.chance).drain()
    assert await open_items(post) == ["mail-not-configured"]


async def test_a_mail_that_is_too_old_is_not_sent(post: Post) -> None:
    post.catcher.mischief = [Mischief.BUSY_RECIPIENT]
    await put(post, Mail("lost/1", "mail-connection-lost", {"system": "bexio"}), recipients=["info@muster.example"])
    await post.shop.work()
    await post.shop.later(4 * 86400)
    assert post.catcher.mails == []
    assert await open_items(post) == ["mail-too-late"]


async def raise_items(post: Post, code: str, times: int, params: Mapping[str, str]) -> None:
    async with post.shop.db.begin(post.tenant.id) as session:
        for _ in range(times):
            subject = Subject(post.tenant.id, "document", uuid4())
            await raise_item(session, subject, code=code, params=params, now=post.shop.clock.now())


async def start_digest(post: Post) -> None:
    answer = await post.tenant.call(
        "PATCH", "/settings", json={"notification_emails": ["info@muster.example"]}, headers={"If-Match": "*"}
    )
    assert answer.status_code == 200, answer.text


async def test_the_digest_comes_once_a_day_and_not_when_nothing_waits(post: Post) -> None:
    await start_digest(post)
    await post.shop.work()
    assert post.catcher.mails == []
    await raise_items(post, "total-differs", 3, {"bexio": "13.65", "till": "13.60", "invoice": "RE-1"})
    await raise_items(post, "bexio-forbidden", 1, {"reasons": "<script>alert(1)</script>", "status": "403"})
    morning = datetime(2026, 11, 21, 6, 1, tzinfo=NOON.tzinfo)
    await post.shop.later((morning - post.shop.clock.now()).total_seconds())
    await post.shop.later(3600)
    (mail,) = post.catcher.to("info@muster.example")
    assert mail.message["Subject"] == "Feinkost Zürihorn AG: 4 en attente de votre part"
    assert "(3x)" in mail.text
    assert "13.65" in mail.text
    assert "<script>" not in mail.part("html")
    await post.shop.later(86400)
    assert len(post.catcher.mails) == 2


def test_every_mail_can_be_written_in_every_language() -> None:
    params = {**LOGIN, "company": "Muster AG", "system": "bexio", "day": "2026-12-01", "days": "14", "count": "2"}
    items = [{"code": "total-differs", "params": {"bexio": "1", "till": "2", "invoice": "3"}, "count": 2}]
    seen: set[str] = set()
    for template in letters.TEMPLATES:
        for language in LANGUAGES:
            said = letters.letter(template, {**params, "items": items}, language, PASSWORD)
            assert "…" not in said.text
            assert f'<html lang="{language}">' in said.html
            seen.add(said.subject)
    assert len(seen) == 4 * (len(letters.TEMPLATES) - 1)


def test_a_password_that_is_gone_is_not_promised() -> None:
    said = letters.letter("mail-login-initial", {**LOGIN, "company": "Muster AG"}, "en", None)
    assert "Initial password" not in said.text


@given(company=st.text(max_size=60), system=st.text(max_size=60))
def test_no_name_can_smuggle_in_a_header_or_a_tag(company: str, system: str) -> None:
    said = letters.letter("mail-connection-lost", {"company": company, "system": system}, "en", None)
    content = letters.message(
        said,
        sender=Address(addr_spec=SENDER),
        recipient=Address(addr_spec=ADMIN),
        mail=UUID(int=7),
        now=NOON,
    )
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]
    assert names == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Language",
    ]
    assert "<script" not in said.html.lower()
    assert b"\n" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("text", ["", "nobody", "@x.ch", "a@", "a b@x.ch", "a@b@c", "a@x.ch\r\nBcc: b@x.ch", "ä@x.ch"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="mail address"):
        letters.address(text)
