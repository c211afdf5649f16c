"""`/tenants`: for operators."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response, status

from app.api.deps import IdempotencyKey, Operator, PageParams
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.capabilities.tenants import service
from app.capabilities.tenants.schemas import MadeKey, NewKey, NewTenant, Tenant, TenantChanges, TenantDetail
from app.capabilities.tenants.service import Tenants
from app.core.errors import Conflict, InvalidInput, NotFound

router = APIRouter(prefix="/tenants", tags=["tenants"])


async def _tenants(request: Request) -> Tenants:
    resources = request.app.state.resources
    return Tenants(resources.db, resources.clock, resources.vault, resources.egress)


Service = Annotated[Tenants, Depends(_tenants)]
Slug = Annotated[str, Path(max_length=40, description="The tenant's slug.")]


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(InvalidInput, Conflict))
async def create_tenant(
    new: NewTenant, caller: Operator, _key: IdempotencyKey, tenants: Service, response: Response
) -> TenantDetail:
    """Makes a tenant for an existing Arcavis. Next: a key of the role backoffice, which connects bexio."""
    response.headers["Location"] = f"/tenants/{new.slug}"
    return await tenants.create(new, caller.actor)


@router.get("", responses=problems(InvalidInput))
async def list_tenants(_caller: Operator, tenants: Service, paging: PageParams) -> Page[Tenant]:
    """All tenants and how they are, the latest first."""
    rows = await tenants.listing(paging.values)
    return paging.page(rows, lambda row: Position(row.created_at, row.id), service.view)


@router.get("/{slug}", responses=problems(NotFound))
async def get_tenant(slug: Slug, _caller: Operator, tenants: Service) -> TenantDetail:
    """One tenant with its keys."""
    return await tenants.get(slug)


@router.patch("/{slug}", responses=problems(NotFound, InvalidInput))
async def change_tenant(slug: Slug, changes: TenantChanges, caller: Operator, tenants: Service) -> TenantDetail:
    """Changes name, language or modules of a tenant."""
    return await tenants.change(slug, changes, caller.actor)


@router.post("/{slug}/api-keys", status_code=status.HTTP_201_CREATED, responses=problems(NotFound, InvalidInput))
async def create_api_key(slug: Slug, new: NewKey, caller: Operator, _key: IdempotencyKey, tenants: Service) -> MadeKey:
    """Makes a key of a tenant. It is shown this once."""
    return await tenants.create_key(slug, new, caller.actor)


@router.delete("/{slug}/api-keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(NotFound))
async def revoke_api_key(slug: Slug, key_id: UUID, caller: Operator, tenants: Service) -> None:
    """Revokes a key at once."""
    await tenants.revoke_key(slug, key_id, caller.actor)
