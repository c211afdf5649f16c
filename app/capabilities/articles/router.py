"""`/articles`: imported from bexio into Arcavis."""

from __future__ import annotations

from fastapi import APIRouter, Response, status

from app.api.deps import Backoffice, Db, IdempotencyKey, Language, Now, PageParams, PreferWait, Waiting
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.api.run_view import STARTED, RunView, answer
from app.capabilities.articles import service
from app.capabilities.articles.schemas import ArticleImport, ArticleLink
from app.core.errors import Conflict, InvalidInput

router = APIRouter(prefix="/articles", tags=["articles"])


@router.post(
    "/import",
    status_code=status.HTTP_202_ACCEPTED,
    responses={**STARTED, **problems(Conflict, InvalidInput)},
)
async def import_articles(
    caller: Backoffice,
    _key: IdempotencyKey,
    db: Db,
    clock: Now,
    settled: Waiting,
    wait: PreferWait,
    language: Language,
    response: Response,
    wanted: ArticleImport | None = None,
) -> RunView:
    """Takes all articles over from bexio into Arcavis; their stock once, with an article's first import."""
    run = await service.start(db, clock, caller, wanted or ArticleImport())
    return await answer(db, settled, caller.tenant, run, wait, language, response)


@router.get("/links", responses=problems(InvalidInput))
async def list_article_links(caller: Backoffice, db: Db, paging: PageParams) -> Page[ArticleLink]:
    """The articles that both systems have, the latest changed first."""
    found = await service.links(db, caller.tenant, paging.values)
    return paging.page(found, lambda link: Position(link.updated_at, link.id), lambda link: link)
