"""The database: transactions as blocks, one tenant each, and no network inside them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import Executable

from app.core.errors import Unavailable

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


def _is_away(error: DBAPIError) -> bool:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or (state or "").startswith((*_AWAY, *_BEATEN))


@contextmanager
def _outages_named() -> Generator[None]:
    """A database that is away, or gave this transaction up, is `Unavailable`: the caller tries again."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, OSError, TimeoutError) as error:
        raise Unavailable("database-unavailable") from error
    except DBAPIError as error:
        if _is_away(error):
            raise Unavailable("database-unavailable") from error
        raise


class Database:
    """One engine as the runtime role, whose rows are fenced per tenant by row-level security."""

    def __init__(self, url: str, *, pool_size: int = 8, overflow: int = 8, application_name: str = "connector") -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=10,
            pool_recycle=1800,
            # What a statement is about may be personal: errors show its text only.
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": 30,
                "server_settings": {"role": RUNTIME_ROLE, "application_name": application_name},
            },
        )
        # One statement is atomic by itself: no BEGIN and COMMIT round trips on the hot path.
        self.single: AsyncEngine = self.engine.execution_options(isolation_level="AUTOCOMMIT")

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

    async def execute_alone(self, statement: Executable, values: dict[str, Any]) -> Row[Any] | None:
        """Runs one atomic statement in one round trip and returns its first row.

        The statement itself must set the tenant (a database function does), since nothing else is sent.
        """
        row = None
        with _outages_named():
            async with self.single.connect() as connection:
                row = (await connection.execute(statement, values)).first()
        return row

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
        await self.engine.dispose()
