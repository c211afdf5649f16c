"""A company activates Arcavis in bexio Apps: one tenant, one environment, one mail, whatever is repeated or raced."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.capabilities.provisioning.arrival import AGAIN
from app.capabilities.provisioning.choosing import REASONS
from app.capabilities.provisioning.steps import Share
from app.capabilities.provisioning.stuck import REMEDIES
from app.core.catalogue import translate
from app.core.texts import ENTRIES
from sandbox.bexio.app import create_app
from tests.fixtures.marketplace import EMAIL, OLD_SECRET, Marketplace, sign
from tests.fixtures.person import Person
from tests.fixtures.service import opened
from tests.fixtures.shop import BEXIO, Body


async def assert_one_shop(place: Marketplace) -> None:
    """One tenant, one environment, one payment type, one run of each import, one mail."""
    (tenant,) = await place.tenants()
    (environment,) = place.environments
    titles = [row["Title"] for row in environment.helpers["paymenttypes"].visible()]
    assert titles.count("Bexio Rechnung") == 1
    kinds = [row.kind for row in await place.rows("select kind from run order by kind", tenant)]
    assert kinds == ["articles.import", "contacts.import"]
    assert len(place.mails) == 1


async def test_an_activation_becomes_a_working_shop(marketplace: Marketplace) -> None:
    company = marketplace.company()
    provision = await marketplace.activated(company)
    await marketplace.work()
    await assert_one_shop(marketplace)
    found = await marketplace.shown(provision, **{"Accept-Language": "de"})
    assert (found["status"], found["progress"]) == ("done", 100)
    assert {step["state"] for step in found["steps"]} == {"done"}
    (row,) = await marketplace.rows("select t.slug, t.name, t.language, t.modules from tenant t")
    assert tuple(row) == ("muster-kaese-und-co", "Muster Käse & Co. AG", "de", ["accounting_export", "orders"])
    (connection,) = await marketplace.rows("select kind, state, company_id from bexio_connection")
    assert tuple(connection) == ("oauth", "connected", company.id)


async def test_each_choice_is_recorded_and_explained(marketplace: Marketplace) -> None:
    provision = await marketplace.activated(marketplace.company())
    await marketplace.work()
    found = await marketplace.shown(provision, **{"Accept-Language": "de"})
    step = next(step for step in found["steps"] if step["name"] == "settings")
    chosen = {choice["setting"]: (choice["value"], choice["reason"]) for choice in step["choices"]}
    assert chosen["invoice_account_no"] == ("3200", "Das Konto für Handelserlös im Kontenplan von bexio.")
    assert "invoice_payment_type_id" in chosen
    assert EMAIL not in json.dumps(found)
    (tenant,) = await marketplace.tenants()
    (row,) = await marketplace.rows("select values from tenant_settings", tenant)
    assert row[0]["notification_emails"] == [EMAIL]
    assert row[0]["invoice_payment_type_id"] == chosen["invoice_payment_type_id"][0]


async def test_the_login_is_mailed_with_a_password_that_works_and_stays_nowhere(marketplace: Marketplace) -> None:
    await marketplace.activated(marketplace.company())
    await marketplace.work()
    (made,) = marketplace.shop.arcavis.environments.values()
    (mail,) = marketplace.mails
    assert made["initial_password"] in mail.text
    (tenant,) = await marketplace.tenants()
    (row,) = await marketplace.rows("select initial_password from provision", tenant)
    assert row.initial_password is None


async def test_a_replay_is_answered_with_the_first_result(marketplace: Marketplace) -> None:
    body = marketplace.activation(marketplace.company())
    first = await marketplace.post(body)
    again = await marketplace.post(body)
    other_name = await marketplace.post(body, name="msg_2")
    assert first.status_code == again.status_code == other_name.status_code == 202
    assert first.json() == again.json() == other_name.json()
    assert first.headers["location"] == f"/provision/{first.json()['provision_id']}"
    await marketplace.work()
    later = await marketplace.post(body, name="msg_3")
    assert later.json() == first.json()
    await assert_one_shop(marketplace)


async def test_parallel_webhooks_make_one_shop(marketplace: Marketplace) -> None:
    company = marketplace.company()
    same = marketplace.activation(company)
    bodies = [same, same, same, marketplace.activation(company, "act_2"), marketplace.activation(company, "act_3")]

    async def repeated(body: Body, name: str) -> httpx.Response:
        """Sends it until it is taken in: which of them wait for another's outcome is a matter of chance."""
        answer = await marketplace.post(body, name=name)
        return answer if answer.status_code != 503 else await repeated(body, name)

    answers = await asyncio.gather(*(repeated(body, f"msg_{n}") for n, body in enumerate(bodies)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["provision_id"] for answer in answers[:3]}) == 1
    await marketplace.work()
    await assert_one_shop(marketplace)
    for answer in answers:
        assert (await marketplace.shown(answer.json()["provision_id"]))["status"] == "done"


async def test_two_companies_of_one_name_get_two_shops(marketplace: Marketplace) -> None:
    for number in (1, 2):
        await marketplace.activated(marketplace.company(f"company-{number}"), f"act_{number}")
    await marketplace.work()
    slugs = [row.slug for row in await marketplace.rows("select slug from tenant order by slug")]
    assert slugs == ["muster-kaese-und-co", "muster-kaese-und-co-2"]
    assert len(marketplace.environments) == 2
    assert len(marketplace.mails) == 2


async def test_a_company_of_an_existing_tenant_is_refused_with_the_remedy(marketplace: Marketplace) -> None:
    shop = marketplace.shop
    tenant = await shop.tenant("existing")
    body = marketplace.activation(tenant.company)
    answer = await marketplace.post(body)
    assert (answer.status_code, answer.json()["code"]) == (409, "provision-company-connected")
    assert "bexio" in answer.json()["remedy"]
    again = await marketplace.post(body)
    assert (again.status_code, again.json()["code"]) == (409, "provision-company-connected")
    await marketplace.work()
    assert marketplace.environments == []
    assert marketplace.mails == []
    assert await marketplace.tenants() == [tenant.id]
    (row,) = await marketplace.rows("select id, state, wanted from activation")
    assert (row.state, row.wanted) == ("refused", None)
    found = await marketplace.shown(str(row.id))
    assert (found["status"], found["reason"]["code"]) == ("refused", "provision-company-connected")


async def test_a_company_that_a_personal_token_connected_is_recognised_by_its_books(marketplace: Marketplace) -> None:
    tenant = await opened(marketplace.shop, "existing")
    connected = await tenant.call("PUT", "/connection/bexio", json={"personal_access_token": tenant.token})
    assert connected.status_code == 200, connected.text
    answer = await marketplace.post(marketplace.activation(tenant.company))
    assert (answer.status_code, answer.json()["code"]) == (409, "provision-company-connected")


async def test_another_company_than_the_activations_is_refused(marketplace: Marketplace) -> None:
    body = marketplace.activation(marketplace.company())
    body["company"] = {"id": "somebody-else", "name": "Andere GmbH"}
    answer = await marketplace.post(body)
    assert (answer.status_code, answer.json()["code"]) == (409, "provision-company-differs")
    assert await marketplace.tenants() == []


async def test_deactivated_and_activated_again_it_gets_its_old_tenant_back(marketplace: Marketplace) -> None:
    company = marketplace.company()
    first = await marketplace.activated(company)
    await marketplace.work()
    marketplace.shop.world.realm.latest(company.id).is_ended = True
    for ended in marketplace.shop.world.realm.of_company(company.id):
        for token in ended.access_tokens:
            marketplace.shop.world.revoke_token(token)
    (tenant,) = await marketplace.tenants()
    async with marketplace.shop.db.begin(tenant) as session:
        await session.execute(text("update bexio_connection set state = 'reconnect_required'"))
    second = await marketplace.activated(company, "act_again")
    await marketplace.work()
    await assert_one_shop(marketplace)
    assert first != second
    assert (await marketplace.shown(second))["status"] == "done"
    (row,) = await marketplace.rows("select state from bexio_connection")
    assert row.state == "connected"


async def test_a_code_that_is_spent_asks_to_activate_again_and_leaves_nothing(marketplace: Marketplace) -> None:
    company = marketplace.company()
    body = marketplace.activation(company)
    marketplace.shop.world.realm.codes.clear()
    for _ in range(2):
        answer = await marketplace.post(body)
        assert (answer.status_code, answer.json()["code"]) == (422, "provision-authorization-lost")
    assert await marketplace.tenants() == []
    (row,) = await marketplace.rows("select id from activation")
    assert (await marketplace.shown(str(row.id)))["status"] == "failed"
    fresh = marketplace.activation(company)
    assert (await marketplace.post(fresh, name="msg_2")).status_code == 202
    await marketplace.work()
    await assert_one_shop(marketplace)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"activation_id": ""}, "/activation_id"),
        ({"activation_id": None}, "/activation_id"),
        ({"admin": {"email": "nobody", "first_name": "", "last_name": "", "language": "de"}}, "/admin/email"),
        ({"admin": {"email": EMAIL, "language": "rm"}}, "/admin/language"),
        ({"company": {"id": "x", "name": " "}}, "/company/name"),
        ({"more": 1}, "/more"),
        (
            {"authorization": {"code": "c", "redirect_uri": "https://x.ch", "code_verifier": "short"}},
            "/authorization/code_verifier",
        ),
    ],
)
async def test_a_signed_body_that_is_not_understood_says_where(
    marketplace: Marketplace, change: Body, pointer: str
) -> None:
    answer = await marketplace.post({**marketplace.activation(marketplace.company()), **change})
    assert answer.status_code == 422, answer.text
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]
    assert await marketplace.rows("select 1 from activation") == []


async def test_nothing_unsigned_is_looked_at(marketplace: Marketplace) -> None:
    shop = marketplace.shop
    body = json.dumps(marketplace.activation(marketplace.company())).encode()
    right = sign(body, shop.clock.now().timestamp())
    old = sign(body, (shop.clock.now() - timedelta(minutes=6)).timestamp())
    for headers, content in (
        ({}, body),
        ({**right, "webhook-signature": "v1,AAAA"}, body),
        (right, body + b" "),
        (old, body),
    ):
        answer = await shop.client.post("/provision", content=content, headers=headers)
        assert answer.status_code == 401, answer.text
        assert answer.json()["code"].startswith("webhook-")
    assert await marketplace.rows("select 1 from activation") == []
    taken = await marketplace.post(body, secret=OLD_SECRET)
    assert taken.status_code == 202


def step_of(found: Body, name: str) -> Body:
    return next(step for step in found["steps"] if step["name"] == name)


async def test_an_import_that_may_not_read_articles_says_so_and_goes_on_by_the_button(
    marketplace: Marketplace,
) -> None:
    marketplace.imports = None
    company = marketplace.company()
    company.rights[company.users[1]["id"]] = {"article": "none"}
    provision = await marketplace.activated(company)
    await marketplace.work()
    found = await marketplace.shown(provision, **{"Accept-Language": "de"})
    assert (found["status"], found["reason"]["code"]) == ("waiting", "bexio-forbidden")
    assert "«Erneut versuchen»" in found["reason"]["remedy"]
    assert "bexio Apps" in found["reason"]["remedy"]
    assert "…" not in found["reason"]["detail"]
    assert (step_of(found, "contacts")["state"], step_of(found, "articles")["state"]) == ("done", "waiting")
    company.rights.clear()
    again = await marketplace.shop.client.post(f"/provision/{provision}/retry")
    assert again.status_code == 303
    begun = await marketplace.shown(provision)
    assert (begun["status"], begun["reason"], step_of(begun, "articles")["state"]) == ("running", None, "running")
    await marketplace.work(60)
    assert (await marketplace.shown(provision))["status"] == "done"
    (tenant,) = await marketplace.tenants()
    assert await marketplace.rows("select code from attention where state = 'open'", tenant) == []


async def test_access_that_was_withdrawn_during_the_import_is_given_anew_in_bexio_apps(
    marketplace: Marketplace,
) -> None:
    marketplace.imports = None
    company = marketplace.company()
    provision = await marketplace.activated(company)

    async def withdraw(milestone: str) -> None:
        if milestone == "provision-imports-started":
            for ended in marketplace.shop.world.realm.of_company(company.id):
                ended.is_ended = True
                for token in ended.access_tokens:
                    marketplace.shop.world.revoke_token(token)

    await marketplace.loop(withdraw).drain()
    found = await marketplace.shown(provision, **{"Accept-Language": "fr"})
    assert found["status"] == "waiting", found
    assert found["reason"]["code"] in {"bexio-unauthorized", "bexio-reconnect-required"}
    assert "bexio Apps" in found["reason"]["remedy"]
    assert "…" not in found["reason"]["detail"]
    assert {step_of(found, name)["state"] for name in ("contacts", "articles")} == {"waiting"}
    await marketplace.activated(company, "act_again")
    await marketplace.work()
    assert (await marketplace.shown(provision))["status"] == "done"


async def test_every_setting_that_is_filled_in_has_its_reason(marketplace: Marketplace) -> None:
    provision = await marketplace.activated(marketplace.company())
    await marketplace.work()
    (tenant,) = await marketplace.tenants()
    (row,) = await marketplace.rows("select values from tenant_settings", tenant)
    step = step_of(await marketplace.shown(provision), "settings")
    assert {choice["setting"] for choice in step["choices"]} == set(row[0]) - {"notification_emails"}
    assert "rounding_account_no" in row[0]
    for reason in REASONS.values():
        for language in ("de", "fr", "it"):
            assert translate(reason, language) != reason


async def test_an_import_that_does_not_know_its_total_shows_how_many_it_read(marketplace: Marketplace) -> None:
    provision = await marketplace.activated(marketplace.company())
    await marketplace.loop().drain()
    (tenant,) = await marketplace.tenants()
    seen: list[int] = []
    for read in (100, 1234, 5000, 100_000):
        async with marketplace.shop.db.begin(tenant) as session:
            await session.execute(
                text(
                    "update run set total = null, counts = jsonb_build_object('read', cast(:read as int))"
                    " where kind = 'articles.import' and state = 'running'"
                ),
                {"read": read},
            )
        found = await marketplace.shown(provision)
        step = step_of(found, "articles")
        assert (step["state"], step["counts"]["done"], step["total"]) == ("running", read, None)
        seen.append(found["progress"])
        page = await marketplace.shop.client.get(f"/provision/{provision}", headers={"Accept": "text/html"})
        assert f"in progress ({read})" in page.text
    assert seen == sorted(set(seen))
    assert seen[-1] < 100
    await marketplace.work()
    assert (await marketplace.shown(provision))["progress"] == 100


@given(done=st.integers(0, 10**9), more=st.integers(0, 10**9))
def test_the_share_of_an_unknown_total_rises_and_stays_below_the_whole(done: int, more: int) -> None:
    assert 0 <= Share(done, None).fraction <= Share(done + more, None).fraction < 1


@pytest.mark.parametrize(
    ("language", "remedy"),
    [
        ("de-CH", "erlauben Sie dort alles"),
        ("fr-CH", "autorisez-y tout"),
        ("it-CH", "consentite tutto"),
        ("en-GB", "allow everything there"),
    ],
)
async def test_whoever_comes_from_bexio_apps_and_fails_to_sign_in_begins_again_there(
    marketplace: Marketplace, language: str, remedy: str
) -> None:
    shop = marketplace.shop
    company = marketplace.company()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(shop.world)), base_url=BEXIO) as bexio:
        person = Person(bexio, shop.client, language)
        at_bexio = (await person.open("/provision/start")).headers["location"]
        back = await person.decide(at_bexio, f"{company.id}/1", "deny")
        denied, used = await person.open(back), await person.open(back)
    assert (denied.status_code, used.status_code) == (403, 409)
    assert remedy in denied.text
    for page in (denied, used):
        assert 'href="/provision/start"' in page.text
        assert not any(words in page.text for words in ("bexio verbinden", "Connecter bexio", "Collegare bexio"))


def test_every_other_remedy_belongs_to_a_code_and_is_translated() -> None:
    for remedies in (AGAIN.remedies, REMEDIES):
        assert set(remedies) <= set(ENTRIES)
        for remedy in remedies.values():
            for language in ("de", "fr", "it"):
                assert translate(remedy, language) != remedy
