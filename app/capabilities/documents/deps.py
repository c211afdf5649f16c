"""The documents service as routers name it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.capabilities.documents.service import Documents


async def _documents(request: Request) -> Documents:
    return request.app.state.resources.documents


Service = Annotated[Documents, Depends(_documents)]
