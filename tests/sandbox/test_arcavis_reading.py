"""Lists of the simulated Arcavis: paging, diffs, deletions, ticks."""

import calendar
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arcavis.ticks import ticks_of
from tests.sandbox.arcavis_shop import Shop, ids


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_an_unpaged_list_is_whole_and_names_no_pages(shop: Shop) -> None:
    answer = await shop.get("customers")
    assert len(answer["Result"]) == 60
    assert "TotalPages" not in answer


async def test_pages_cover_everything_once(shop: Shop) -> None:
    first = await shop.get("customers", page=1, pageSize=25)
    assert first["TotalPages"] == 3
    rest = [await shop.get("customers", page=page, pageSize=25) for page in (2, 3)]
    seen = [one for page in (first, *rest) for one in ids(page)]
    assert seen == list(range(501, 561))
    assert (await shop.get("customers", page=4, pageSize=25))["Result"] == []


async def test_a_diff_from_the_first_page_misses_no_change_made_while_paging(shop: Shop) -> None:
    first = await shop.get("customers", page=1, pageSize=50)
    await shop.call("PUT", "customers/501", {"City": "Genève"})
    second = await shop.get("customers", page=2, pageSize=50)
    assert ids(await shop.get("customers", changedSinceTicks=first["DataAgeTicks"])) == [501]
    assert ids(await shop.get("customers", changedSinceTicks=second["DataAgeTicks"])) == []


async def test_a_deleted_customer_leaves_the_list_and_appears_in_the_diff(shop: Shop) -> None:
    ticks = (await shop.get("customers"))["DataAgeTicks"]
    assert (await shop.call("DELETE", "customers/502"))["Result"] is True
    diff = await shop.get("customers", changedSinceTicks=ticks)
    assert (diff["Result"], diff["DeletedIds"]) == ([], [502])
    assert 502 not in ids(await shop.get("customers"))
    assert (await shop.get("customers/502"))["Result"]["IsDeleted"] is True
    after = await shop.get("customers", changedSinceTicks=diff["DataAgeTicks"])
    assert after["DeletedIds"] == []


async def test_a_deleted_customer_comes_back_when_saved_again(shop: Shop) -> None:
    await shop.call("DELETE", "customers/502")
    ticks = (await shop.get("customers"))["DataAgeTicks"]
    saved = await shop.call("POST", "customers", {"CustomerNumber": "K-502", "City": "Zug"})
    assert saved["Result"] == 502
    diff = await shop.get("customers", changedSinceTicks=ticks)
    assert ([row["City"] for row in diff["Result"]], diff["DeletedIds"]) == (["Zug"], [])


async def test_an_article_without_the_web_api_flag_counts_as_deleted(shop: Shop) -> None:
    ticks = (await shop.get("articles"))["DataAgeTicks"]
    body = {"ArticleNumber": "100101", "IsWebApi": "false"}
    article_id = (await shop.call("POST", "articles", body))["Result"]
    diff = await shop.get("articles", changedSinceTicks=ticks)
    assert (diff["Result"], diff["DeletedIds"]) == ([], [article_id])
    assert (await shop.send("GET", f"articles/{article_id}")).status_code == 404


async def test_article_flags_decide_what_comes_along(shop: Shop) -> None:
    plain = (await shop.get("articles/1701"))["Result"]
    assert {"Suppliers", "Identifications"} <= plain.keys()
    assert not {"Stock", "Tags"} & plain.keys()
    flags = {"inclStock": "true", "inclTags": "true", "ignSupp": "true", "ignIdents": "true"}
    full = (await shop.get("articles/1701", **flags))["Result"]
    assert (full["Stock"], full["Tags"]) == (69, ["WebShop"])
    assert not {"Suppliers", "Identifications"} & full.keys()


async def test_variations_are_listed_under_their_main_article(shop: Shop) -> None:
    body = {"ArticleNumber": "200205-R", "Title": "Küchentuch rot", "TaxRate": 0.081, "MainArticleId": 1729}
    variation = (await shop.call("POST", "articles", body))["Result"]
    assert ids(await shop.get("articles", mainArticleId=1729)) == [variation]
    assert variation not in ids(await shop.get("articles", mainArticleId=0))


async def test_a_new_article_makes_its_groups_and_takes_its_tax_by_rate(shop: Shop) -> None:
    body = {
        "ArticleNumber": "900001",
        "Title": "Rösti 500 g",
        "Price": "6.50",
        "TaxRate": "0.026",
        "MainGroupTitle": "Lebensmittel",
        "TradeGroupTitle": "Frische",
        "ArticleGroupTitle": "Fertiggerichte",
    }
    article_id = (await shop.call("POST", "articles", body))["Result"]
    article = (await shop.get(f"articles/{article_id}"))["Result"]
    assert (article["Price"], article["TaxId"], article["TaxRate"]) == (6.5, 2, 0.026)
    group = (await shop.get(f"articlegroups/{article['ArticleGroupId']}"))["Result"]
    trade_group = (await shop.get(f"tradegroups/{group['TradeGroupId']}"))["Result"]
    assert (group["Title"], trade_group["Title"]) == ("Fertiggerichte", "Frische")


async def test_stock_is_kept_per_store_and_summed_on_request(shop: Shop) -> None:
    ticks = (await shop.get("articlestocks"))["DataAgeTicks"]
    await shop.call("POST", "articlestocks", {"ArticleId": 1701, "StoreId": 2, "Stock": "7.5"})
    rows = (await shop.get("articlestocks/1701"))["Result"]
    assert [(row["StoreId"], row["Stock"]) for row in rows] == [(1, 46), (2, 7.5)]
    diff = await shop.get("articlestocks", groupByArticle="true", changedSinceTicks=ticks)
    assert diff["Result"] == [{"ArticleId": 1701, "Stock": 53.5}]


async def test_an_article_without_stock_management_has_no_stock_rows(shop: Shop) -> None:
    room = next(row for row in (await shop.get("articles"))["Result"] if row["ArticleNumber"] == "400102")
    assert (await shop.get(f"articlestocks/{room['Id']}"))["Result"] == []


async def test_ticks_are_net_ticks_of_swiss_time_and_never_repeat(shop: Shop) -> None:
    shop.wait(days=1)
    answers = [(await shop.get("stores"))["DataAgeTicks"] for _ in range(3)]
    unix = calendar.timegm((2026, 11, 21, 10, 0, 0))
    assert answers[0] == 621_355_968_000_000_000 + unix * 10_000_000
    assert answers == [answers[0], answers[0] + 1, answers[0] + 2]


def test_the_published_ticks_example_is_reproduced() -> None:
    assert ticks_of(datetime(2017, 11, 9, 8, 20, 50, 417720)) == 636_458_124_504_177_200  # noqa: DTZ001


async def test_ticks_rise_through_the_doubled_hour_of_october(shop: Shop) -> None:
    shop.moment = shop.moment.replace(year=2027, month=10, day=31, hour=0, minute=30)
    before = (await shop.get("stores"))["DataAgeTicks"]
    shop.wait(hours=1)
    assert (await shop.get("stores"))["DataAgeTicks"] == before + 1


async def test_every_helper_resource_answers(shop: Shop) -> None:
    counts = {
        name: len((await shop.get(name))["Result"])
        for name in ("paymenttypes", "transactiontypes", "stores", "pointofsales", "taxes", "units", "users")
    }
    assert counts == {
        "paymenttypes": 6,
        "transactiontypes": 5,
        "stores": 2,
        "pointofsales": 4,
        "taxes": 5,
        "units": 4,
        "users": 2,
    }
    assert (await shop.get("paymenttypes/7"))["Result"]["Title"] == "Bexio Rechnung"


@given(changes=st.lists(st.tuples(st.integers(501, 520), st.booleans()), max_size=30), size=st.integers(1, 9))
async def test_replaying_pages_and_diffs_always_gives_the_current_list(
    changes: list[tuple[int, bool]], size: int
) -> None:
    """A client that follows the cursor ends with what the server holds, whatever happens in between."""
    shop = Shop()
    first = await shop.get("customers", page=1, pageSize=30)
    second = await shop.get("customers", page=2, pageSize=30)
    mirror = {row["Id"]: row for row in first["Result"] + second["Result"]}
    ticks = first["DataAgeTicks"]
    for start in range(0, len(changes), size):
        for customer_id, deletes in changes[start : start + size]:
            if deletes:
                await shop.call("DELETE", f"customers/{customer_id}")
            else:
                await shop.call("PUT", f"customers/{customer_id}", {"Remarks": f"change {start}"})
        diff = await shop.get("customers", changedSinceTicks=ticks)
        ticks = diff["DataAgeTicks"]
        mirror.update({row["Id"]: row for row in diff["Result"]})
        for gone in diff["DeletedIds"]:
            mirror.pop(gone, None)
    assert sorted(mirror.values(), key=lambda row: row["Id"]) == (await shop.get("customers"))["Result"]
