"""`connector demo`: starts everything, sells a morning, prints what happened and proves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.cli.children import run_until_told
from app.cli.demo import report
from app.cli.demo.morning import SALES, Sold, cancel_one, follow, sell
from app.cli.demo.proof import Books, prove
from app.cli.demo.report import Morning
from app.cli.demo.shop import Shop, open_shop
from app.cli.demo.stage import Stage, set_up
from app.cli.failures import CommandFailed
from app.cli.output import Json, err, out, show_json, show_line

Keep = Annotated[bool, typer.Option("--keep", help="Leave everything running, with its URLs and keys, until Ctrl-C.")]


def demo(*, keep: Keep = False, as_json: Json = False) -> None:
    """Play a shop's morning on simulated bexio and Arcavis, and prove that every sale has exactly one invoice."""
    if not run_until_told(_demo(keep=keep, as_json=as_json)):
        raise KeyboardInterrupt


async def _demo(*, keep: bool, as_json: bool) -> None:
    with TemporaryDirectory(prefix="connector-demo-", ignore_cleanup_errors=True) as folder:
        started = time.monotonic()
        with _progress() as progress:
            starting = progress.add_task("Starting Postgres, sandbox, service and worker", total=None)
            async with _stage(Path(folder), progress, starting) as stage:
                shop, morning = await _play(stage, progress, started)
                progress.stop()
                if as_json:
                    show_json(report.as_json(morning))
                else:
                    report.show(out(), morning)
                if keep:
                    await _keep(stage, shop)
    if not morning.proven:
        raise CommandFailed("The proof failed; see the claims marked NO.")


@asynccontextmanager
async def _stage(folder: Path, progress: Progress, starting: Any) -> AsyncGenerator[Stage]:  # noqa: ANN401 - a task id
    async with set_up(folder) as stage:
        progress.update(starting, total=1, completed=1)
        yield stage


async def _play(stage: Stage, progress: Progress, started: float) -> tuple[Shop, Morning]:
    connecting = progress.add_task("Connecting the shop", total=1)
    shop = await open_shop(stage)
    progress.advance(connecting)
    selling = progress.add_task("Tills sell", total=SALES)
    issuing = progress.add_task("Sales through", total=SALES)
    sales = await sell(stage, shop, lambda done: progress.update(selling, completed=done))
    await follow(stage, shop, sales, lambda done: progress.update(issuing, completed=done))
    await cancel_one(stage, shop, sales)
    return shop, await _look(stage, shop, sales, started)


async def _look(stage: Stage, shop: Shop, sales: list[Sold], started: float) -> Morning:
    """What everybody says at the end; from now on bexio behaves."""
    troubles: Any = await stage.bexio.send("DELETE", "/_sandbox/faults")
    books = Books(
        invoices=await stage.bexio.get("/_sandbox/invoices"),
        trial_balance=await stage.bexio.get("/_sandbox/trial-balance"),
    )
    attention: Any = await shop.backoffice.get("/attention?limit=200")
    return Morning(
        findings=shop.findings,
        sales=sales,
        attention=attention["items"],
        troubles=troubles,
        books=books,
        checks=prove(sales, books),
        seconds=time.monotonic() - started,
    )


async def _keep(stage: Stage, shop: Shop) -> None:
    lines = [
        ("service", stage.operator.url),
        ("operator key", stage.operator.key),
        ("backoffice key", shop.backoffice.key),
        *((f"key of {title}", till.key) for title, till in shop.tills.items()),
        ("bexio", f"{stage.bexio.url} (control: {stage.bexio.url}/_sandbox/)"),
        ("Arcavis", f"{stage.access['arcavis_url']} (control: {stage.arcavis.url}/_sandbox/)"),
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
