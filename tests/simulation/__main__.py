"""`python -m tests.simulation --database URL --first N --seeds N [--until-red]`: runs seeds, prints figures as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from app.core.log import configure
from app.db.session import Database
from tests.simulation.runs import Figures, run_booking_seeds, run_seeds
from tests.simulation.scenario import Plan


class Red(Exception):
    """A seed found something wrong."""


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--until-red", action="store_true")
    parser.add_argument("--bookings", action="store_true", help="the booking export instead of invoices")
    arguments = parser.parse_args()
    configure("CRITICAL", json=True)
    db = Database(arguments.database)
    figures = Figures()

    def progress(now: Figures) -> None:
        nonlocal figures
        figures = now
        print(now.seeds, file=sys.stderr, flush=True)  # noqa: T201 - read by the soak
        if arguments.until_red and now.wrong:
            raise Red

    try:
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        if arguments.bookings:
            await run_booking_seeds(db, seeds, progress=progress)
        else:
            await run_seeds(db, seeds, Plan(), progress)
    except Red:
        pass
    finally:
        await db.close()
    print(json.dumps(figures.to_json()))  # noqa: T201 - the answer
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
