"""The HTTP process, as `connector serve` runs it, for these tests."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.main import serve
from app.settings import Settings
from tests.processes.killable import begin


def run(options: dict[str, Any], log_file: Path, ready: Connection, *, all_in_one: bool) -> None:
    """Serves on a free port until SIGTERM, and tells its URL through `ready`."""
    begin(log_file)
    asyncio.run(serve(Settings(**options), all_in_one=all_in_one, ready=ready.send))
