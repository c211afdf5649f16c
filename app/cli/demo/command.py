"""`connector demo`: starts everything, plays a shop's first day, prints what happened and proves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.cli.children import run_until_told
from app.cli.demo import report
from app.cli.demo.contacts import sync
from app.cli.demo.evening import STEPS, book, trade
from app.cli.demo.marketplace import activate
from app.cli.demo.morning import SALES, cancel_one, follow, sell
from app.cli.demo.proof import Books, prove, prove_activation, prove_bookings, prove_contacts
from app.cli.demo.report import Day
from app.cli.demo.shop import Shop, make_accounts, open_shop, settle_books
from app.cli.demo.stage import Stage, set_up
from app.cli.failures import CommandFailed
from app.cli.output import Json, err, out, show_json, show_line
from app.core.swiss_time import ZURICH

# The sandbox's own tenant, which nobody activated.
SANDBOX_TENANT = "demo"

Keep = Annotated[bool, typer.Option("--keep", help="Leave everything running, with its URLs and keys, until Ctrl-C.")]


def demo(*, keep: Keep = False, as_json: Json = False) -> None:
    """Play a shop's first day on simulated bexio and Arcavis, and prove that every franc is booked exactly once."""
    if not run_until_told(_demo(keep=keep, as_json=as_json)):
        raise KeyboardInterrupt


async def _demo(*, keep: bool, as_json: bool) -> None:
    with TemporaryDirectory(prefix="connector-demo-", ignore_cleanup_errors=True) as folder:
        started = time.monotonic()
        with _progress() as progress:
            starting = progress.add_task("Starting Postgres, sandbox, service and worker", total=None)
            async with _stage(Path(folder), progress, starting) as stage:
                shop, day = await play(stage, progress, started)
                progress.stop()
                if as_json:
                    show_json(report.as_json(day))
                else:
                    report.show(out(), day)
                if keep:
                    await _keep(stage, shop)
    if not day.proven:
        raise CommandFailed("The proof failed; see the claims marked NO.")


@asynccontextmanager
async def _stage(folder: Path, progress: Progress, starting: Any) -> AsyncGenerator[Stage]:  # noqa: ANN401 - a task id
    async with set_up(folder) as stage:
        progress.update(starting, total=1, completed=1)
        yield stage


async def play(stage: Stage, progress: Progress, started: float) -> tuple[Shop, Day]:
    """The whole day, from bexio Apps to the journal.

    Raises:
        CommandFailed: something answers otherwise than it should, and the day cannot go on.
    """
    await make_accounts(stage)
    activating = progress.add_task("bexio Apps makes the shop", total=100)
    activated = await activate(stage, lambda seen: progress.update(activating, completed=seen["progress"]))
    connecting = progress.add_task("Contacts, articles and books", total=2)
    shop = await open_shop(stage)
    synced = await sync(stage, shop)
    progress.advance(connecting)
    await settle_books(shop)
    progress.advance(connecting)
    today = datetime.fromtimestamp(time.time(), ZURICH).date()
    selling = progress.add_task("Tills sell", total=SALES)
    sales = await sell(stage, shop, lambda done: progress.update(selling, completed=done))
    sales += await trade(stage, shop, today)
    issuing = progress.add_task("Sales through", total=len(sales))
    await follow(stage, shop, sales, lambda done: progress.update(issuing, completed=done))
    await cancel_one(stage, shop, sales)
    troubles: Any = await stage.bexio.send("DELETE", "/_sandbox/faults")
    booking = progress.add_task("Bookings of the day", total=STEPS)
    evening = await book(stage, shop, today, lambda done: progress.update(booking, completed=done))
    return shop, await _look(stage, shop, Day(activated, synced, sales, troubles, evening), started)


async def _look(stage: Stage, shop: Shop, day: Day, started: float) -> Day:
    """What everybody says at the end."""
    books = Books(
        invoices=await stage.bexio.get("/_sandbox/invoices"),
        trial_balance=await stage.bexio.get("/_sandbox/trial-balance"),
    )
    attention: Any = await shop.backoffice.get("/attention?limit=200")
    environments: Any = await stage.arcavis.get("/_sandbox/tenants")
    made = [one for one in environments if one["slug"] != SANDBOX_TENANT]
    checks = [
        *prove_activation(day.activated, len(made)),
        *prove_contacts(day.synced),
        *prove(shop.slug, day.sales, books),
        *prove_bookings(day.evening),
    ]
    return replace(
        day,
        findings=shop.findings,
        attention=attention["items"],
        books=books,
        checks=checks,
        seconds=time.monotonic() - started,
    )


async def _keep(stage: Stage, shop: Shop) -> None:
    lines = [
        ("service", stage.operator.url),
        ("operator key", stage.operator.key),
        ("backoffice key", shop.backoffice.key),
        *((f"key of {title}", till.key) for title, till in shop.tills.items()),
        ("bexio", f"{stage.bexio.url} (control: {stage.bexio.url}/_sandbox/)"),
        ("Arcavis", f"{stage.arcavis.url}/{shop.environment} (control: {stage.arcavis.url}/_sandbox/)"),
        ("mails", stage.mail.url),
        ("logs and data", str(stage.folder)),
        ("command line", f"CONNECTOR_DATA_DIR={stage.folder}/data connector attention list"),
    ]
    show_line("Still running, until Ctrl-C:")
    for name, value in lines:
        show_line(f"  {name:15} {value}")
    with suppress(asyncio.CancelledError):
        while True:
            stage.check()
            await asyncio.sleep(1)


def _progress() -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err())
