"""`python -m sandbox`: both simulators until SIGINT or SIGTERM; one JSON line on stdout when they are ready."""

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import asdict

from sandbox.server import REDIRECT_URI, SandboxServer


def main() -> int:
    """Run the sandbox; returns the exit code."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Simulated bexio and Arcavis.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--bexio-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--arcavis-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--redirect-uri", action="append", help="of the bexio app; may be given more than once")
    options = parser.parse_args()
    server = SandboxServer(
        host=options.host,
        bexio_port=options.bexio_port,
        arcavis_port=options.arcavis_port,
        redirect_uris=options.redirect_uri or (REDIRECT_URI,),
    )
    try:
        asyncio.run(_serve(server))
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen: {error}\n")
        return 1
    return 0


async def _serve(server: SandboxServer) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with server.running() as access:
        sys.stdout.write(json.dumps(asdict(access)) + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
