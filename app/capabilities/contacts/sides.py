"""Both systems of one tenant as a turn of contact work needs them: connected, with settings and vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.capabilities.contacts.company import Company
from app.capabilities.contacts.mapping import Vocabulary
from app.capabilities.tenancy.config import load
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.access import RemoteAccess
from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.reference import ReferenceData
from app.jobs.outcomes import Halt, NeedsAttention
from app.jobs.work import Work


@dataclass(frozen=True, slots=True)
class Sides:
    """What a turn works with."""

    bexio: Bexio
    arcavis: Arcavis
    settings: TenantSettings
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens both sides. `settle` is how long a lost write may still land at bexio."""

    remotes: RemoteAccess
    reference: ReferenceData
    settle: timedelta

    async def open(self, work: Work, *, writes_to_bexio: bool) -> Sides:
        """Both sides, for work that makes contacts in bexio or not.

        Raises:
            ConnectionRefused: one side is not connected.
            Halt: the setting that bexio needs for a new contact is missing, or a group is being made.
        """
        async with work.db.begin(work.tenant) as session:
            settings = (await load(session, work.tenant)).settings
        bexio = await self.remotes.bexio(work.tenant, work.priority)
        arcavis = await self.remotes.arcavis(work.tenant)
        if writes_to_bexio and settings.bexio_user_id is None:
            raise Halt(NeedsAttention("settings-incomplete", {"setting": "bexio_user_id"}))
        company = Company(work, bexio, self.reference.of(work.tenant, bexio), settings, self.settle)
        vocabulary = await company.vocabulary(making_groups=writes_to_bexio)
        return Sides(bexio, arcavis, settings, vocabulary)
