"""Serving ASGI apps with uvicorn inside the current event loop, on ports that are known at once."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator, Mapping

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the loop; two in one loop would fight over them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.asynccontextmanager
async def serve(apps: Mapping[str, ASGIApp], host: str, ports: Mapping[str, int]) -> AsyncGenerator[dict[str, str]]:
    """Serve each app until the block ends; gives the base URL of each by its name.

    Port 0, or none, takes a free one.

    Raises:
        OSError: when a port is taken; then nothing is served.
    """
    with contextlib.ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.create_server((host, ports.get(name, 0)))) for name in apps}
        for each in sockets.values():
            # What it accepts inherits it. asyncio sets it on its own sockets only, and each request takes 40 ms more.
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        servers = {name: _Server(_config(app)) for name, app in apps.items()}
        async with asyncio.TaskGroup() as tasks:
            for name, server in servers.items():
                tasks.create_task(server.serve(sockets=[sockets[name]]))
            for server in servers.values():
                await server.ready.wait()
            try:
                yield {name: f"http://{host}:{each.getsockname()[1]}" for name, each in sockets.items()}
            finally:
                for server in servers.values():
                    server.should_exit = True


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        # A simulated time-out may still be waiting; nobody needs its answer any more.
        timeout_graceful_shutdown=1,
    )
