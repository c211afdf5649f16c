"""The outbox: a mail is a row and its work, made in the transaction of the event that it tells of.

An event is mailed once to each recipient: `(tenant, event, recipient)` is unique, however often the event is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.ids import uuid7
from app.core.priority import Priority
from app.jobs import operations
from app.jobs.engine import wake

KIND = "mail"
# What a sealed secret in a mail is bound to, beside its tenant.
MAIL_SECRET = "mail.secret"  # noqa: S105 - the column's name
LASTS = timedelta(days=3)

_READERS = text(
    "select t.name, coalesce(s.values->>'language', t.language) as language,"
    " coalesce(s.values->'notification_emails', '[]') as recipients"
    " from tenant t left join tenant_settings s on s.tenant_id = t.id where t.id = :tenant"
)
_PUT = text(
    "insert into mail (id, tenant_id, event, template, recipient, language, params, secret, state, created_at,"
    " expires_at) values (:id, :tenant, :event, :template, :recipient, :language, :params, :secret, 'waiting', :now,"
    " :expires_at) on conflict (tenant_id, event, recipient) do nothing returning id"
).bindparams(bindparam("params", type_=JSONB))
_READ = text("select state, recipient, template, language, params, secret, state, expires_at from mail where id = :id")
# What was said is of no use any more, and the password must not stay.
_END = text(
    "update mail set state = :state, params = '{}', secret = null,"
    " sent_at = case when :state = 'sent' then cast(:now as timestamptz) end where id = :id"
)
_ERASE = text("update mail set secret = null where secret is not null and expires_at < :now")
_FORGET = text("delete from mail where template = 'mail-digest' and created_at < :before")
DIGESTS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Mail:
    """What is told: `template` is a code of the catalogue that `params` fill in (see `letters`).

    `secret` is sealed for `MAIL_SECRET`; it is erased when the mail is sent. After `lasts` it is not sent any more.
    """

    event: str
    template: str
    params: Mapping[str, Any]
    secret: bytes | None = None
    lasts: timedelta = LASTS


async def put(
    session: AsyncConnection,
    tenant: UUID,
    mail: Mail,
    now: datetime,
    *,
    recipients: Sequence[str] | None = None,
    language: str | None = None,
) -> int:
    """Hands a mail in, to the tenant's `notification_emails` unless told otherwise; how many are new.

    The tenant's name is added to the parameters as `company`.
    """
    readers = (await session.execute(_READERS, {"tenant": tenant})).one()
    new = 0
    for recipient in dict.fromkeys(readers.recipients if recipients is None else recipients):
        values = {
            "id": uuid7(now),
            "tenant": tenant,
            "event": mail.event,
            "template": mail.template,
            "recipient": recipient,
            "language": language or readers.language,
            "params": {"company": readers.name, **mail.params},
            "secret": mail.secret,
            "now": now,
            "expires_at": now + mail.lasts,
        }
        made = (await session.execute(_PUT, values)).scalar_one_or_none()
        if made is not None:
            new += 1
            await operations.add(session, tenant=tenant, kind=KIND, subject=made, priority=Priority.BACKOFFICE, now=now)
    if new:
        await wake(session, Priority.BACKOFFICE)
    return new


async def read(session: AsyncConnection, mail: UUID) -> Row[Any] | None:
    """One mail of the transaction's tenant."""
    return (await session.execute(_READ, {"id": mail})).first()


async def end(session: AsyncConnection, mail: UUID, state: str, now: datetime) -> None:
    """Nothing more happens to the mail, whose state says how it ended. Forgets what it said."""
    await session.execute(_END, {"id": mail, "state": state, "now": now})


async def tidy(session: AsyncConnection, now: datetime) -> None:
    """Erases secrets that were not fetched in time, and forgets old digests."""
    await session.execute(_ERASE, {"now": now})
    await session.execute(_FORGET, {"before": now - DIGESTS_KEPT})
