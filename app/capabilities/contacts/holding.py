"""Keeping others from merging the same contacts while they are written.

A merge rests on the base that was loaded. Whoever writes first holds the link, and only while its base is still that
one: a sync and the backoffice that saved the contact never write over each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.capabilities.contacts import pairs
from app.capabilities.contacts.editing import Job
from app.jobs import operations
from app.jobs.outcomes import Halt, Later
from app.jobs.work import Work

PAUSE = timedelta(seconds=2)


async def held(work: Work, jobs: Sequence[Job]) -> list[Job]:
    """The jobs whose links are ours until they are stored; those without a link yet are nobody's."""
    known = [job.case.pair for job in jobs if job.case.pair is not None]
    if not known:
        return list(jobs)
    async with work.db.begin(work.tenant) as session:
        await operations.hold(session, work.operation)
        ours = await pairs.hold(session, work.tenant, known, work.operation.id, work.clock.now())
    return [job for job in jobs if (pair := job.case.pair) is None or (pair.kind, pair.arcavis_id) in ours]


def busy() -> Halt:
    """Somebody else merges one of the contacts, or has done so meanwhile: it is read and merged anew."""
    return Halt(Later(PAUSE, "contact-being-resolved"))
