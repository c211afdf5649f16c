"""The demo on its real processes: it proves itself, and leaves no secret in database, logs or traces."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.progress import Progress
from sqlalchemy import text

from app import bootstrap
from app.bootstrap import Resources
from app.cli.demo.command import play
from app.cli.demo.shop import Shop
from app.cli.demo.stage import Stage, set_up
from app.connectors.access import ARCAVIS_SECRET, BEXIO_SECRET
from app.connectors.renewal_rows import REFRESH_SECRET
from app.settings import Settings
from tests.fixtures.leaks import dump, spoken

_TENANT = text("select id from tenant")
_SEALED = {
    BEXIO_SECRET: text("select secret from bexio_connection"),
    REFRESH_SECRET: text("select refresh_secret as secret from bexio_connection"),
    ARCAVIS_SECRET: text("select secret from arcavis_connection"),
}
# What the mail says is the password's own line.
_PASSWORD = re.compile(r"(?:Initialpasswort)[^:\n]*:\s*(\S+)")


@contextmanager
def collector() -> Generator[tuple[str, list[bytes]]]:
    """Takes OTLP over HTTP: its address, and what was sent to it."""
    received: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def secrets_of(stage: Stage, shop: Shop, resources: Resources) -> list[str]:
    """Every key, token and password that took part in the day."""
    found = [stage.marketplace_secret.removeprefix("whsec_"), str(stage.operator.key), str(shop.backoffice.key)]
    found += [str(till.key) for till in shop.tills.values()]
    found += [stage.access["client_secret"], stage.access["hosting_key"]]
    keyring = (stage.folder / "data" / "encryption.key").read_text().strip()
    found.append(keyring.partition(":")[2])
    async with resources.db.begin_system() as session:
        tenant = (await session.execute(_TENANT)).scalar_one()
    async with resources.db.begin(tenant) as session:
        for column, statement in _SEALED.items():
            found.append(resources.vault.open(tenant, column, (await session.execute(statement)).scalar_one()))
    mails = await stage.mail.get("/messages")
    found += [match[1] for mail in mails for match in _PASSWORD.finditer(mail["text"])]
    return found


def kept(secrets: Sequence[str], places: Sequence[str]) -> list[str]:
    """The secrets that somebody could read there."""
    seen = "\n".join(places)
    return [secret for secret in secrets if any(form in seen for form in spoken(secret))]


@pytest.mark.timeout(240)
async def test_the_demo_proves_itself_and_no_secret_can_be_read_afterwards(tmp_path: Path) -> None:
    with collector() as (address, received):
        settings = {
            "CONNECTOR_OTEL": "true",
            "CONNECTOR_LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        async with set_up(tmp_path, settings) as stage:
            shop, day = await play(stage, Progress(disable=True), time.monotonic())
            settings_here = Settings.model_validate({"data_dir": tmp_path / "data"})
            async with bootstrap.open_resources(settings_here) as resources:
                secrets = await secrets_of(stage, shop, resources)
                stored = await dump(resources.db)
    assert [check for check in day.checks if not check.holds] == []
    logs = [(tmp_path / name).read_text() for name in ("serve.log", "worker.log")]
    spans = b"\n".join(received).decode(errors="replace")
    # It was looked at the right things.
    assert shop.slug in stored
    assert "turn-ended" in logs[1]
    assert "/invoices" in spans
    assert len(secrets) >= 12
    assert all(len(secret) >= 12 for secret in secrets)
    assert kept(secrets, [stored, *logs, spans]) == []
