"""Starting and stopping the embedded Postgres of a data folder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from app.db.embedded import account, binaries, cluster
from app.db.embedded.failure import explained
from app.db.embedded.locks import FileLock, alone
from app.db.embedded.postmaster import START_SECONDS, STOP_SECONDS, Postmaster
from app.db.embedded.sockets import PORT, remove_link

_LOCK = "start.lock"
_USERS = "in-use.lock"
_WAIT_SECONDS = START_SECONDS + STOP_SECONDS


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server on a private socket. Only the user that started it, and root, can connect.

    `attached` tells that it was running before: another process uses it too, or died without stopping it.
    """

    data_dir: Path
    socket_dir: Path
    attached: bool
    user: str = cluster.OWNER
    database: str = cluster.DATABASE
    port: int = PORT
    _postmaster: Postmaster = field(kw_only=True, repr=False)
    _in_use: FileLock = field(kw_only=True, repr=False)

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the connector's database, for asyncpg."""
        return self.url_of(self.database)

    @property
    def pid(self) -> int:
        """The server's process id, 0 when it is not running."""
        return self._postmaster.pid

    def url_of(self, database: str) -> str:
        """SQLAlchemy's URL of another database of this server, for asyncpg."""
        query = {"host": str(self.socket_dir), "port": str(self.port)}
        url = URL.create("postgresql+asyncpg", username=self.user, database=database, query=query)
        return url.render_as_string(hide_password=False)

    async def stop(self) -> None:
        """Ends the server, unless another process (or another start) still uses it. Again: does nothing."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        with explained("Stopping the database", self.data_dir), alone(self.data_dir / _LOCK, _WAIT_SECONDS):
            try:
                if not self._in_use.released and self._in_use.try_exclusive():
                    self._postmaster.stop()
                    remove_link(self.data_dir / "cluster")
            finally:
                self._in_use.release()


async def start(data_dir: Path, *, fast: bool = False) -> EmbeddedPostgres:
    """The server of this data folder: created, started, or found running; ready when this returns.

    `fast` gives up durability (tests only): a crash of the machine may lose the database.
    Raises `EmbeddedPostgresError` with a remedy.
    """
    return await asyncio.to_thread(_start, data_dir, fast=fast)


def _start(data_dir: Path, *, fast: bool) -> EmbeddedPostgres:
    with explained("Using the data folder", data_dir):
        data_dir = data_dir.expanduser().resolve()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(data_dir / _LOCK, _WAIT_SECONDS):
            owner = account.choose(data_dir / "cluster")
            programs = binaries.reachable(binaries.find(), owner)
            folder = cluster.ensure(data_dir, programs, owner, fast=fast)
            in_use = FileLock(data_dir / _USERS)
            try:
                postmaster = Postmaster(folder, programs, owner, fast=fast)
                # Only stop() holds it alone, and only inside the lock that we hold now.
                in_use.try_shared()
                attached = postmaster.ensure_ready()
            except BaseException:
                in_use.release()
                raise
    return EmbeddedPostgres(data_dir, postmaster.socket_folder, attached, _postmaster=postmaster, _in_use=in_use)
