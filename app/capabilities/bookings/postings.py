"""What was posted, and what is on its way: groups, their lines, and what each receipt has of a line.

A group is `planned`, then `sending` once its intent is committed, then `posted` with bexio's id, or `lost` when bexio
surely never made it. A group that is sending counts as posted: its day is not planned anew before it is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings.entries import Entry, Group, Position, Posted, left_of
from app.core.ids import uuid7
from app.core.money import ZERO
from app.jobs.outcomes import Halt, Later

PLANNED, SENDING, POSTED, LOST = "planned", "sending", "posted", "lost"
TAKEN_PAUSE = timedelta(seconds=2)

Cell = tuple[UUID, str]
"""A rule and a group key: what a receipt has a share of."""

_STANDING = text(
    "select l.rule_id, l.group_key, l.debit_account, l.credit_account, l.tax_id, l.tax_account,"
    " array_agg(l.amount) as amounts,"
    " (array_agg(l.rule_version order by g.sequence desc))[1] as rule_version,"
    " (array_agg(l.title order by g.sequence desc))[1] as title,"
    " (array_agg(l.text order by g.sequence desc))[1] as text,"
    " (array_agg(l.tax_code order by g.sequence desc))[1] as tax_code"
    " from booking_line l join booking_group g on g.id = l.group_id"
    " where l.tenant_id = :tenant and l.sale_day = :day and g.state in ('sending', 'posted')"
    " group by l.rule_id, l.group_key, l.debit_account, l.credit_account, l.tax_id, l.tax_account"
)
_SEQUENCE = text(
    "select coalesce(max(sequence), 0) from booking_group where tenant_id = :tenant and sale_day = :day"
    " and state <> 'planned'"
)
_SHARES = text(
    "select l.rule_id, l.group_key, r.receipt_id, max(r.number) as number, sum(r.amount) as amount"
    " from booking_line_receipt r join booking_line l on l.id = r.line_id join booking_group g on g.id = l.group_id"
    " where l.tenant_id = :tenant and l.sale_day = :day and g.state in ('sending', 'posted')"
    " group by l.rule_id, l.group_key, r.receipt_id having sum(r.amount) <> 0"
)
_FORGET_PLANNED = text("delete from booking_group where tenant_id = :tenant and sale_day = :day and state = 'planned'")
_ADD_GROUPS = text(
    "insert into booking_group (id, tenant_id, export_id, sale_day, sequence, reference, booked_on, request, state,"
    " created_at, updated_at) select id, :tenant, :export, :day, sequence, reference, :booked_on, request, 'planned',"
    " :now, :now from unnest(cast(:ids as uuid[]), cast(:sequences as int[]), cast(:references as text[]),"
    " cast(:requests as bytea[])) as one (id, sequence, reference, request)"
)
_ADD_LINES = text(
    "insert into booking_line (id, tenant_id, group_id, place, sale_day, rule_id, rule_version, title, group_key,"
    " debit_account, credit_account, tax_id, tax_account, tax_code, amount, desired, posted, till_tax, receipts, text)"
    " select id, :tenant, group_id, place, :day, rule_id, rule_version, title, group_key, debit, credit, tax,"
    " tax_account, tax_code, amount, desired, posted, till_tax, receipts, words"
    " from unnest(cast(:ids as uuid[]), cast(:groups as uuid[]), cast(:places as int[]), cast(:rules as uuid[]),"
    " cast(:versions as int[]), cast(:titles as text[]), cast(:keys as text[]), cast(:debits as bigint[]),"
    " cast(:credits as bigint[]), cast(:taxes as bigint[]), cast(:tax_accounts as bigint[]),"
    " cast(:tax_codes as text[]), cast(:amounts as numeric[]), cast(:desired as numeric[]),"
    " cast(:posted as numeric[]), cast(:till_taxes as numeric[]), cast(:receipts as int[]), cast(:texts as text[]))"
    " as one (id, group_id, place, rule_id, rule_version, title, group_key, debit, credit, tax, tax_account, tax_code,"
    " amount, desired, posted, till_tax, receipts, words)"
)
_ADD_SHARES = text(
    "insert into booking_line_receipt (tenant_id, line_id, receipt_id, number, amount) select :tenant, line, receipt,"
    " number, amount from unnest(cast(:lines as uuid[]), cast(:receipts as text[]), cast(:numbers as text[]),"
    " cast(:amounts as numeric[])) as one (line, receipt, number, amount)"
)
_UNSETTLED = text(
    "select id, export_id, sale_day, sequence, reference, request, sent_at, known_id from booking_group"
    " where tenant_id = :tenant and state = 'sending' and (cast(:day as date) is null or sale_day = :day)"
    " order by sale_day, sequence"
)
_INTEND = text(
    "update booking_group set state = 'sending', sent_at = :now, updated_at = :now, known_id ="
    " (select coalesce(max(bexio_id), 0) from booking_group where tenant_id = :tenant)"
    " where id = :id and state = 'planned'"
)
# Only the sending that set `sent_at` may be taken back: a worker that was frozen must not touch a later one.
_SETTLE = text(
    "update booking_group set state = :state, bexio_id = :bexio_id, updated_at = :now,"
    " posted_at = case when :state = 'posted' then cast(:now as timestamptz) end"
    " where id = :id and state = 'sending' and sent_at = :sent_at"
)
_COUNT = text("select count(*) from booking_group where export_id = :export and sale_day = :day and state = 'posted'")
_BEGUN = text(
    "select exists (select from booking_group where export_id = :export and sale_day = :day and state <> 'planned')"
)
_TAKE_BACK = text(
    "update booking_group set state = 'planned', sent_at = null, updated_at = :now"
    " where id = :id and state = 'sending' and sent_at = :sent_at"
)


@dataclass(frozen=True, slots=True)
class Share:
    """What one receipt has of a cell."""

    number: str
    amount: Decimal


Shares = Mapping[Cell, Mapping[str, Share]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in bexio for a day, or is on its way: by position, and by receipt."""

    posted: tuple[Posted, ...] = ()
    sequence: int = 0
    shares: Shares = field(default_factory=dict[Cell, Mapping[str, Share]])


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A group that was sent, or was about to be, and whose outcome nobody knows."""

    id: UUID
    export: UUID
    day: date
    sequence: int
    reference: str
    request: bytes = field(repr=False)
    sent_at: datetime
    known_id: int


async def standing(session: AsyncConnection, tenant: UUID, day: date, *, with_shares: bool = False) -> Standing:
    """What stands for a day."""
    values = {"tenant": tenant, "day": day}
    rows = (await session.execute(_STANDING, values)).all()
    sequence = (await session.execute(_SEQUENCE, values)).scalar_one()
    shares = (await session.execute(_SHARES, values)).all() if with_shares and rows else ()
    posted = (_posted(row) for row in rows)
    return Standing(tuple(row for row in posted if row.lines), sequence, _by_cell(shares))


def _posted(row: Row[Any]) -> Posted:
    position = Position(row.rule_id, row.group_key, row.debit_account, row.credit_account, row.tax_id, row.tax_account)
    return Posted(position, left_of(row.amounts), row.rule_version, row.title, row.text, row.tax_code)


def _by_cell(rows: Iterable[Row[Any]]) -> Shares:
    found: dict[Cell, dict[str, Share]] = {}
    for row in rows:
        found.setdefault((row.rule_id, row.group_key), {})[row.receipt_id] = Share(row.number, row.amount)
    return found


async def add(
    session: AsyncConnection,
    tenant: UUID,
    export: UUID,
    day: date,
    groups: Sequence[Group],
    parts: Mapping[int, Mapping[str, Share]],
    now: datetime,
) -> list[UUID]:
    """Stores a day's groups as planned, in place of what was planned for it and never sent; returns their ids.

    `parts` are the receipts behind an entry, by its place among all entries of the groups.

    Raises:
        Halt: somebody else planned the day at the same time, and was faster.
    """
    await session.execute(_FORGET_PLANNED, {"tenant": tenant, "day": day})
    ids = [uuid7(now) for _ in groups]
    head = {"tenant": tenant, "day": day, "now": now, "export": export, "booked_on": groups[0].booked_on}
    lists = {
        "ids": ids,
        "sequences": [group.sequence for group in groups],
        "references": [group.reference for group in groups],
        "requests": [group.request for group in groups],
    }
    try:
        await session.execute(_ADD_GROUPS, {**head, **lists})
    except IntegrityError as error:
        raise Halt(Later(TAKEN_PAUSE, "other-export-running", counted=True)) from error
    placed = [
        (of, place, entry) for of, group in zip(ids, groups, strict=True) for place, entry in enumerate(group.entries)
    ]
    lines = [uuid7(now) for _ in placed]
    await session.execute(_ADD_LINES, {"tenant": tenant, "day": day, **_columns(lines, placed)})
    shares = [
        (line, receipt, part) for place, line in enumerate(lines) for receipt, part in parts.get(place, {}).items()
    ]
    if shares:
        await session.execute(
            _ADD_SHARES,
            {
                "tenant": tenant,
                "lines": [line for line, _, _ in shares],
                "receipts": [receipt for _, receipt, _ in shares],
                "numbers": [part.number for _, _, part in shares],
                "amounts": [part.amount for _, _, part in shares],
            },
        )
    return ids


def _columns(lines: Sequence[UUID], placed: Sequence[tuple[UUID, int, Entry]]) -> dict[str, list[Any]]:
    entries = [entry for _, _, entry in placed]
    positions = [entry.position for entry in entries]
    return {
        "ids": list(lines),
        "groups": [group for group, _, _ in placed],
        "places": [place for _, place, _ in placed],
        "rules": [position.rule for position in positions],
        "keys": [position.group_key for position in positions],
        "debits": [position.debit_account for position in positions],
        "credits": [position.credit_account for position in positions],
        "taxes": [position.tax for position in positions],
        "tax_accounts": [position.tax_account for position in positions],
        "versions": [entry.rule_version for entry in entries],
        "titles": [entry.title for entry in entries],
        "tax_codes": [entry.tax_code for entry in entries],
        "amounts": [entry.amount for entry in entries],
        "desired": [entry.desired for entry in entries],
        "posted": [entry.posted for entry in entries],
        "till_taxes": [entry.till_tax for entry in entries],
        "receipts": [entry.receipts for entry in entries],
        "texts": [entry.text for entry in entries],
    }


async def unsettled(session: AsyncConnection, tenant: UUID, day: date | None = None) -> list[Unsettled]:
    """The groups of a day, or of all days, whose outcome nobody knows."""
    rows = await session.execute(_UNSETTLED, {"tenant": tenant, "day": day})
    return [
        Unsettled(
            row.id, row.export_id, row.sale_day, row.sequence, row.reference, row.request, row.sent_at, row.known_id
        )
        for row in rows
    ]


async def intend(session: AsyncConnection, tenant: UUID, group: UUID, now: datetime) -> None:
    """Commits that a planned group is about to be sent.

    Raises:
        Halt: it is no longer planned: somebody else sent it, or planned the day anew.
    """
    if (await session.execute(_INTEND, {"tenant": tenant, "id": group, "now": now})).rowcount != 1:
        raise Halt(Later(TAKEN_PAUSE, "other-export-running", counted=True))


async def count(session: AsyncConnection, export: UUID, day: date) -> int:
    """How many entries an export has in bexio for a day."""
    return (await session.execute(_COUNT, {"export": export, "day": day})).scalar_one()


async def begun(session: AsyncConnection, export: UUID, day: date) -> bool:
    """Whether an export has sent anything for a day, whatever became of it."""
    return (await session.execute(_BEGUN, {"export": export, "day": day})).scalar_one()


async def take_back(session: AsyncConnection, group: UUID, sent_at: datetime, now: datetime) -> None:
    """Takes the intent back: bexio surely did not take the group."""
    await session.execute(_TAKE_BACK, {"id": group, "sent_at": sent_at, "now": now})


async def settle(
    session: AsyncConnection, group: UUID, sent_at: datetime, now: datetime, *, bexio_id: int | None
) -> bool:
    """Records what became of a group: made with this id, or never made. False when somebody else knew before."""
    state = LOST if bexio_id is None else POSTED
    values = {"id": group, "sent_at": sent_at, "now": now, "state": state, "bexio_id": bexio_id}
    return (await session.execute(_SETTLE, values)).rowcount == 1


def parts_of(entries: Sequence[Entry], desired: Shares, stands: Shares) -> dict[int, dict[str, Share]]:
    """The receipts behind each entry, by its place: they add up to its amount.

    A single entry of a difference has the receipts that make the difference. Of several, those that take back have
    what stands, the other one what should.
    """
    of_position: dict[Position, list[int]] = {}
    for place, entry in enumerate(entries):
        of_position.setdefault(entry.position, []).append(place)
    nothing: Mapping[str, Share] = {}
    found: dict[int, dict[str, Share]] = {}
    for position, places in of_position.items():
        cell, last = (position.rule, position.group_key), entries[places[-1]]
        wanted = desired.get(cell, nothing) if last.desired else nothing
        there = stands.get(cell, nothing) if last.posted else nothing
        if len(places) == 1:
            found[places[0]] = _difference(wanted, there)
            continue
        if last.desired:
            found[places.pop()] = _difference(wanted, nothing)
        found |= _poured(_difference(nothing, there), [(place, entries[place].amount) for place in places])
    return found


def _poured(parts: dict[str, Share], amounts: Sequence[tuple[int, Decimal]]) -> dict[int, dict[str, Share]]:
    """What stands, told to the entries that take it back one by one: nobody knows which receipt was behind which."""
    *others, (last, _) = amounts
    if not parts:
        return {place: {} for place, _ in amounts}
    receipt, share = next(iter(parts.items()))
    taken = sum((amount for _, amount in others), ZERO)
    rest = {**parts, receipt: Share(share.number, share.amount - taken)}
    whole = {place: {receipt: Share(share.number, amount)} for place, amount in others}
    return {**whole, last: {name: part for name, part in rest.items() if part.amount}}


def _difference(wanted: Mapping[str, Share], there: Mapping[str, Share]) -> dict[str, Share]:
    parts: dict[str, Share] = {}
    for receipt in {**wanted, **there}:
        here, stood = wanted.get(receipt), there.get(receipt)
        amount = (here.amount if here else ZERO) - (stood.amount if stood else ZERO)
        named = here or stood
        if amount and named is not None:
            parts[receipt] = Share(named.number, amount)
    return parts
