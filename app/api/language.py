"""Which of our languages a caller wants (`Accept-Language`, RFC 9110 12.5.4)."""

from __future__ import annotations

from babel import negotiate_locale
from starlette.types import Scope

from app.core.catalogue import LANGUAGES

_MOST = 20


def negotiate(scope: Scope, default: str) -> str:
    """The best of our languages for a request; `default` when it has no wish that we can fulfil."""
    header = b",".join(value for name, value in scope["headers"] if name == b"accept-language")
    if not header:
        return default
    wanted = [tag.replace("-", "_") for tag in _by_weight(header.decode("latin-1"))]
    return negotiate_locale(wanted, LANGUAGES) or default


def _by_weight(header: str) -> list[str]:
    """The language tags of a header, most wanted first, without refused ones (`q=0`) and without `*`."""
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST]:
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if tag.strip() not in {"", "*"} and weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
