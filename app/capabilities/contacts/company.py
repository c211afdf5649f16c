"""What a bexio company calls things: countries, languages, salutations, and its two groups of contacts, made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.mapping import Vocabulary
from app.capabilities.tenancy.settings import TenantSettings, group_names
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contact_groups import ContactGroup
from app.connectors.bexio.criteria import equal
from app.connectors.bexio.reference import CompanyReference
from app.connectors.bexio.reference_kinds import CONTACT_GROUPS, COUNTRIES, LANGUAGES, SALUTATIONS
from app.core.errors import RemoteRejected, RemoteUnavailable
from app.jobs import operations
from app.jobs.outcomes import Halt, Later
from app.jobs.work import INTENT_LIFE, Work

BUSY_PAUSE = timedelta(seconds=2)
HOLD = timedelta(seconds=60)

# The lock under which a group is looked for and made: bexio would take two of the same name.
_TAKE = text(
    "insert into contact_group as g (tenant_id, name, holder, held_until) values (:tenant, :name, :holder, :until)"
    " on conflict (tenant_id, name) do update set holder = excluded.holder, held_until = excluded.held_until"
    " where g.holder = :holder or g.holder is null or g.held_until <= :now returning sent_at"
)
_SENT = text(
    "update contact_group set sent_at = :now where tenant_id = :tenant and name = :name and holder = :holder"
    " returning name"
)
_SURELY_NOT = text(
    "update contact_group set sent_at = null, holder = null where tenant_id = :tenant and name = :name"
    " and holder = :holder"
)
_MADE = text("delete from contact_group where tenant_id = :tenant and name = :name")


@dataclass(frozen=True, slots=True)
class Company:
    """One company within one turn of work. `settle` is how long a lost write may still land."""

    work: Work
    bexio: Bexio
    reference: CompanyReference
    settings: TenantSettings
    settle: timedelta

    async def vocabulary(self, *, making_groups: bool) -> Vocabulary:
        """What ids mean there. Groups that are missing are made when `making_groups`, else left out.

        Raises:
            Halt: a group is being made by somebody else, or a lost request to make it may still land.
        """
        countries = await self.reference.rows(COUNTRIES)
        languages = await self.reference.rows(LANGUAGES)
        salutations = await self.reference.rows(SALUTATIONS)
        return Vocabulary(
            countries={row.iso_3166_alpha2.upper(): row.id for row in countries if row.iso_3166_alpha2},
            languages={row.iso_639_1.lower(): row.id for row in languages if row.iso_639_1},
            salutations={row.name.casefold(): row.id for row in salutations},
            salutation_names={row.id: row.name for row in salutations},
            groups=await self._groups(making=making_groups),
            user=self.settings.bexio_user_id,
        )

    async def _groups(self, *, making: bool) -> dict[Kind, int]:
        found: dict[Kind, int] = {}
        for kind, name in group_names(self.settings).items():
            known = _named(await self.reference.rows(CONTACT_GROUPS), name)
            known = known or _named(await self.reference.refresh(CONTACT_GROUPS), name)
            if known is None and making:
                known = await self._made(name)
            if known is not None:
                found[kind] = known
        return found

    async def _made(self, name: str) -> int:
        work, now = self.work, self.work.clock.now()
        values = {"tenant": work.tenant, "name": name, "holder": work.operation.id}
        async with work.db.begin(work.tenant) as session:
            taken = (await session.execute(_TAKE, {**values, "until": now + HOLD, "now": now})).first()
        if taken is None:
            raise Halt(Later(BUSY_PAUSE, "contact-group-being-made"))
        if taken.sent_at is not None and now < taken.sent_at + self.settle:
            raise Halt(Later(taken.sent_at + self.settle - now, "contact-group-may-land"))
        known = _named(await self.bexio.contact_groups.search(equal("name", name)), name)
        if known is None:
            known = await self._create(name)
        async with work.db.begin(work.tenant) as session:
            await session.execute(_MADE, values)
        return known

    async def _create(self, name: str) -> int:
        work, now = self.work, self.work.clock.now()
        values = {"tenant": work.tenant, "name": name, "holder": work.operation.id}
        await work.advance("group-creating")
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            held = (await session.execute(_SENT, {**values, "now": now})).first()
        if held is None:
            raise Halt(Later(BUSY_PAUSE, "contact-group-being-made"))
        await work.reached("group-intended")
        try:
            made = await self.bexio.until(now + INTENT_LIFE).contact_groups.create(name)
        except (RemoteUnavailable, RemoteRejected):
            async with work.db.begin(work.tenant) as session:
                await session.execute(_SURELY_NOT, values)
            raise
        await work.reached("group-answered")
        return made.id


def _named(rows: tuple[ContactGroup, ...], name: str) -> int | None:
    """The oldest group of this name; names are not unique in bexio."""
    wanted = name.strip().casefold()
    return min((row.id for row in rows if row.name.strip().casefold() == wanted), default=None)
