"""The checks bite: each safeguard taken out of a copy of the product must turn the simulation red."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COPIED = ("app", "sandbox", "tests", "migrations", "alembic.ini")


@dataclass(frozen=True)
class Mutant:
    """Texts to replace, by file. `options` say which simulation must turn red."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    options: tuple[str, ...] = ()


REVISION = "migrations/versions/0001_foundation.py"
CLAIMS = "migrations/versions/0002_claims.py"
TURNS = "migrations/sql/turns.sql"
OPERATIONS = "app/jobs/operations.py"
WORK = "app/jobs/work.py"
ISSUING = "app/capabilities/documents/issuing.py"

MUTANTS = (
    Mutant(
        "no lease",
        (
            (CLAIMS, "fence = o.fence + 1", "fence = o.fence"),
            (CLAIMS, "where o.state = 'running' and o.lease_until <= p_now and", "where o.state = 'running' and"),
            (CLAIMS, "or l.state = 'running' and l.lease_until <= p_now)", "or l.state = 'running')"),
        ),
    ),
    Mutant(
        "no fencing",
        (
            (REVISION, "where o.id = p_id and o.fence = p_fence and o.state = 'running' and", "where o.id = p_id and"),
            (REVISION, "where o.id = p_id and o.fence = p_fence and o.state = 'running';", "where o.id = p_id;"),
            (OPERATIONS, "where id = :id and fence = :fence and state = 'running' for update", "where id = :id"),
            (
                TURNS,
                "where o.id = p_id and o.fence = p_fence and o.state = 'running' returning",
                "where o.id = p_id returning",
            ),
        ),
    ),
    Mutant("no look-up", ((ISSUING, 'if turn.work.memo.get("create_sent"):', "if False:"),)),
    Mutant(
        "like instead of =",
        (
            ("app/connectors/bexio/criteria.py", 'Criterion(field, "=", value)', 'Criterion(field, "like", value)'),
            ("app/connectors/bexio/invoices.py", " if row.api_reference == key)", ")"),
        ),
    ),
    Mutant(
        "no sweeper",
        ((WORK, "        try:\n            await self.drain()\n", "        try:\n            pass\n"),),
    ),
    Mutant(
        "no wait for a lost payment",
        (("app/capabilities/documents/payments.py", "        if now < due:\n", "        if False:\n"),),
    ),
)

POSTING = "app/capabilities/bookings/posting.py"
EXPORTING = "app/capabilities/bookings/exporting.py"
BOOKING_REVISION = "migrations/versions/0004_bookings.py"
BOOKING_MUTANTS = (
    Mutant(
        "no wait for a lost entry",
        ((POSTING, "if (wait := due - work.clock.now()) > timedelta(0):", "if (wait := due - due) > timedelta(0):"),),
        ("--bookings",),
    ),
    Mutant("no read-back", ((POSTING, "landed(one.request, present)", "landed(one.request, [])"),), ("--bookings",)),
)
# Rare, so only the soak hunts it: two safeguards must be gone before exports that meet do harm.
RARE_MUTANTS = (
    Mutant(
        "exports that meet",
        (
            (EXPORTING, "if await exports.must_wait(", "if False and await exports.must_wait("),
            (
                BOOKING_REVISION,
                "timestamptz not null,\n        unique (tenant_id, sale_day, sequence)\n",
                "timestamptz not null\n",
            ),
            (BOOKING_REVISION, "create unique index booking_group_reference", "create index booking_group_reference"),
        ),
        ("--bookings",),
    ),
)


def copy(mutant: Mutant, folder: Path) -> None:
    """A copy of the product without the safeguard; fails when the code no longer reads as expected."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for path, old, new in mutant.changes:
        file = folder / path
        text = file.read_text()
        if text.count(old) != 1:
            raise AssertionError(f"{mutant.name}: {path} does not read as expected; adapt the mutant.")
        file.write_text(text.replace(old, new))


async def hunt(mutant: Mutant, folder: Path, server: str, seeds: int, first: int = 0) -> dict[str, Any]:
    """Runs seeds over the mutant until one is red; the figures, with `seeds` tried."""
    copy(mutant, folder)
    script = (
        "import asyncio, sys\n"
        "from sqlalchemy import make_url\n"
        "from tests.fixtures.database import fresh_database\n"
        "async def main():\n"
        "    async with fresh_database(make_url(sys.argv[1])) as url:\n"
        "        arguments = ['-m', 'tests.simulation', '--until-red', '--seeds', sys.argv[2],\n"
        "                     '--first', sys.argv[3], *sys.argv[4:],\n"
        "                     '--database', url.render_as_string(hide_password=False)]\n"
        "        process = await asyncio.create_subprocess_exec(sys.executable, *arguments)\n"
        "        return await process.wait()\n"
        "sys.exit(asyncio.run(main()))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        server,
        str(seeds),
        str(first),
        *mutant.options,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    lines = output.decode().strip().splitlines()
    if not lines:
        raise AssertionError(f"{mutant.name}: the simulation did not run: {errors.decode()[-2000:]}")
    return json.loads(lines[-1])
