"""The service on a real port, with the sandbox's bexio, Arcavis, hosting and mail beside it, for a real browser."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from sqlalchemy import URL

from app import bootstrap
from app.bootstrap import Resources
from app.connectors.clients import HttpClients
from app.connectors.egress import Egress, network
from app.core.clock import SystemClock
from app.core.milestones import log_milestone
from app.db.session import Database
from app.jobs.work import WorkLoop
from app.settings import Settings
from sandbox.arcavis.hosting import KEY as HOSTING_KEY
from sandbox.bexio.realm import CLIENT_ID, CLIENT_SECRET
from sandbox.server import SandboxServer
from sandbox.serving import serve
from tests.fixtures.database import fresh_database
from tests.fixtures.marketplace import REDIRECT_URI, SECRET, Counting, sign
from tests.fixtures.shop import KEYS, OPERATOR_KEY, Body


@dataclass
class Served:
    """Where it all is. `imports` stand in for contacts and articles: they count, and fail when told to."""

    url: str
    sandbox: SandboxServer
    resources: Resources
    imports: Counting
    arcavis_url: str

    async def activate(self, body: Body, *, name: str = "msg_1") -> str:
        """The marketplace's webhook: the page's address."""
        content = json.dumps(body).encode()
        headers = sign(content, self.resources.clock.now().timestamp(), name=name, secret=SECRET)
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/provision", content=content, headers=headers)
        assert answer.status_code == 202, answer.text
        return f"{self.url}/provision/{answer.json()['provision_id']}"

    async def connect(self, slug: str) -> str:
        """An operator makes a tenant for an Arcavis that is there already; where its owner goes to connect bexio."""
        environment = self.sandbox.tenant
        arcavis = {
            "base_url": f"{self.arcavis_url}/{environment.slug}",
            "username": environment.user.username,
            "password": environment.user.password,
        }
        tenant: Body = {"slug": slug, "name": slug, "language": "de", "arcavis": arcavis, "modules": []}
        operator = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        async with httpx.AsyncClient(base_url=self.url) as client:
            (await client.post("/tenants", json=tenant, headers=operator)).raise_for_status()
            role = {"role": "backoffice", "label": "Backoffice"}
            key = await client.post(f"/tenants/{slug}/api-keys", json=role, headers=operator)
            backoffice = {"Authorization": f"Bearer {key.raise_for_status().json()['key']}"}
            answer = await client.post("/connection/bexio/authorize", json={}, headers=backoffice)
        return answer.raise_for_status().json()["authorization_url"]


def free_port() -> int:
    """A port that nobody listens on: the service must know its address before it is built."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@asynccontextmanager
async def served(postgres: URL) -> AsyncGenerator[Served]:
    """Everything, on free ports, with one worker."""
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    sandbox = SandboxServer(redirect_uris=(f"{public}/oauth/bexio/callback", REDIRECT_URI))
    imports = Counting(total=3, pause=0.3)
    async with fresh_database(postgres) as url, sandbox.running() as access:
        text_url = url.render_as_string(hide_password=False)
        settings = Settings.model_validate(
            {
                "database_url": text_url,
                "encryption_keys": KEYS,
                "operator_key": OPERATOR_KEY,
                "bexio_api_url": access.bexio_url,
                "bexio_issuer_url": access.issuer_url,
                "bexio_client_id": CLIENT_ID,
                "bexio_client_secret": CLIENT_SECRET,
                "public_url": public,
                "marketplace_secret": SECRET,
                "arcavis_hosting_url": access.hosting_url,
                "arcavis_hosting_key": HOSTING_KEY,
                "smtp_url": access.smtp_url,
                "mail_from": "connector@shop.example",
                "allow_private_hosts": True,
            }
        )
        db, clock, egress = Database(text_url), SystemClock(), Egress(allow_private=True)
        clients = HttpClients(network(egress))
        resources = bootstrap.build(settings, db, clock, egress, clients)
        kinds = {**bootstrap.handlers(resources), "contacts.import": imports, "articles.import": imports}
        loop = WorkLoop(db, clock, kinds, log_milestone, resources.chance)
        app = bootstrap.application(resources)
        async with serve({"connector": app}, "127.0.0.1", {"connector": port}), asyncio.TaskGroup() as tasks:
            worker = tasks.create_task(loop.sweep(0.1))
            beat = tasks.create_task(loop.beat())
            yield Served(public, sandbox, resources, imports, access.arcavis_url.rsplit("/", 1)[0])
            loop.stopping = True
            beat.cancel()
            await asyncio.wait([worker], timeout=5)
        await resources.renewals.close()
        await clients.close()
        await db.close()
