"""A small application made of the HTTP machinery alone, with one route for each thing it does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import insert, text, update

from app.api.assembly import Options, assemble
from app.api.auth import MintedKey, Role, TenantCaller, hash_key, mint
from app.api.deps import (
    Backoffice,
    Db,
    IdempotencyKey,
    KeyCheck,
    Operator,
    PageParams,
    Pos,
    PreferWait,
    Waiting,
)
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.core.errors import Conflict, NotFound
from app.core.metrics import Metrics
from app.db.session import Database
from app.db.tables import foundation as tables

OPERATOR_KEY = "the-first-operator-key-of-this-installation"
REMEMBERED = KeyCheck(TenantCaller, Role.POS, Role.BACKOFFICE, recalled=True)
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass
class ManualClock:
    """Stands still until somebody moves it."""

    moment: datetime = START
    ticks: float = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.ticks

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.ticks += seconds


@dataclass
class Bench:
    """What the tiny application stands on, and what its routes did."""

    db: Database
    clock: ManualClock = field(default_factory=ManualClock)
    metrics: Metrics = field(default_factory=Metrics)
    operator_key_hash: bytes | None = field(default_factory=lambda: hash_key(OPERATOR_KEY))
    made: list[str] = field(default_factory=list[str])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failing: Exception | None = None
    settled: bool = False

    def app(self, options: Options | None = None) -> FastAPI:
        return assemble(self, [tiny_router(self)], options or Options(requests_per_minute=10_000))

    def client(self, options: Options | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app(options)), base_url="http://connector.test")

    async def tenant(self, language: str = "de", modules: tuple[str, ...] = ()) -> UUID:
        tenant = uuid4()
        values = {
            "id": tenant,
            "slug": f"shop-{tenant.hex[:10]}",
            "name": "Shop",
            "language": language,
            "modules": list(modules),
            "config_version": 1,
            "created_at": START,
            "updated_at": START,
        }
        async with self.db.begin_system() as session:
            await session.execute(insert(tables.tenant), values)
        return tenant

    async def key(self, role: Role, tenant: UUID | None) -> MintedKey:
        minted = mint(role)
        values = {
            "id": uuid4(),
            "tenant_id": tenant,
            "role": role.value,
            "label": "test",
            "prefix": minted.prefix,
            "hash": minted.hash,
            "created_at": START,
        }
        async with self.db.begin_system() as session:
            await session.execute(insert(tables.api_key), values)
        return minted

    async def revoke(self, key: MintedKey) -> None:
        async with self.db.begin_system() as session:
            await session.execute(
                update(tables.api_key).where(tables.api_key.c.hash == key.hash).values(revoked_at=START)
            )

    async def reached(self, made: int) -> None:
        """Returns once so many things are being made."""
        for _ in range(500):
            if len(self.made) >= made:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"Only {len(self.made)} of {made} things are being made.")

    async def count(self, query: str) -> int:
        async with self.db.begin_system() as session:
            return (await session.execute(text(query))).scalar_one()


class Thing(BaseModel):
    """Something to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Apfel", "price": "1.20", "tags": []}]}
    )

    name: str
    price: Decimal
    tags: list[str] = []


class Made(BaseModel):
    """Something made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 1, "name": "Apfel"}]})

    id: int
    name: str


class Who(BaseModel):
    """Who called."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"prefix": "abx_pos_Ab3dE6", "modules": []}]})

    prefix: str
    modules: list[str]


def tiny_router(bench: Bench) -> APIRouter:  # noqa: C901 - one small route after the other
    router = APIRouter(prefix="/things", tags=["things"])

    @router.post("", status_code=201, responses=problems(Conflict))
    async def make_thing(
        thing: Thing, response: Response, _caller: Backoffice, _key: IdempotencyKey, wait: PreferWait
    ) -> Made:
        bench.made.append(thing.name)
        if thing.name == "slow":
            await bench.gate.wait()
        if bench.failing is not None:
            raise bench.failing
        response.headers["Location"] = f"/things/{len(bench.made)}"
        return Made(id=len(bench.made), name=f"{thing.name} {wait}")

    @router.get("")
    async def list_things(_caller: Backoffice, page: PageParams) -> Page[Made]:
        rows = [Made(id=number, name="x") for number in range(5, 0, -1)]
        after = page.after.id if page.after else 6
        rows = [row for row in rows if isinstance(after, int) and row.id < after][: page.fetch]
        return page.page(rows, lambda row: Position(START, row.id), lambda row: row)

    @router.post("/by-operator", status_code=201)
    async def make_for_operator(thing: Thing, _caller: Operator, _key: IdempotencyKey) -> Made:
        bench.made.append(thing.name)
        return Made(id=len(bench.made), name=thing.name)

    @router.get("/sold")
    async def get_sold(caller: Pos) -> Who:
        return Who(prefix=caller.prefix, modules=sorted(caller.modules))

    @router.get("/remembered")
    async def get_remembered(caller: Annotated[TenantCaller, Depends(REMEMBERED)]) -> Who:
        return Who(prefix=caller.prefix, modules=sorted(caller.modules))

    @router.get("/remembered-no-more")
    async def get_remembered_no_more(_caller: Annotated[TenantCaller, Depends(REMEMBERED)], request: Request) -> Who:
        caller = await REMEMBERED.again(request)
        return Who(prefix=caller.prefix, modules=sorted(caller.modules))

    @router.get("/module")
    async def get_module(caller: Backoffice) -> Who:
        caller.require_module("orders")
        return Who(prefix=caller.prefix, modules=sorted(caller.modules))

    @router.get("/broken")
    async def get_broken() -> Made:
        raise RuntimeError("The password is hunter2")

    @router.get("/failing", responses=problems(NotFound))
    async def get_failing() -> Made:
        assert bench.failing is not None
        raise bench.failing

    @router.get("/waiting/{subject}")
    async def get_waiting(subject: UUID, waiting: Waiting, wait: PreferWait, db: Db) -> Made:
        async def look() -> bool | None:
            return bench.settled or None

        found = await waiting.until(subject, wait, look)
        return Made(id=1, name=f"settled {found} {db is bench.db}")

    return router


def bearer(key: MintedKey | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key.text}"}
