"""The HTTP process: serves the API, and with `all_in_one` works through the jobs as well."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from app import bootstrap
from app.bootstrap import Resources
from app.settings import Settings

DRAIN_SECONDS = 25
_log = structlog.get_logger("serve")


def create_app(resources: Resources) -> FastAPI:
    """The application over resources that are open."""
    return bootstrap.application(resources)


async def serve(settings: Settings, *, all_in_one: bool = False, ready: Callable[[str], None] | None = None) -> None:
    """Serves until SIGINT or SIGTERM; requests and turns of work that run are finished, bounded.

    `ready` is told the URL once requests are answered.
    """
    async with bootstrap.open_resources(settings) as resources, asyncio.TaskGroup() as group:
        worker = bootstrap.worker(resources) if all_in_one else None
        server = _Server(
            uvicorn.Config(
                create_app(resources),
                host=settings.host,
                port=settings.port,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                server_header=False,
            ),
            ready,
            worker.stop if worker is not None else None,
        )
        if worker is not None:
            group.create_task(worker.run())
        await server.serve()
        if worker is not None:
            worker.stop()


class _Server(uvicorn.Server):
    """Says where it listens (port 0 takes a free one), and leaves the end of the process to its caller."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[str], None] | None, ending: Callable[[], None] | None
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Requests and turns of work end side by side, not one after the other."""
        if self._ending is not None:
            self._ending()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[object] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await super().startup(sockets)  # pyright: ignore[reportArgumentType]
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            url = f"http://{host}:{port}"
            _log.info("serving", url=url)
            if self._ready is not None:
                self._ready(url)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """A signal ends the serving and nothing else.

        uvicorn raises it once more when it is done, which would kill the process before the worker and the embedded
        database have stopped in order.
        """
        loop = asyncio.get_running_loop()
        captured = (signal.SIGINT, signal.SIGTERM)
        for name in captured:
            loop.add_signal_handler(name, self.handle_exit, name, None)
        try:
            yield
        finally:
            for name in captured:
                loop.remove_signal_handler(name)
