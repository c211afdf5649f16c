"""What the doctor finds of articles: some were left behind, or prices are meant otherwise than on invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from app.capabilities.tenancy.config import load
from app.connectors.access import RemoteAccess
from app.connectors.bexio.item_settings import INVOICE_CLASS
from app.connectors.bexio.reference import ReferenceData
from app.connectors.bexio.reference_kinds import ITEM_SETTINGS
from app.core.errors import ConnectorError
from app.core.priority import Priority
from app.db.session import Database

_READ = text(
    "select exists (select from article_link where tenant_id = :tenant) as linked,"
    " (select count(*) from article_problem where tenant_id = :tenant) as problems"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding before it is put into words."""

    code: str
    severity: Literal["error", "warning", "info"]
    about: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ArticlesExaminer:
    """Examines what the latest import left behind, and whether prices are meant as the company means them."""

    db: Database
    remotes: RemoteAccess
    reference: ReferenceData

    async def examine(self, tenant: UUID) -> Sequence[Finding]:
        """Nothing where no article is linked and none was left behind."""
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
            row = (await session.execute(_READ, {"tenant": tenant})).one()
        found: list[Finding] = []
        if row.problems:
            found.append(Finding("articles-with-problems", "warning", ("articles",), {"count": str(row.problems)}))
        says = config.settings.article_prices_include_vat
        if row.linked and says is not None and await self._documents_are_net(tenant) == says:
            found.append(Finding("article-prices-differ", "warning", ("article_prices_include_vat",)))
        return found

    async def _documents_are_net(self, tenant: UUID) -> bool | None:
        """Whether bexio's invoices are without VAT; None when nobody says so. Others tell why it cannot be read."""
        try:
            bexio = await self.remotes.bexio(tenant, Priority.BACKOFFICE)
            rows = await self.reference.of(tenant, bexio).refresh(ITEM_SETTINGS)
        except ConnectorError:
            return None
        return next((row.default_mwst_is_net for row in rows if row.kb_item_class == INVOICE_CLASS), None)
