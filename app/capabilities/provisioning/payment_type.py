"""The payment type that means "on bexio invoice": found in the new Arcavis, or made there once.

Arcavis lets two payment types have one title, so a create whose answer was lost is not repeated: it is waited for as
long as it may still land, looked for, and only then sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.connectors.access import RemoteAccess
from app.connectors.arcavis.client import Arcavis
from app.core.clock import Clock
from app.core.errors import OutcomeUnknown, RemoteUnavailable
from app.jobs.outcomes import Later
from app.jobs.work import INTENT_LIFE, Work

TITLE = "Bexio Rechnung"
SENT = "payment_type_sent_at"
STEP = "payment_type"


@dataclass(frozen=True, slots=True)
class PaymentTypes:
    """Finds or makes it. `settle` is how long a lost create may still land."""

    remotes: RemoteAccess
    clock: Clock
    settle: timedelta

    async def find_or_make(self, work: Work) -> int | Later:
        """Its id in Arcavis; or how long to wait until a lost create must have landed."""
        arcavis = await self.remotes.arcavis(work.tenant)
        if (known := await _known(arcavis)) is not None:
            return known
        sent_at = work.memo.get(SENT)
        if sent_at is not None:
            landed = datetime.fromisoformat(sent_at) + self.settle
            if self.clock.now() < landed:
                return Later(landed - self.clock.now(), "arcavis-outcome-unknown")
        return await self._make(work, arcavis)

    async def _make(self, work: Work, arcavis: Arcavis) -> int | Later:
        now = self.clock.now()
        await work.reached("provision-payment-type-before-intent")
        await work.advance(STEP, **{SENT: now.isoformat()})
        await work.reached("provision-payment-type-before-create")
        try:
            made = await arcavis.until(now + INTENT_LIFE).make_payment_type(TITLE)
        except OutcomeUnknown as error:
            return Later(self.settle, error.code)
        except RemoteUnavailable:
            # It surely was not taken: nothing has to be waited for.
            work.note(**{SENT: None})
            raise
        await work.reached("provision-payment-type-made")
        return made


async def _known(arcavis: Arcavis) -> int | None:
    """The oldest of that title, should there be several."""
    rows = await arcavis.payment_types.list()
    named = [row.id for row in rows if row.is_active and row.title.strip().casefold() == TITLE.casefold()]
    return min(named, default=None)
