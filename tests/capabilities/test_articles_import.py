"""Articles from bexio in Arcavis: made and changed, what is wrong with single ones, runs, and what is left alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.arcavis.articles import upsert
from sandbox.bexio import articles
from sandbox.bexio.faults import Mode
from sandbox.goods import PROBLEMS, fill_articles, goods
from tests.capabilities.articles_shop import (
    SAVED,
    STOCKED,
    add,
    article_shop,
    begin,
    counts,
    doubled,
    environment,
    every,
    imported,
    in_till,
    notes,
    only,
    problems,
    shown,
    writes,
)
from tests.fixtures.shop import Shop, Tenant, line_of


@pytest.fixture
async def tenant(shop: Shop) -> Tenant:
    return await article_shop(shop)


async def test_the_first_import_makes_every_article_with_price_tax_unit_and_group(tenant: Tenant) -> None:
    run = await imported(tenant)
    assert counts(run) == {"read": 42, "created": 42, "stock": writes(tenant)[STOCKED]}
    assert (run["kind"], run["total"], writes(tenant)[SAVED]) == ("articles.import", 42, 42)
    made = in_till(tenant, "100102")
    assert (made["Title"], made["Price"], made["TaxRate"]) == (
        "Appenzeller extra, offen",
        Decimal("28.5"),
        Decimal("0.026"),
    )
    assert (made["UnitId"], made["MainGroupTitle"], made["IsWebApi"]) == (2, "Import bexio", True)


async def test_a_second_import_writes_nothing_and_says_that_stock_was_left_alone(tenant: Tenant) -> None:
    first = await imported(tenant)
    tenant.shop.arcavis.requests.clear()
    tenant.company.requests.clear()
    run = await imported(tenant)
    assert counts(run) == {"read": 42, "unchanged": 42}
    assert writes(tenant) == {}
    assert tenant.company.requests.writes == 0
    assert run["detail"]["stock"] == {"taken": 0, "kept": 0, "left_alone": first["counts"]["stock"]}
    (note,) = [one for one in run["detail"]["notes"] if one["code"] == "stock-left-alone"]
    assert str(first["counts"]["stock"]) in note["detail"]
    assert note["remedy"]


async def test_what_changed_in_bexio_is_written_and_nothing_else(tenant: Tenant) -> None:
    await imported(tenant)
    tenant.shop.arcavis.requests.clear()
    articles.edit(tenant.company, 3, {"sale_price": "19.90", "stock_nr": 999, "remarks": "intern"})
    articles.edit(tenant.company, 4, {"remarks": "intern", "stock_nr": 1})
    run = await imported(tenant)
    assert counts(run) == {"read": 42, "updated": 1, "unchanged": 41}
    assert writes(tenant) == {SAVED: 1}
    assert in_till(tenant, "100103")["Price"] == Decimal("19.9")


async def test_what_people_changed_in_arcavis_stands_until_the_article_changes_in_bexio(tenant: Tenant) -> None:
    await imported(tenant)
    path = f"/_sandbox/tenants/{tenant.slug}/records/articles"
    article = in_till(tenant, "100103")
    article |= {"Title": "Vacherin der Woche", "MainGroupTitle": "Käse"}
    environment(tenant).articles.put(article)
    assert counts(await imported(tenant)) == {"read": 42, "unchanged": 42}, path
    assert in_till(tenant, "100103")["Title"] == "Vacherin der Woche"
    articles.edit(tenant.company, 3, {"sale_price": "19.90"})
    await imported(tenant)
    again = in_till(tenant, "100103")
    assert (again["Title"], again["MainGroupTitle"]) == ("Vacherin Mont-d'Or", "Käse")


async def test_an_article_that_arcavis_has_already_is_linked_by_its_number(tenant: Tenant) -> None:
    upsert(environment(tenant), {"ArticleNumber": "100103", "Title": "Alt", "TaxRate": Decimal("0.081")})
    run = await imported(tenant)
    assert (run["counts"]["created"], run["counts"]["updated"]) == (41, 1)
    assert in_till(tenant, "100103")["Title"] == "Vacherin Mont-d'Or"
    assert doubled(tenant) == []


@pytest.mark.parametrize(
    ("includes_vat", "price"), [(True, Decimal("10.80")), (False, Decimal("11.67"))], ids=["gross", "net"]
)
async def test_prices_are_taken_as_the_setting_says(tenant: Tenant, *, includes_vat: bool, price: Decimal) -> None:
    only(tenant)
    add(tenant, "N1")
    await tenant.set(article_prices_include_vat=includes_vat)
    run = await imported(tenant)
    assert in_till(tenant, "N1")["Price"] == price
    assert ("article-prices-gross" if includes_vat else "article-prices-net") in notes(run)


async def test_a_corrected_setting_corrects_every_price(tenant: Tenant) -> None:
    await tenant.set(article_prices_include_vat=False)
    await imported(tenant)
    await tenant.set(article_prices_include_vat=True)
    run = await imported(tenant)
    assert run["counts"]["updated"] + run["counts"]["unchanged"] == 42
    assert {row["ArticleNumber"]: row["Price"] for row in every(tenant)} == {
        row["intern_code"]: Decimal(row["sale_price"]) for row in tenant.company.articles
    }


@pytest.mark.parametrize("is_net", [True, False])
async def test_without_a_setting_bexios_own_invoices_say_how_prices_are_meant(tenant: Tenant, *, is_net: bool) -> None:
    only(tenant)
    add(tenant, "N1")
    tenant.company.setting("KbInvoice")["default_mwst_is_net"] = is_net
    await tenant.set(article_prices_include_vat=None)
    await imported(tenant)
    assert in_till(tenant, "N1")["Price"] == (Decimal("11.67") if is_net else Decimal("10.8"))


async def test_when_nothing_says_how_prices_are_meant_a_person_is_asked(tenant: Tenant) -> None:
    setting = tenant.company.setting("KbInvoice")
    tenant.company.document_settings.remove(setting["id"])
    await tenant.set(article_prices_include_vat=None)
    run = await begin(tenant)
    await tenant.shop.work()
    failed = await shown(tenant, run)
    assert (failed["state"], failed["reason"]["code"]) == ("failed", "article-price-basis-unknown")
    assert writes(tenant) == {}
    await tenant.set(article_prices_include_vat=True)
    assert (await tenant.post(f"/runs/{run}/retry")).status_code == 200
    await tenant.shop.work()
    assert (await shown(tenant, run))["counts"]["created"] == 42


async def test_every_problem_is_told_with_its_remedy_and_the_rest_goes_on(tenant: Tenant) -> None:
    only(tenant)
    drawn = list(goods(tenant.company, 400, 5, problem_share=0.2))
    fill_articles(tenant.company, drawn)
    run = await imported(tenant)
    wrong = {number: good.problem for number, good in enumerate(drawn, 1) if good.problem}
    found = problems(run)
    assert set(found) == set(wrong)
    assert {wrong[each]: code for each, code in found.items()} == {
        "no_number": "article-number-missing",
        "double_number": "article-number-double",
        "no_name": "article-name-missing",
        "no_tax": "article-tax-missing",
        "unknown_tax": "article-tax-missing",
        "inactive_tax": "article-tax-inactive",
        "unknown_unit": "article-unit-unknown",
        "unit_of_bexio_only": "article-unit-unknown",
        "no_price": "article-price-missing",
        "long_name": "article-name-too-long",
        "long_number": "article-number-too-long",
        "foreign_price": "article-currency-foreign",
    }
    assert set(wrong.values()) == set(PROBLEMS)
    assert run["counts"]["created"] == 400 - len(wrong)
    assert all(one["title"] and one["remedy"] for one in run["detail"]["problems"])
    assert run["detail"]["problems_total"] == run["counts"]["problems"] == len(wrong)


async def test_a_problem_that_was_mended_is_gone_and_the_article_is_there(tenant: Tenant) -> None:
    articles.edit(tenant.company, 3, {"tax_income_id": None})
    assert problems(await imported(tenant)) == {3: "article-tax-missing"}
    articles.edit(tenant.company, 3, {"tax_income_id": tenant.company.tax("UR26")["id"]})
    run = await imported(tenant)
    assert (counts(run)["created"], problems(run)) == (1, {})


async def test_a_company_without_vat_needs_no_tax_on_its_articles(tenant: Tenant) -> None:
    only(tenant)
    add(tenant, "N1", tax_income_id=None)
    for year in tenant.company.calendar_years:
        year["is_vat_subject"] = False
    await imported(tenant)
    assert in_till(tenant, "N1")["TaxRate"] == 0


async def test_a_rate_that_arcavis_lacks_is_a_problem_of_the_articles_that_have_it(tenant: Tenant) -> None:
    environment(tenant).helpers["taxes"].get(3)["IsActive"] = False
    run = await imported(tenant)
    lodging = [row["id"] for row in tenant.company.articles if row["tax_id"] == tenant.company.tax("US38")["id"]]
    assert problems(run) == dict.fromkeys(lodging, "article-tax-unknown-in-arcavis")


async def test_an_article_as_long_as_arcavis_takes_it_is_taken(tenant: Tenant) -> None:
    only(tenant)
    add(tenant, "X" * 50, intern_name="y" * 255, intern_description="z" * 3000)
    assert counts(await imported(tenant))["created"] == 1


async def test_what_arcavis_refuses_is_told_in_its_words_and_the_rest_goes_on(tenant: Tenant) -> None:
    units = environment(tenant).helpers["units"]

    async def remove_a_unit(milestone: str) -> None:
        if milestone == "writing-intended" and 3 in units:
            units.remove(3)

    tenant.shop.loop.probe = remove_a_unit
    run = await imported(tenant)
    refused = [row["id"] for row in tenant.company.articles if row["unit_id"] == 4]
    assert problems(run) == dict.fromkeys(refused, "article-refused")
    assert "UnitNotFound" in run["detail"]["problems"][0]["detail"]
    assert counts(run)["created"] + counts(run)["problems"] == 42


async def test_a_number_that_changed_in_bexio_makes_no_second_article(tenant: Tenant) -> None:
    await imported(tenant)
    articles.edit(tenant.company, 3, {"intern_code": "NEU-3"})
    run = await imported(tenant)
    assert problems(run) == {3: "article-number-changed"}
    assert len(every(tenant)) == 42
    renumbered = in_till(tenant, "100103") | {"ArticleNumber": "NEU-3"}
    environment(tenant).articles.put(renumbered)
    run = await imported(tenant)
    assert (problems(run), counts(run)["updated"]) == ({}, 1)
    assert len(every(tenant)) == 42


async def test_of_two_articles_with_one_number_the_linked_one_stays(tenant: Tenant) -> None:
    await imported(tenant)
    second = add(tenant, "100103")
    third = add(tenant, " 100103 ")
    assert problems(await imported(tenant)) == dict.fromkeys((second, third), "article-number-double")
    assert in_till(tenant, "100103")["Title"] == "Vacherin Mont-d'Or"
    articles.remove(tenant.company, 3)
    run = await imported(tenant)
    assert problems(run) == {third: "article-number-double"}
    assert in_till(tenant, "100103")["Title"] == "Ware 100103"
    assert doubled(tenant) == []


async def test_an_article_deleted_in_bexio_ends_its_link_and_stays_in_arcavis(tenant: Tenant) -> None:
    await imported(tenant)
    for each in (1, 20, 42):
        articles.remove(tenant.company, each)
    run = await imported(tenant)
    assert (counts(run)["gone"], "articles-gone" in notes(run)) == (3, True)
    links = (await tenant.get("/articles/links?limit=3")).json()["items"]
    assert {(one["bexio_id"], one["state"], one["reason"]) for one in links} == {
        (each, "inactive", "article-gone-in-bexio") for each in (1, 20, 42)
    }
    assert len(environment(tenant).articles) == 42
    assert "gone" not in counts(await imported(tenant))


async def test_a_company_that_shows_no_articles_at_all_ends_no_link(tenant: Tenant) -> None:
    await imported(tenant)
    only(tenant)
    run = await imported(tenant)
    assert (counts(run), "articles-none" in notes(run)) == ({}, True)
    (active,) = await tenant.rows("select count(*) from article_link where state = 'active'")
    assert active.count == 42


async def test_an_article_deleted_in_arcavis_is_left_alone_until_it_is_restored(tenant: Tenant) -> None:
    await imported(tenant)
    article = in_till(tenant, "100103")
    environment(tenant).articles.hide(article["Id"])
    articles.edit(tenant.company, 3, {"sale_price": "19.90"})
    tenant.shop.arcavis.requests.clear()
    assert problems(await imported(tenant)) == {3: "article-deleted-in-arcavis"}
    assert writes(tenant) == {}
    environment(tenant).articles.put(article)
    assert counts(await imported(tenant))["updated"] == 1


async def test_a_dry_run_writes_nothing_and_tells_the_same_figures(tenant: Tenant) -> None:
    articles.edit(tenant.company, 3, {"tax_income_id": None})
    dry = await imported(tenant, dry_run=True)
    assert writes(tenant) == {}
    assert tenant.company.requests.writes == 0
    assert await tenant.rows("select 1 from article_link") == []
    assert (len(every(tenant)), problems(dry)) == (0, {3: "article-tax-missing"})
    assert "stock-would-be-taken" in notes(dry)
    real = await imported(tenant)
    assert counts(dry) == counts(real)


async def test_one_import_at_a_time(tenant: Tenant) -> None:
    first = await begin(tenant)
    second = await tenant.post("/articles/import", {})
    assert (second.status_code, second.json()["code"]) == (409, "articles-import-running")
    await tenant.shop.work()
    assert (await shown(tenant, first))["state"] == "done"
    assert (await tenant.post("/articles/import")).status_code == 202


async def test_the_same_request_again_is_the_same_run(tenant: Tenant) -> None:
    header = {"Idempotency-Key": "first-import"}
    one = await tenant.post("/articles/import", {"dry_run": True}, headers=header)
    again = await tenant.post("/articles/import", {"dry_run": True}, headers=header)
    other = await tenant.post("/articles/import", {"dry_run": False}, headers=header)
    assert (one.json(), other.status_code) == (again.json(), 409)
    assert one.headers["Location"] == f"/runs/{one.json()['id']}"


async def test_a_cancelled_import_stops_and_can_go_on(tenant: Tenant) -> None:
    run = await begin(tenant)
    assert (await tenant.post(f"/runs/{run}/cancel")).status_code == 200
    await tenant.shop.work()
    assert (await shown(tenant, run))["state"] == "cancelled"
    assert writes(tenant) == {}
    await tenant.post(f"/runs/{run}/retry")
    await tenant.shop.work()
    assert (await shown(tenant, run))["counts"]["created"] == 42


async def test_links_are_listed_page_by_page_with_their_stock(tenant: Tenant) -> None:
    await imported(tenant)
    seen: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = (await tenant.get(f"/articles/links?limit=20{f'&cursor={cursor}' if cursor else ''}")).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert {one["number"] for one in seen} == {row["intern_code"] for row in tenant.company.articles}
    (cheese,) = [one for one in seen if one["number"] == "100103"]
    assert cheese["stock"] | {"at": None} == {"state": "set", "quantity": "18", "store_id": "1", "at": None}
    assert cheese["bexio_account_id"] == tenant.company.account("3200")["id"]


async def test_a_sale_of_an_imported_article_names_it_on_the_invoice(tenant: Tenant) -> None:
    await imported(tenant)
    article = in_till(tenant, "100103")
    document = await tenant.issued(line_of(article_id=str(article["Id"])))
    (position,) = tenant.invoice(document).positions
    assert (position["type"], position["article_id"]) == ("KbPositionArticle", 3)
    articles.remove(tenant.company, 3)
    await imported(tenant)
    document = await tenant.issued(line_of(article_id=str(article["Id"])))
    (position,) = tenant.invoice(document).positions
    assert position["type"] == "KbPositionCustom"


async def test_another_tenant_sees_nothing_of_it_and_has_its_own(tenant: Tenant, shop: Shop) -> None:
    other = await article_shop(shop, "other")
    await imported(tenant)
    assert (await other.get("/articles/links")).json()["items"] == []
    assert writes(other) == {}
    assert counts(await imported(other))["created"] == 42
    assert len((await tenant.get("/articles/links")).json()["items"]) == 42


async def test_a_till_may_not_import(tenant: Tenant) -> None:
    assert (await tenant.post("/articles/import", {}, role="pos")).status_code == 403
    assert (await tenant.get("/articles/links", role="pos")).status_code == 403
    assert (await tenant.post("/articles/import", {"full": True})).status_code == 422


async def test_a_page_that_comes_in_half_is_read_again(tenant: Tenant) -> None:
    tenant.fault(Mode.HALF_PAGE, r"/article$", times=1)
    run = await begin(tenant)
    await tenant.shop.work()
    await tenant.shop.later(10)
    assert (await shown(tenant, run))["counts"]["created"] == 42


async def findings(tenant: Tenant) -> set[str]:
    # What bexio said a moment ago is not asked again at once.
    tenant.shop.clock.moved += 60
    answer = await tenant.get("/connection/check")
    return {one["code"] for one in answer.json()["findings"] if one["code"].startswith("article")}


async def test_the_doctor_tells_of_articles_left_behind_and_of_prices_meant_otherwise(tenant: Tenant) -> None:
    tenant.company.setting("KbInvoice")["default_mwst_is_net"] = True
    articles.edit(tenant.company, 3, {"tax_income_id": None})
    assert await findings(tenant) == set()
    await imported(tenant)
    assert await findings(tenant) == {"articles-with-problems", "article-prices-differ"}
    tenant.company.setting("KbInvoice")["default_mwst_is_net"] = False
    articles.edit(tenant.company, 3, {"tax_income_id": tenant.company.tax("UR26")["id"]})
    await imported(tenant)
    assert await findings(tenant) == set()
