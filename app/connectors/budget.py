"""bexio's request budget per company and bucket, shared by all replicas and spent by priority.

bexio counts requests per company in fixed minutes and tells how many are left (`RateLimit-*`). The row in
Postgres follows that minute. Work that can wait leaves a part of it unspent, as much as urgent work may still
need in the time that is left: so bulk work runs in a burst, then at the pace at which its reserve melts (a
GCRA), and at the end of the minute nothing is left over. One statement decides; it also carries what the last
answers told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text

from app.core.clock import Clock
from app.core.errors import RemoteUnavailable
from app.core.priority import Priority
from app.db.session import Database

WINDOW = timedelta(seconds=60)
LEASE = 4
LEASE_TIME = timedelta(seconds=10)
_ANOTHER_MINUTE = 0.5
_ABSURD_LIMIT = 1_000_000
_ABSURD_SECONDS = 3600


class Bucket(StrEnum):
    """bexio's classes of requests, counted apart. PDFs count as searches."""

    GENERAL = "general"
    ARTICLES = "articles"
    SEARCH = "search"


# As recorded in June 2026; the headers correct them.
CAPACITY = {Bucket.GENERAL: 1000, Bucket.ARTICLES: 400, Bucket.SEARCH: 250}
# The part of a whole minute that is left to more urgent work, and how many seconds a call waits for its turn.
RESERVE = {Priority.TILL: 0.0, Priority.BACKOFFICE: 0.1, Priority.BULK: 0.25}
PATIENCE = {Priority.TILL: 2.0, Priority.BACKOFFICE: 3.0, Priority.BULK: 5.0}

_SPEND = text(
    "select * from spend_request(:company, :bucket, :now, :window, :capacity, :reserve, :ahead, :lease,"
    " :returned, :returned_from, :limit, :remaining, :reset_at, :sent_at)"
)
_REFUSE = text(
    "update rate_budget set blocked_until = greatest(blocked_until, :until)"
    " where company_id = :company and bucket = :bucket returning bucket"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer told: the limit, what was left of it, and when it starts again."""

    limit: int
    remaining: int
    reset_at: datetime
    sent_at: datetime


@dataclass(slots=True)
class _Leased:
    tokens: int
    until: datetime
    window_end: datetime


def read_headers(headers: Mapping[str, str], sent_at: datetime) -> Heard | None:
    """What `RateLimit-*` say; None when they are absent or unreadable.

    The remote's seconds count from the moment of sending, not of the answer: a gateway counts when a request
    arrives.
    """
    try:
        limit, remaining = int(headers["ratelimit-limit"]), int(headers["ratelimit-remaining"])
        seconds = float(headers["ratelimit-reset"])
    except (KeyError, ValueError):
        return None
    if not (0 < limit <= _ABSURD_LIMIT and 0 <= remaining <= limit and 0 < seconds <= _ABSURD_SECONDS):
        return None
    return Heard(limit, remaining, sent_at + timedelta(seconds=seconds), sent_at)


class Budgets:
    """This process's door to the shared budgets."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        window: timedelta = WINDOW,
        patience: Mapping[Priority, float] = PATIENCE,
    ) -> None:
        self._db = db
        self._clock = clock
        self._window = window
        self._patience = patience
        self._leased: dict[tuple[str, Bucket], _Leased] = {}
        self._heard: dict[tuple[str, Bucket], Heard] = {}

    def of(self, company: str, priority: Priority) -> CompanyBudget:
        """The budget of one company for work of one priority."""
        return CompanyBudget(self, company, priority)

    async def acquire(self, company: str, bucket: Bucket, priority: Priority) -> None:
        """Returns when one request may be sent, normally at once and within one round trip.

        Raises:
            RemoteUnavailable: its turn is further away than the patience of its priority.
        """
        key = (company, bucket)
        if self._take_leased(key):
            return
        patience = self._patience[priority]
        while True:
            granted, wait = await self._spend(key, priority, self._patience[priority] / 10)
            if not granted and wait > patience:
                raise RemoteUnavailable("bexio-budget-spent", "bexio", retry_after=wait)
            if wait > 0:
                await self._clock.sleep(wait)
            if granted:
                return
            patience -= wait

    def heard(self, company: str, bucket: Bucket, headers: Mapping[str, str], sent_at: datetime) -> None:
        """Keeps what an answer told, for the next `acquire` to take along."""
        told = read_headers(headers, sent_at)
        if told is None:
            return
        key = (company, bucket)
        known = self._heard.get(key)
        # Answers overtake each other: the later minute counts, and within one minute the least that was left.
        later = (told.reset_at - known.reset_at) / self._window if known is not None else 1.0
        if known is None or later > _ANOTHER_MINUTE or (later > -_ANOTHER_MINUTE and told.remaining <= known.remaining):
            self._heard[key] = told

    async def refused(self, company: str, bucket: Bucket, seconds: float) -> None:
        """After a 429 nobody asks again for `seconds`."""
        self._leased.pop((company, bucket), None)
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._db.execute_alone(_REFUSE, {"company": company, "bucket": bucket.value, "until": until})

    def _take_leased(self, key: tuple[str, Bucket]) -> bool:
        leased = self._leased.get(key)
        if leased is None or leased.tokens == 0 or self._clock.now() >= leased.until:
            return False
        leased.tokens -= 1
        return True

    async def _spend(self, key: tuple[str, Bucket], priority: Priority, ahead: float) -> tuple[int, float]:
        company, bucket = key
        now = self._clock.now()
        leased = self._leased.get(key)
        returned = self._leased.pop(key) if leased is not None and now >= leased.until else None
        heard = self._heard.pop(key, None)
        row = await self._db.execute_alone(
            _SPEND,
            {
                "company": company,
                "bucket": bucket.value,
                "now": now,
                "window": self._window,
                "capacity": CAPACITY[bucket],
                "reserve": RESERVE[priority],
                "ahead": ahead,
                "lease": LEASE,
                "returned": returned.tokens if returned else 0,
                "returned_from": returned.window_end if returned else now,
                "limit": heard.limit if heard else None,
                "remaining": heard.remaining if heard else None,
                "reset_at": heard.reset_at if heard else None,
                "sent_at": heard.sent_at if heard else None,
            },
        )
        if row is None:
            raise RuntimeError("spend_request always answers.")
        self._lease(key, row.granted - 1, min(row.window_end, now + LEASE_TIME), row.window_end)
        return row.granted, row.wait

    def _lease(self, key: tuple[str, Bucket], tokens: int, until: datetime, window_end: datetime) -> None:
        if tokens <= 0:
            return
        held = self._leased.get(key)
        # What is left of an earlier minute is worth nothing in this one.
        if held is not None and window_end - held.window_end < self._window / 2:
            tokens += held.tokens
        self._leased[key] = _Leased(tokens, until, window_end)


@dataclass(frozen=True, slots=True)
class CompanyBudget:
    """One company's budget as work of one priority sees it."""

    budgets: Budgets
    company: str
    priority: Priority

    async def acquire(self, bucket: Bucket) -> None:
        """See `Budgets.acquire`."""
        await self.budgets.acquire(self.company, bucket, self.priority)

    def heard(self, bucket: Bucket, headers: Mapping[str, str], sent_at: datetime) -> None:
        """See `Budgets.heard`."""
        self.budgets.heard(self.company, bucket, headers, sent_at)

    async def refused(self, bucket: Bucket, seconds: float) -> None:
        """See `Budgets.refused`."""
        await self.budgets.refused(self.company, bucket, seconds)
