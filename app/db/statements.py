"""Single statements, each atomic by itself, on asyncpg's own connections: one round trip and nothing around it.

SQLAlchemy's share of a statement that takes a third of a millisecond is as large again, and on the way of a sale that
is a quarter of everything. Transactions go through SQLAlchemy; what is one statement goes through here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import orjson
from sqlalchemy import TextClause, make_url
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

ACQUIRE_SECONDS = 10.0
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 30.0
CLOSE_SECONDS = 5.0
IDLE_SECONDS = 300.0

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
    def is_closed(self) -> bool: ...
    async def close(self, *, timeout: float) -> None: ...  # noqa: ASYNC109
    def terminate(self) -> None: ...


class Statements:
    """Connections for single statements: as many as are used at once, at most `size`.

    asyncpg's own pool makes two tasks of every statement, which costs as much as a short statement itself. A single
    statement leaves nothing behind, so a connection that answered is as good as new, and any other one is given up.
    """

    def __init__(
        self, url: str, *, size: int, server_settings: Mapping[str, str], idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._arguments: dict[str, Any] = _DIALECT.create_connect_args(make_url(url))[1]
        self._server_settings = dict(server_settings)
        self._idle_seconds = idle_seconds
        self._places = asyncio.Semaphore(size)
        # The one used last is taken first; what lies idle for long may have been dropped on the way.
        self._idle: list[tuple[_Connection, float]] = []
        self._compiled: dict[TextClause, tuple[str, tuple[str, ...]]] = {}

    async def first(self, statement: TextClause, values: Mapping[str, Any]) -> Record | None:
        """Runs a statement of a module and returns its first row. A JSON parameter is a value, or bytes of JSON."""
        query, names = self._compiled.get(statement) or self._compile(statement)
        arguments = [values[name] for name in names]
        await self._take_place()
        try:
            connection = self._rested() or await self._connect()
            try:
                row = await connection.fetchrow(query, *arguments)
            except asyncpg.PostgresError:
                self._give_back(connection)
                raise
            except BaseException:
                connection.terminate()
                raise
            self._give_back(connection)
            return row
        finally:
            self._places.release()

    async def close(self) -> None:
        """Closes every connection, at once when the server does not answer."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            try:
                await connection.close(timeout=CLOSE_SECONDS)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _take_place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        async with asyncio.timeout(ACQUIRE_SECONDS):
            await self._places.acquire()

    def _rested(self) -> _Connection | None:
        while self._idle:
            connection, since = self._idle.pop()
            if not connection.is_closed() and time.monotonic() - since < self._idle_seconds:
                return connection
            connection.terminate()
        return None

    def _give_back(self, connection: _Connection) -> None:
        if not connection.is_closed():
            self._idle.append((connection, time.monotonic()))

    async def _connect(self) -> _Connection:
        connect: Callable[..., Awaitable[_Connection]] = getattr(asyncpg, "connect")  # noqa: B009 - untyped
        connection = await connect(
            **self._arguments,
            record_class=Record,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=self._server_settings,
        )
        try:
            await _speak_json(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _compile(self, statement: TextClause) -> tuple[str, tuple[str, ...]]:
        compiled = statement.compile(dialect=_DIALECT)
        # In the order of their numbers: a name that occurs twice has one.
        names = tuple(cast("list[str]", getattr(compiled, "positiontup", None) or []))
        self._compiled[statement] = made = (str(compiled), names)
        return made


async def _speak_json(connection: _Connection) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )


# Binary JSON begins with its version.
def _to_jsonb(value: object) -> bytes:
    return b"\x01" + (value if isinstance(value, bytes) else orjson.dumps(value))


def _from_jsonb(value: bytes) -> object:
    return orjson.loads(value[1:])
