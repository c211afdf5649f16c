"""The few pages that people see: plain HTML in their language, under the strictest content security policy.

Templates stand in `app/pages`; everything put into one is escaped. A route answers errors as a page when it depends on
`page`, unless its caller asks for JSON.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from app.api.language import negotiate
from app.api.problems import retry_header, status_of
from app.core import catalogue
from app.core.catalogue import FALLBACK, Text
from app.core.errors import ConnectorError

_FOLDER = Path(__file__).parents[1] / "pages"
_MARK = "connector.page"
_LANGUAGE = "connector.page_language"
_AGAIN = "connector.page_again"


@dataclass(frozen=True, slots=True)
class Again:
    """Where somebody begins once more who has no Arcavis yet. `remedies` by code, in place of the catalogue's."""

    path: str
    label: str
    remedies: Mapping[str, str]


async def page(request: Request) -> None:
    """A dependency: what goes wrong here is told on a page."""
    request.scope[_MARK] = True


def wants_page(scope: Scope) -> bool:
    """Whether an error of this request is told on a page: browsers say that they take HTML, programs do not."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return bool(scope.get(_MARK)) and b"text/html" in accepted.lower()


def speak(scope: Scope, language: str) -> None:
    """The language of somebody whose browser wishes for none of ours, once it is known whose request it is."""
    scope[_LANGUAGE] = language


def begin_again(scope: Scope, again: Again | None) -> None:
    """What errors of this request tell to do, once it is known where its person comes from."""
    scope[_AGAIN] = again


def language_of(scope: Scope) -> str:
    """The language of this request's pages."""
    return negotiate(scope, scope.get(_LANGUAGE, FALLBACK))


def failure(scope: Scope, error: ConnectorError) -> Response:
    """The page for an error of ours: what happened and what to do."""
    language = language_of(scope)
    said, status = catalogue.text(error.code, error.params, language), status_of(error)
    again: Again | None = scope.get(_AGAIN)
    link = None
    if again is not None and (remedy := again.remedies.get(error.code)) is not None:
        said = replace(said, remedy=catalogue.translate(remedy, language))
        link = {"path": again.path, "label": catalogue.translate(again.label, language)}
    values = {"message": said, "good": False, "notes": (), "link": link}
    response = respond(scope, "message.html", values, status=int(status))
    response.headers.update(retry_header(error, status))
    return response


def message(scope: Scope, said: Text, *, notes: Sequence[Text] = ()) -> Response:
    """The page for something that went well; `notes` are what is to be known besides."""
    return respond(scope, "message.html", {"message": said, "good": True, "notes": notes, "link": None})


def respond(
    scope: Scope,
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    policy: Mapping[str, str] | None = None,
) -> Response:
    """A template of `app/pages`, filled in. `policy` adds sources to the content security policy, by directive."""
    language = language_of(scope)
    html = (
        _environment()
        .get_template(template)
        .render(
            {
                **values,
                "language": language,
                "style": Markup(_style()),  # noqa: S704 - a file of ours
                "reference": f"Arcavis-bexio connector · {scope.get('connector.request_id', '')}",
            }
        )
    )
    headers = {
        "Content-Language": language,
        "Vary": "Accept-Language, Accept",
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": _policy(policy or {}),
    }
    return HTMLResponse(html, status, headers=headers)


def _policy(added: Mapping[str, str]) -> str:
    directives = {
        "default-src": "'none'",
        "style-src": f"'sha256-{_digest(_style())}'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        **added,
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _style() -> str:
    return (_FOLDER / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
