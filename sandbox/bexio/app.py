"""The simulated bexio as an ASGI app: bexio's API, with faults, and the control API under `/_sandbox/`."""

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.bexio.api import Api
from sandbox.bexio.control import PREFIX, Actions, Control
from sandbox.bexio.faulty import FaultyApi, read_inbound, send_reply
from sandbox.bexio.world import World


def create_app(world: World, *, served: bool = False, more_actions: Actions | None = None) -> ASGIApp:
    """The simulator over a world.

    Args:
        world: its state, which the caller may inspect and change.
        served: set when a socket server runs the app. A broken connection is then cut; otherwise it raises
            `sandbox.bexio.faulty.ConnectionBroken` to the caller in the same process.
        more_actions: further control actions (`sandbox.seeding.BEXIO_ACTIONS`).
    """
    control = Control(world, more_actions)
    clients = FaultyApi(Api(world), served=served)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith(PREFIX):
            await send_reply(send, control.perform(await read_inbound(scope, receive)))
        else:
            await clients(scope, receive, send)

    return app
