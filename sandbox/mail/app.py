"""The reading side: a page for people, JSON for programs."""

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.mail.catcher import Caught, MailCatcher, Mischief

_STYLE = "body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"


def create_app(catcher: MailCatcher) -> ASGIApp:
    """`GET /` for people; `GET, DELETE /messages`, `POST /mischief {kinds}` for programs."""

    async def page(_request: Request) -> Response:
        mails = "".join(_entry(mail) for mail in reversed(catcher.mails)) or "<p>Keine E-Mails.</p>"
        title = "Postausgang der Sandbox"
        return HTMLResponse(
            f'<!doctype html><html lang="de"><head><title>{title}</title><style>{_STYLE}</style></head>'
            f"<body><h1>{title}</h1>{mails}</body></html>"
        )

    async def listing(_request: Request) -> Response:
        return JSONResponse([_report(mail) for mail in catcher.mails])

    async def clear(_request: Request) -> Response:
        catcher.mails.clear()
        return JSONResponse([])

    async def mischief(request: Request) -> Response:
        kinds = (await request.json())["kinds"]
        if not set(kinds) <= set(Mischief):
            return JSONResponse({"error": f"kinds are {', '.join(Mischief)}"}, 400)
        catcher.mischief = [Mischief(kind) for kind in kinds]
        return JSONResponse(catcher.mischief)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/messages", listing, methods=["GET"]),
            Route("/messages", clear, methods=["DELETE"]),
            Route("/mischief", mischief, methods=["POST"]),
        ]
    )


def _entry(mail: Caught) -> str:
    subject, text = escape(str(mail.message["Subject"])), escape(mail.text)
    return f"<article><h2>{subject}</h2><p>{escape(mail.recipient)}</p><pre>{text}</pre></article>"


def _report(mail: Caught) -> dict[str, str]:
    return {
        "sender": mail.sender,
        "recipient": mail.recipient,
        "subject": str(mail.message["Subject"]),
        "text": mail.text,
        "html": mail.part("html"),
    }
