"""The progress page: it refreshes by itself, without JavaScript as well."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup
from starlette.responses import Response
from starlette.types import Scope

from app.api import pages
from app.capabilities.provisioning.schemas import Provision
from app.core.catalogue import translate

REFRESH_SECONDS = 3
_SCRIPT = Path(__file__).parents[2] / "pages" / "provision.js"
HEADINGS: Mapping[str, str] = {
    "authorizing": "Your Arcavis is being set up",
    "running": "Your Arcavis is being set up",
    "waiting": "Your Arcavis is being set up",
    "done": "Your Arcavis is ready",
    "refused": "Arcavis could not be set up",
    "failed": "Arcavis could not be set up",
}
STATES: Mapping[str, str] = {
    "done": "done",
    "running": "in progress",
    "waiting": "waiting",
    "pending": "still to come",
    "skipped": "left out",
}
WORDS = (
    "Progress",
    "Try again",
    "Open Arcavis",
    "{done} of {total}",
    "Choices and their reasons",
    "Left open, and what to do",
    "You may close this page: it goes on by itself, and the login comes by mail.",
    "The login was sent by mail.",
)


def shown(scope: Scope, found: Provision) -> Response:
    """The page for what was found."""
    language = pages.language_of(scope)
    script = _script()
    values = {
        "found": found,
        "heading": translate(HEADINGS[found.status], language),
        "states": {name: translate(word, language) for name, word in STATES.items()},
        "words": {word: translate(word, language) for word in WORDS},
        "refresh": None if found.finished else REFRESH_SECONDS,
        "script": Markup(script),  # noqa: S704 - a file of ours
    }
    policy = {"script-src": f"'sha256-{_digest(script)}'", "connect-src": "'self'"}
    return pages.respond(scope, "provision.html", values, policy=policy)


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _script() -> str:
    return _SCRIPT.read_text(encoding="utf-8")
