"""Reading what an export posted, for people and their accountants."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.explanation import explained
from app.capabilities.bookings import exports
from app.capabilities.bookings.export_service import summary
from app.capabilities.bookings.exports import DayResult, Export
from app.capabilities.bookings.journal import Chart, Journal, Line, Stored, journal
from app.capabilities.bookings.journal_schemas import (
    ExportJournal,
    JournalAccount,
    JournalDay,
    JournalLine,
    JournalVat,
)
from app.connectors.access import RemoteAccess
from app.connectors.bexio.reference import ReferenceData
from app.connectors.bexio.reference_kinds import ACCOUNTS, TAXES
from app.core.clock import Clock
from app.core.errors import ConnectorError
from app.core.money import amount, plain
from app.core.priority import Priority
from app.db.session import Database

_LINES = text(
    "select l.sale_day, g.booked_on, g.reference, g.state, g.bexio_id, l.title, l.text, l.debit_account,"
    " l.credit_account, l.amount, l.tax_id, l.tax_account, l.tax_code, l.receipts from booking_line l"
    " join booking_group g on g.id = l.group_id where g.export_id = :export"
    " order by l.sale_day, g.sequence, l.place"
)


@dataclass(frozen=True, slots=True)
class Journals:
    """The use case over one set of resources. Built once."""

    db: Database
    clock: Clock
    remotes: RemoteAccess
    reference: ReferenceData

    async def get(self, tenant: UUID, export: UUID, language: str) -> ExportJournal:
        """An export with its days, lines and totals.

        Raises:
            NotFound: `export-not-found`.
        """
        async with self.db.begin(tenant) as session:
            found = await exports.read(session, export)
            days = await exports.results(session, export)
            stored = await _stored(session, export)
        made = journal(stored, await self._chart(tenant))
        return self._shown(found, list(days.values()), made, language)

    async def _chart(self, tenant: UUID) -> Chart:
        """Names from bexio; an old export is shown without them while bexio is not connected."""
        try:
            reference = self.reference.of(tenant, await self.remotes.bexio(tenant, Priority.BACKOFFICE))
            return Chart(await reference.rows(ACCOUNTS), await reference.rows(TAXES))
        except ConnectorError:
            return Chart()

    def _shown(self, export: Export, days: list[DayResult], made: Journal, language: str) -> ExportJournal:
        return ExportJournal(
            export=summary(export),
            made_at=self.clock.now(),
            days=[_day(day, language) for day in sorted(days, key=lambda one: one.day)],
            lines=[_line(line) for line in made.lines],
            accounts=[
                JournalAccount(
                    number=one.number,
                    name=one.name,
                    debit=amount(one.debit),
                    credit=amount(one.credit),
                    balance=amount(one.balance),
                )
                for one in made.accounts
            ],
            vat=[
                JournalVat(
                    code=one.code,
                    rate=plain(one.rate),
                    gross=amount(one.gross),
                    vat=amount(one.vat),
                    net=amount(one.net),
                )
                for one in made.vat
            ],
        )


async def _stored(session: AsyncConnection, export: UUID) -> list[Stored]:
    rows = await session.execute(_LINES, {"export": export})
    return [
        Stored(
            sale_day=row.sale_day,
            booked_on=row.booked_on,
            reference=row.reference,
            state=row.state,
            bexio_id=row.bexio_id,
            title=row.title,
            text=row.text,
            debit=row.debit_account,
            credit=row.credit_account,
            amount=row.amount,
            tax_id=row.tax_id,
            tax_account=row.tax_account,
            tax_code=row.tax_code,
            receipts=row.receipts,
        )
        for row in rows
    ]


def _day(day: DayResult, language: str) -> JournalDay:
    return JournalDay(
        day=day.day,
        state=day.state,
        booked_on=day.booked_on,
        entries=day.entries,
        findings=[explained(one["code"], one["params"], language) for one in day.findings],
    )


def _line(line: Line) -> JournalLine:
    stored = line.stored
    return JournalLine(
        sale_day=stored.sale_day,
        booked_on=stored.booked_on,
        reference=stored.reference,
        state=stored.state,
        bexio_id=stored.bexio_id,
        title=stored.title,
        text=stored.text,
        debit_account=line.debit,
        credit_account=line.credit,
        amount=amount(line.amount),
        tax_code=stored.tax_code,
        vat=amount(line.vat),
        receipts=stored.receipts,
    )
