"""The long proofs of contacts: nobody merged wrongly, both sides agree after whatever edits, nobody made twice."""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.session import Database
from sandbox.people.pairs import labelled_pairs
from tests.fixtures.contact_kills import MILESTONES, Killer, fill, judge, survive
from tests.fixtures.contact_program import drawn, play
from tests.fixtures.contacts import People
from tests.fixtures.database import fresh_database
from tests.fixtures.matching import judged
from tests.fixtures.shop import Shop, open_shop

PAIRS = 4000
SETS = 5
OCCURRENCES = 6


@dataclass
class Report:
    """What was played, and what went wrong."""

    pairs: int = 0
    recall: list[str] = field(default_factory=list[str])
    programs: int = 0
    kills: int = 0
    runs_with_kills: int = 0
    wrong: list[str] = field(default_factory=list[str])

    @property
    def clean(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        figures = (
            f"{self.pairs} labelled pairs, recall {', '.join(self.recall)}; {self.programs} programs of edits;"
            f" {self.kills} kills in {self.runs_with_kills} runs; {len(self.wrong)} wrong"
        )
        return "\n".join([figures, *self.wrong])


async def run(server: str, count: int) -> Report:
    """`count` programs and as many runs with kills, beside every point at its first occurrences."""
    report = Report()
    _match(report)
    async with _database(server) as (owner, db):
        for seed in range(count):
            program = drawn(Random(seed))
            await _try(report, owner, db, f"program {seed}", lambda shop, steps=program: play(shop, steps))
            report.programs += 1
        for occurrence in range(1, OCCURRENCES + 1):
            killer = Killer()
            killer.at = dict.fromkeys(MILESTONES, occurrence)
            await _try(report, owner, db, f"occurrence {occurrence}", lambda shop, one=killer: _killed(shop, one))
            report.kills += killer.kills
        for seed in range(count):
            killer = Killer()
            killer.chance, killer.random = 0.06, Random(seed)
            await _try(report, owner, db, f"kills {seed}", lambda shop, one=killer: _killed(shop, one))
            report.kills += killer.kills
        report.runs_with_kills = count + OCCURRENCES
    return report


def _match(report: Report) -> None:
    for profile in ("office", "till"):
        shares: list[float] = []
        for seed in range(SETS):
            score = judged(labelled_pairs(PAIRS, seed, profile))
            shares.append(score.recall)
            report.pairs += PAIRS
            report.wrong += [f"{profile} {seed}: {one}" for one in score.wrong]
        report.recall.append(f"{profile} {min(shares):.1%}")


async def _killed(shop: Shop, killer: Killer) -> None:
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    fill(people)
    shop.loop.probe = killer
    run_ = await people.begin("sync")
    await survive(shop)
    killer.rest()
    shown = (await people.tenant.get(f"/runs/{run_['id']}")).json()
    if shown["state"] == "failed":
        await people.tenant.post(f"/runs/{run_['id']}/retry")
        await shop.finish()
    await judge(people)


async def _try(
    report: Report, owner: AsyncEngine, db: Database, name: str, proof: Callable[[Shop], Awaitable[None]]
) -> None:
    try:
        async with open_shop(owner, db) as shop:
            await proof(shop)
    except Exception:  # noqa: BLE001 - whatever it is, the others are played as well
        report.wrong.append(f"{name}: {traceback.format_exc()[-800:]}")


@asynccontextmanager
async def _database(server: str) -> AsyncGenerator[tuple[AsyncEngine, Database]]:
    async with fresh_database(make_url(server)) as url:
        text = url.render_as_string(hide_password=False)
        owner, db = create_async_engine(text), Database(text)
        yield owner, db
        await db.close()
        await owner.dispose()
