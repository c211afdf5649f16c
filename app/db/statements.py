"""Single statements, each atomic by itself, on asyncpg's own connections: one round trip and nothing around it.

SQLAlchemy's share of a statement that takes a third of a millisecond is as large again, and on the way of a sale that
is a quarter of everything. Transactions go through SQLAlchemy; what is one statement goes through here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import orjson
from sqlalchemy import TextClause, make_url
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

ACQUIRE_SECONDS = 10.0
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 30.0
CLOSE_SECONDS = 5.0

_DIALECT = PGDialect_asyncpg()


class Record(asyncpg.Record):
    """A row whose columns are attributes, as SQLAlchemy's are."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a column's value
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class _Connection(Protocol):
    async def fetchrow(self, query: str, *args: object) -> Record | None: ...
    async def set_type_codec(self, typename: str, **codec: object) -> None: ...


class _Pool(Protocol):
    def acquire(self, *, timeout: float) -> AbstractAsyncContextManager[_Connection]: ...
    async def close(self) -> None: ...
    def terminate(self) -> None: ...


class Statements:
    """A pool of connections for single statements; opens as many as are used at once, at most `size`."""

    def __init__(self, url: str, *, size: int, server_settings: Mapping[str, str]) -> None:
        self._arguments: dict[str, Any] = _DIALECT.create_connect_args(make_url(url))[1]
        self._size = size
        self._server_settings = dict(server_settings)
        self._pool: _Pool | None = None
        self._opening = asyncio.Lock()
        self._compiled: dict[TextClause, tuple[str, tuple[str, ...]]] = {}

    async def first(self, statement: TextClause, values: Mapping[str, Any]) -> Record | None:
        """Runs a statement of a module and returns its first row. A JSON parameter is a value, or bytes of JSON."""
        query, names = self._compiled.get(statement) or self._compile(statement)
        pool = self._pool or await self._open()
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            return await connection.fetchrow(query, *[values[name] for name in names])

    async def close(self) -> None:
        """Closes every connection, at once when the server does not answer."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except (TimeoutError, OSError):
            pool.terminate()

    def _compile(self, statement: TextClause) -> tuple[str, tuple[str, ...]]:
        compiled = statement.compile(dialect=_DIALECT)
        # In the order of their numbers: a name that occurs twice has one.
        names = tuple(cast("list[str]", getattr(compiled, "positiontup", None) or []))
        self._compiled[statement] = made = (str(compiled), names)
        return made

    async def _open(self) -> _Pool:
        async with self._opening:
            if self._pool is None:
                create: Callable[..., Any] = getattr(asyncpg, "create_pool")  # noqa: B009 - untyped
                self._pool = await create(
                    **self._arguments,
                    min_size=0,
                    max_size=self._size,
                    record_class=Record,
                    init=_speak_json,
                    # A single statement leaves nothing behind; the usual reset is a round trip of its own.
                    reset=_leave_as_it_is,
                    timeout=CONNECT_SECONDS,
                    command_timeout=COMMAND_SECONDS,
                    server_settings=self._server_settings,
                )
            return cast("_Pool", self._pool)


async def _leave_as_it_is(_connection: _Connection) -> None:
    return


async def _speak_json(connection: _Connection) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )


# Binary JSON begins with its version.
def _to_jsonb(value: object) -> bytes:
    return b"\x01" + (value if isinstance(value, bytes) else orjson.dumps(value))


def _from_jsonb(value: bytes) -> object:
    return orjson.loads(value[1:])
