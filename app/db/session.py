"""The database: transactions as blocks, one tenant each, and no network inside them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.core.errors import Unavailable
from app.db.statements import COMMAND_SECONDS, CONNECT_SECONDS, Record, Statements

RUNTIME_ROLE = "connector_app"

# SQLSTATEs of a server that is away, full, shutting down or only just coming up; SQLAlchemy knows no kind for them.
_AWAY = ("08", "53", "57P")
# ... and of a transaction that lost to another one, or met a standby: nothing was written, trying again may help.
_BEATEN = ("40", "25006")

_inside: ContextVar[bool] = ContextVar("inside_transaction", default=False)

_SET_TENANT = text("select set_config('connector.tenant', :tenant, true)")
_SET_SYSTEM = text("select set_config('connector.scope', 'system', true)")


def inside_transaction() -> bool:
    """True while a transaction of this task is open: the HTTP transport refuses to send then."""
    return _inside.get()


def _is_away(error: DBAPIError | asyncpg.PostgresError) -> bool:
    state: str | None = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or (state or "").startswith((*_AWAY, *_BEATEN))


@contextmanager
def _outages_named() -> Generator[None]:
    """A database that is away, or gave this transaction up, is `Unavailable`: the caller tries again."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError, TimeoutError) as error:
        raise Unavailable("database-unavailable") from error
    except asyncpg.InterfaceError as error:
        # A value that does not fit its parameter is one too, and no outage.
        if isinstance(error, ValueError):
            raise
        raise Unavailable("database-unavailable") from error
    except (DBAPIError, asyncpg.PostgresError) as error:
        if _is_away(error):
            raise Unavailable("database-unavailable") from error
        raise


class Database:
    """One engine as the runtime role, whose rows are fenced per tenant by row-level security."""

    def __init__(self, url: str, *, pool_size: int = 8, overflow: int = 8, application_name: str = "connector") -> None:
        self.url = url
        settings = {"role": RUNTIME_ROLE, "application_name": application_name}
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=10,
            pool_recycle=1800,
            # What a statement is about may be personal: errors show its text only.
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": COMMAND_SECONDS,
                "server_settings": settings,
            },
        )
        self._statements = Statements(url, size=pool_size, server_settings=settings)

    @asynccontextmanager
    async def begin(self, tenant: UUID) -> AsyncGenerator[AsyncConnection]:
        """A transaction that sees and writes the rows of one tenant. Leaving the block commits."""
        async with self._transaction() as connection:
            await connection.execute(_SET_TENANT, {"tenant": str(tenant)})
            yield connection

    @asynccontextmanager
    async def begin_system(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction across tenants, for the few jobs that need it: operators, key lookup, the work loop."""
        async with self._transaction() as connection:
            await connection.execute(_SET_SYSTEM)
            yield connection

    async def execute_alone(self, statement: TextClause, values: Mapping[str, Any]) -> Record | None:
        """Runs one atomic statement of a module in one round trip and returns its first row.

        The statement itself must set the tenant (a database function does), since nothing else is sent.
        """
        with _outages_named():
            return await self._statements.first(statement, values)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        with _outages_named():
            async with self.engine.begin() as connection:
                token = _inside.set(True)
                try:
                    yield connection
                finally:
                    _inside.reset(token)

    async def close(self) -> None:
        """Closes every pooled connection."""
        await self._statements.close()
        await self.engine.dispose()
