"""The company itself (`/2.0/company_profile`)."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import OptionalId, Wire


class CompanyProfile(Wire):
    """Who the company is; bexio answers a list of one."""

    id: int
    name: str
    postcode: str | None = None
    city: str | None = None
    country_id: OptionalId = None
    mail: str | None = None
    ust_id_nr: str | None = None
    mwst_nr: str | None = None


COMPANY_PROFILE = resource_of("/2.0/company_profile", CompanyProfile, paged=False)
