"""What a person sees while Arcavis is being set up, in a real browser: with and without JavaScript."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import URL

from sandbox.bexio.seed import seed_shop as seed_bexio
from tests.fixtures.marketplace import activation_of
from tests.pages.served import Served, served

HEADINGS = {
    "de-CH": ("Ihr Arcavis wird eingerichtet", "Ihr Arcavis ist bereit"),
    "fr-CH": ("Votre Arcavis est en cours d'installation", "Votre Arcavis est prêt"),
    "it-CH": ("Il vostro Arcavis viene configurato", "Il vostro Arcavis è pronto"),
    "en-GB": ("Your Arcavis is being set up", "Your Arcavis is ready"),
}
# Where a person who changes the pages looks at them.
PICTURES = os.environ.get("CONNECTOR_TEST_PICTURES")


@pytest.fixture(scope="module")
async def service(postgres: URL) -> AsyncGenerator[Served]:
    async with served(postgres) as opened:
        yield opened


@asynccontextmanager
async def window(browser: Browser, language: str = "de-CH", *, script: bool = True) -> AsyncGenerator[Page]:
    """A window whose console stays empty: a blocked script, style or request would be told there."""
    context = await browser.new_context(locale=language, java_script_enabled=script)
    page = await context.new_page()
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # That a page was answered with 404 or another refusal is said there, too.
        if message.type in {"error", "warning"} and not re.search(r"status of 4\d\d", message.text):
            said.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
        assert said == []
    finally:
        await context.close()


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def new_activation(service: Served, name: str) -> dict[str, object]:
    company = seed_bexio(service.sandbox.bexio, company_id=name)
    return activation_of(service.sandbox.bexio, company, f"act_{name}")


async def test_the_page_follows_by_itself_to_the_end_and_speaks_each_language(
    browser: Browser, service: Served
) -> None:
    before, after = HEADINGS["de-CH"]
    url = await service.activate(new_activation(service, "js"), name="msg_js")
    async with window(browser) as page:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        await page.goto(url)
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(before))
        await picture(page, "running")
        assert await page.evaluate("window.stayed = true")
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(after), timeout=60_000)
        assert await page.evaluate("window.stayed"), "the page was loaded anew"
        await expect(page.get_by_role("status")).to_contain_text(after)
        await expect(page.get_by_role("progressbar")).to_have_attribute("value", "100")
        assert all(one.startswith(service.url) for one in requests)
    for language, (_, heading) in HEADINGS.items():
        async with window(browser, language) as page:
            await page.goto(url)
            assert await page.locator("html").get_attribute("lang") == language[:2]
            await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(heading))
            await picture(page, f"done-{language}")


async def test_without_javascript_it_refreshes_to_the_end(browser: Browser, service: Served) -> None:
    url = await service.activate(new_activation(service, "no-js"), name="msg_no_js")
    async with window(browser, script=False) as page:
        await page.goto(url)
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("wird eingerichtet"))
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("ist bereit"), timeout=60_000)
        assert await page.locator('meta[http-equiv="refresh"]').count() == 0


@pytest.mark.parametrize("script", [True, False], ids=["with", "without"])
async def test_what_waits_says_why_and_goes_on_by_its_button(
    browser: Browser, service: Served, *, script: bool
) -> None:
    service.imports.fails = ["bexio-rejected"]
    url = await service.activate(new_activation(service, f"fails-{script}"), name=f"msg_{script}")
    async with window(browser, script=script) as page:
        await page.goto(url)
        button = page.get_by_role("button", name="Erneut versuchen")
        await expect(button).to_be_visible(timeout=60_000)
        await expect(page.get_by_role("heading", level=2)).to_be_visible()
        await picture(page, f"waiting-{script}")
        await button.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("ist bereit"), timeout=60_000)


async def test_the_start_link_signs_in_and_shows_the_progress(browser: Browser, service: Served) -> None:
    company = seed_bexio(service.sandbox.bexio, company_id="start-link")
    async with window(browser) as page:
        await page.goto(f"{service.url}/provision/start?utm_source=bexio&company=1&x[]=y")
        await picture(page, "consent")
        await page.get_by_label("User and company").select_option(f"{company.id}/1")
        await page.get_by_role("button", name="Allow").click()
        await expect(page).to_have_url(re.compile(r"/provision/[0-9a-f-]{36}$"))
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("ist bereit"), timeout=60_000)
        await picture(page, "start-done")
        # The same company again gets its shop back.
        await page.goto(f"{service.url}/provision/start")
        await page.get_by_label("User and company").select_option(f"{company.id}/1")
        await page.get_by_role("button", name="Allow").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("ist bereit"), timeout=60_000)


async def test_the_page_can_be_read_without_seeing_it_and_allows_nothing_from_elsewhere(
    browser: Browser, service: Served
) -> None:
    url = await service.activate(new_activation(service, "readable"), name="msg_readable")
    async with window(browser) as page:
        answer = await page.goto(url)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("ist bereit"), timeout=60_000)
        assert await page.get_by_role("heading", level=1).count() == 1
        await expect(page.get_by_label("Fortschritt")).to_have_attribute("max", "100")
        assert await page.get_by_role("list").get_by_role("listitem").count() >= 11
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Das Konto für Handelserlös")).to_be_visible()
        assert await page.get_by_role("link", name="Arcavis öffnen").get_attribute("rel") == "noreferrer"
        await picture(page, "choices")


async def test_an_address_that_nobody_was_given_is_a_page_that_says_so(browser: Browser, service: Served) -> None:
    async with window(browser, "fr-CH") as page:
        answer = await page.goto(f"{service.url}/provision/0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10")
        assert answer is not None
        assert answer.status == 404
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Activation inexistante"))


async def test_who_denies_access_is_told_what_to_do(browser: Browser, service: Served) -> None:
    seed_bexio(service.sandbox.bexio, company_id="denied")
    async with window(browser) as page:
        await page.goto(f"{service.url}/provision/start")
        await page.get_by_role("button", name="Deny").click()
        await expect(page).to_have_url(re.compile("/oauth/bexio/callback"))
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Zugriff"))
        assert await page.get_by_role("heading", level=1).count() == 1
        await expect(page.locator(".remedy")).to_contain_text("erlauben Sie dort alles")
        await expect(page.locator("body")).not_to_contain_text("bexio verbinden")
        await picture(page, "denied")
        await page.get_by_role("link", name="Noch einmal beginnen").click()
        await expect(page.get_by_role("button", name="Allow")).to_be_visible()


async def test_an_existing_shop_connects_and_its_callback_works_once(browser: Browser, service: Served) -> None:
    company = seed_bexio(service.sandbox.bexio, company_id="connecting")
    url = await service.connect("connecting-shop")
    async with window(browser) as page:
        answered: list[str] = []
        page.on("response", lambda response: answered.append(response.url))
        await page.goto(url)
        await page.get_by_label("User and company").select_option(f"{company.id}/1")
        await page.get_by_role("button", name="Allow").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("verbunden"))
        assert await page.locator("html").get_attribute("lang") == "de"
        await picture(page, "connected")
        callback = next(one for one in answered if "/oauth/bexio/callback" in one)
        await page.goto(callback)
        await expect(page.get_by_role("heading", level=1)).not_to_have_text(re.compile("verbunden"))
        await picture(page, "used")
