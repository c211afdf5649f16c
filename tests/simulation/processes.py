"""What every simulation has: one database, one company in bexio, and processes that die or freeze wherever they are."""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from app import bootstrap
from app.bootstrap import Resources
from app.connectors.access import BEXIO_SECRET
from app.connectors.clients import HttpClients, Upstream
from app.connectors.egress import Egress
from app.core.vault import generate_key
from app.db.session import Database
from app.jobs.work import Handler, WorkLoop
from app.settings import Settings
from sandbox.bexio.world import World
from tests.simulation.network import Connection, Line
from tests.simulation.scheduler import START, Killed, Scheduler, VirtualClock

SETTLE = 90.0
_KEYS = generate_key("simulation")
_TOKEN = "token-of-the-simulation"


@dataclass
class Verdict:
    """What a seed found. `wrong` is empty when everything held."""

    seed: int
    wrong: list[str] = field(default_factory=list[str])
    sales: int = 0
    attention: Counter[str] = field(default_factory=Counter[str])
    requests: int = 0


class Simulation(ABC):
    """One seed over one database. A subclass says what the processes work on, and plays the people."""

    sweep_seconds: ClassVar[float]
    stormy_from: ClassVar[datetime] = START
    stormy_until: ClassVar[datetime]
    module: ClassVar[str]

    def __init__(self, db: Database, seed: int, *, kill: float, freeze: float) -> None:
        self.db = db
        self.seed = seed
        self._kill, self._freeze = kill, freeze
        self.random = Random(seed)
        self.scheduler = Scheduler()
        self.settings = Settings(
            database_url=None,
            encryption_keys=SecretStr(_KEYS),
            bexio_api_url="https://bexio.test",
            settle_seconds=SETTLE,
            requests_per_minute=10_000,
        )
        self.tenant = uuid4()
        self.slug = f"s{self.tenant.hex[:10]}"
        self.company_id = f"sim{seed}x{self.tenant.hex[:8]}"
        self.world = World(lambda: self.scheduler.now, self.scheduler.wait)
        self.world.limits.enabled = False
        self.verdict = Verdict(seed)
        self.milestones: Counter[str] = Counter()
        self.interrupted: Counter[UUID] = Counter()
        """subject of work -> how many of its turns ended with a dead or frozen process"""
        self.processes: list[Process] = []
        self.line: Line
        self.group: asyncio.TaskGroup

    @abstractmethod
    def handlers(self, process: Process) -> Mapping[str, Handler]:
        """What a process does."""

    def passed(self, milestone: str) -> None:
        """Somebody's work passes here, in weather of any kind."""
        self.milestones[milestone] += 1

    def fate(self) -> str | None:
        """What becomes of a process that passes a milestone."""
        if not self.stormy_from <= self.scheduler.now <= self.stormy_until:
            return None
        fate = self.random.uniform(0, 100)
        if fate < self._kill:
            return "kill"
        return "freeze" if fate < self._kill + self._freeze else None

    def launch(self, after: float) -> None:
        """Another process begins to work; whoever died has left."""
        process = Process(self)
        self.processes = [one for one in self.processes if one.alive] + [process]
        first = after + self.random.uniform(0, self.sweep_seconds)
        self.scheduler.start(self.group, process.loop.sweep(self.sweep_seconds), first)
        self.scheduler.start(self.group, process.loop.beat(), after)

    def judge_crashes(self) -> None:
        """Nothing goes through all of the code and out at the top."""
        for failure in self.scheduler.failures:
            self.verdict.wrong.append("crashed: " + "".join(traceback.format_exception(failure))[-900:])

    async def connect(self, resources: Resources) -> None:
        """The tenant, connected to its company."""
        self.world.add_token(self.company_id, _TOKEN)
        values: dict[str, Any] = {
            "tenant": self.tenant,
            "slug": self.slug,
            "module": self.module,
            "now": self.scheduler.now,
            "company": self.company_id,
            "secret": resources.vault.seal(self.tenant, BEXIO_SECRET, _TOKEN),
        }
        async with self.db.begin_system() as session:
            for statement in _CONNECT:
                await session.execute(statement, values)


class Process:
    """One worker process with its own caches, clock and connections."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.alive = True
        self.clock = VirtualClock(simulation.scheduler)
        clients = HttpClients(self._connect)
        self.resources = bootstrap.build(
            simulation.settings, simulation.db, self.clock, Egress(), clients, simulation.random
        )
        self.loop = WorkLoop(simulation.db, self.clock, simulation.handlers(self), self.probe, simulation.random)

    def _connect(self, _upstream: Upstream) -> httpx.AsyncBaseTransport:
        return Connection(self.simulation.line, self.living)

    def living(self) -> None:
        """Raises in a dead process."""
        if not self.alive:
            raise Killed

    async def probe(self, milestone: str) -> None:
        """Dies or freezes here, when the seed says so."""
        self.living()
        simulation = self.simulation
        simulation.passed(milestone)
        fate = simulation.fate()
        if fate is not None:
            simulation.interrupted.update(operation.subject_id for operation in self.loop.held.values())
        if fate == "kill":
            self.alive = False
            simulation.launch(after=simulation.random.uniform(1, 30))
            raise Killed
        if fate == "freeze":
            self.clock.frozen_until = simulation.scheduler.now + timedelta(seconds=simulation.random.uniform(10, 120))
            await simulation.scheduler.wait_until(self.clock.frozen_until)


_CONNECT = [
    text(
        "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
        " values (:tenant, :slug, 'Simulation', 'de', array[:module], :now, :now)"
    ),
    text(
        "insert into bexio_connection (tenant_id, kind, state, company_id, company_name, user_id, user_name, secret,"
        " connected_at, updated_at) values (:tenant, 'token', 'connected', :company, 'Simulation', 1, 'Simulation',"
        " :secret, :now, :now)"
    ),
]
