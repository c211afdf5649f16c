"""Counts round trips to Postgres where nothing can hide them: on the wire.

A proxy between the driver and the server. Each Sync, Flush or simple Query makes the driver wait once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import URL

_PORT = 5432
_SECRET_HANDSHAKES = {80877103, 80877104}
"""SSLRequest and GSSENCRequest: politely refused, the proxy reads along."""
_ROUND_TRIPS = {b"S": "sync", b"H": "flush", b"Q": "query"}


@dataclass
class Wire:
    """What passed since the last `clear`: round trips, and the statements that were run, in order."""

    round_trips: int = 0
    statements: list[str] = field(default_factory=list[str])

    def clear(self) -> None:
        self.round_trips = 0
        self.statements.clear()


@asynccontextmanager
async def counted(database: URL) -> AsyncGenerator[tuple[URL, Wire]]:
    """The same database by way of a proxy, and what passes it."""
    wire = Wire()
    open_pipes: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = asyncio.current_task()
        assert pipe is not None
        open_pipes.add(pipe)
        try:
            await _connect(wire, database, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            open_pipes.discard(pipe)

    proxy = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = proxy.sockets[0].getsockname()[:2]
    try:
        yield database.set(host=host, port=port, query={}), wire
    finally:
        proxy.close()
        for pipe in open_pipes:
            pipe.cancel()
        await asyncio.gather(*open_pipes, return_exceptions=True)


async def _connect(wire: Wire, database: URL, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    opening = await _untyped(reader)
    while int.from_bytes(opening[4:8]) in _SECRET_HANDSHAKES:
        writer.write(b"N")
        opening = await _untyped(reader)
    from_server, to_server = await _open(database)
    to_server.write(opening)
    try:
        async with asyncio.TaskGroup() as pipes:
            answers = pipes.create_task(_pass_on(from_server, writer))
            await _read_along(wire, reader, to_server)
            answers.cancel()
    finally:
        to_server.close()


async def _open(database: URL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    folder, port = database.query.get("host"), database.query.get("port")
    if isinstance(folder, str) and folder.startswith("/"):
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port or _PORT}")
    return await asyncio.open_connection(database.host or "127.0.0.1", database.port or _PORT)


async def _untyped(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length) - 4)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    writer.close()


async def _read_along(wire: Wire, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
    prepared: dict[bytes, str] = {}
    while True:
        try:
            kind = await reader.readexactly(1)
            message = await _untyped(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        _note(wire, prepared, kind, message[4:])
        to_server.write(kind + message)


def _note(wire: Wire, prepared: dict[bytes, str], kind: bytes, content: bytes) -> None:
    wire.round_trips += kind in _ROUND_TRIPS
    match kind:
        case b"P":
            name, statement, _ = content.split(b"\0", 2)
            prepared[name] = statement.decode()
        case b"B":
            _, name, _ = content.split(b"\0", 2)
            wire.statements.append(prepared.get(name, "?"))
        case b"Q":
            wire.statements.append(content.rstrip(b"\0").decode())
        case _:
            pass
