"""A code of the catalogue with its texts, as answers carry it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from app.core import catalogue


class Explanation(BaseModel):
    """What happened and what to do, in the caller's language."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "bexio-reconnect-required",
                    "title": "bexio must be connected again",
                    "detail": "The connection to bexio no longer works.",
                    "remedy": "Connect bexio again in Arcavis: sign in at bexio, or use a new token.",
                }
            ]
        }
    )

    code: str
    title: str
    detail: str
    remedy: str


def explained(code: str, params: Mapping[str, str], language: str) -> Explanation:
    """The texts of `code`, filled in."""
    said = catalogue.text(code, params, language)
    return Explanation(code=code, title=said.title, detail=said.detail, remedy=said.remedy)
