"""F-A, the floor of accepting a sale: validation, key check and one asyncpg statement, and nothing else.

`python -m benchmarks.floor DSN PORT [BEXIO_URL]`. The statement looks the key up and inserts a request, a document
and a job. With a bexio URL there is `/inline` too: the same, then create and issue before the answer.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import httpx
import orjson
import uvicorn
from fastapi import FastAPI, Header, Response
from pydantic import BaseModel

from app.capabilities.documents.schemas import Sale
from benchmarks.bexio import TOKEN, draft

STATEMENT = """
with caller as (select tenant_id from floor.api_key where hash = $1),
request as (insert into floor.request (tenant_id, key, hash) select tenant_id, $2, $3 from caller
            on conflict do nothing returning tenant_id),
document as (insert into floor.document (id, tenant_id, transaction_id, content, total)
             select $4, tenant_id, $2, $5, $6 from request returning id, created_at),
job as (insert into floor.job (document_id) select id from document)
select id, created_at from document
"""


class Accepted(BaseModel):
    id: UUID
    transaction_id: str
    status: str
    total: str
    created_at: datetime


async def _keep(_connection: object) -> None:
    """The pool's own reset is a round trip."""


async def accept(pool: Any, authorization: str, sale: Sale) -> Accepted | None:
    if not sum(line.amount or 0 for line in sale.lines) == sum(part.amount for part in sale.payments) == sale.total:
        return None
    key = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    content = orjson.dumps(sale.model_dump(mode="json", exclude_none=True)).decode()
    request = hashlib.sha256(content.encode()).digest()
    row = await pool.fetchrow(STATEMENT, key, sale.transaction_id, request, uuid4(), content, sale.total)
    return row and Accepted(
        id=row["id"],
        transaction_id=sale.transaction_id,
        status="accepted",
        total=str(sale.total),
        created_at=row["created_at"],
    )


def create_app(dsn: str, bexio_url: str | None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.pool = await asyncpg.create_pool(dsn, min_size=8, max_size=8, reset=_keep)  # pyright: ignore[reportUnknownMemberType]
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=8)
        app.state.bexio = httpx.AsyncClient(base_url=bexio_url or "", limits=limits)
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/invoices", status_code=202)
    async def create_invoice(
        sale: Sale, authorization: Annotated[str, Header()], response: Response
    ) -> Accepted | None:
        accepted = await accept(app.state.pool, authorization, sale)
        response.status_code = 202 if accepted else 401
        return accepted

    @app.post("/inline", status_code=201)
    async def create_inline(sale: Sale, authorization: Annotated[str, Header()]) -> Accepted | None:
        accepted = await accept(app.state.pool, authorization, sale)
        client: httpx.AsyncClient = app.state.bexio
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
        made = await client.post("/2.0/kb_invoice", json=draft(sale.transaction_id), headers=headers)
        issued = await client.post(f"/2.0/kb_invoice/{made.raise_for_status().json()['id']}/issue", headers=headers)
        issued.raise_for_status()
        return accepted

    return app


if __name__ == "__main__":
    bexio_url = sys.argv[3] if len(sys.argv) > 3 else None
    uvicorn.run(create_app(sys.argv[1], bexio_url), port=int(sys.argv[2]), access_log=False, log_level="warning")
