"""All that the simulated bexio holds: companies, tokens, limits, faults, requests, and writes that land late."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.bexio.company import Company
from sandbox.bexio.errors import NotFound, Unauthorized
from sandbox.bexio.faults import Faults
from sandbox.bexio.limits import Limits
from sandbox.bexio.realm import Realm
from sandbox.bexio.requests import RequestLog

Sleep = Callable[[float], Awaitable[object]]


class _Every(frozenset[str]):
    """The scopes of a personal access token: all there are."""

    def __contains__(self, _scope: object) -> bool:
        return True


ALL: frozenset[str] = _Every()


@dataclass(frozen=True, slots=True)
class Token:
    """What a bearer token stands for: one user of one company, with scopes, until it expires."""

    company_id: str
    user_id: int
    scopes: frozenset[str]
    expires_at: datetime | None

    def allows(self, scope: str) -> bool:
        """Whether it carries a scope; `_edit` includes `_show`."""
        if scope in self.scopes:
            return True
        return scope.endswith("_show") and f"{scope.removesuffix('_show')}_edit" in self.scopes


@dataclass(order=True, slots=True)
class LateWrite:
    """A write that takes effect at `due`, whether or not its sender still waits."""

    due: datetime
    number: int
    write: Callable[[], None] = field(compare=False)
    has_landed: bool = field(default=False, compare=False)


class World:
    """A host of bexio companies.

    Args:
        now: the clock; gives aware datetimes.
        sleep: waits that many seconds, for the faults that are slow.
    """

    def __init__(self, now: Callable[[], datetime], sleep: Sleep = asyncio.sleep) -> None:
        self._clock = now
        self._landing: datetime | None = None
        self._late: list[LateWrite] = []
        self._numbers = 0
        self.sleep = sleep
        self.companies: dict[str, Company] = {}
        self.tokens: dict[str, Token] = {}
        self.limits = Limits()
        self.realm = Realm()
        self.faults = Faults()
        self.requests = RequestLog()
        self.outage: str | None = None
        """As `Company.outage`, for every company."""

    def now(self) -> datetime:
        """The time; while a late write lands, the moment at which it lands."""
        return self._landing or self._clock()

    def next_number(self) -> int:
        """A number that grows."""
        self._numbers += 1
        return self._numbers

    def add_company(self, company_id: str, name: str) -> Company:
        """A company without any data; `sandbox.bexio.seed` fills it.

        Raises:
            ValueError: when the id is taken.
        """
        if company_id in self.companies:
            raise ValueError(f"the company {company_id} exists")
        company = Company(company_id, name, self.now)
        self.companies[company_id] = company
        return company

    def company(self, company_id: str | None = None) -> Company:
        """A company by its id; without an id the first one.

        Raises:
            NotFound: when there is none.
        """
        if company_id is None and self.companies:
            return next(iter(self.companies.values()))
        if company_id not in self.companies:
            raise NotFound(f"Company with id {company_id} does not exist")
        return self.companies[company_id]

    def add_token(
        self,
        company_id: str,
        token: str,
        user_id: int = 1,
        scopes: frozenset[str] = ALL,
        expires_at: datetime | None = None,
    ) -> Token:
        """A bearer token of a company's user; the default is a personal access token with every scope."""
        added = Token(company_id, user_id, scopes, expires_at)
        self.tokens[token] = added
        return added

    def revoke_token(self, token: str) -> None:
        """From now on the token is unknown."""
        self.tokens.pop(token, None)

    def token(self, bearer: str) -> Token:
        """What a bearer token stands for.

        Raises:
            Unauthorized: when it is unknown or expired.
        """
        token = self.tokens.get(bearer)
        if token is None or (token.expires_at is not None and token.expires_at <= self.now()):
            raise Unauthorized("The access token is missing, invalid or expired.")
        return token

    def land_later(self, seconds: float, write: Callable[[], None]) -> LateWrite:
        """A write that takes effect in so many seconds.

        It needs no task: nothing can see the world except through a request or `settle`, and both let due writes
        land first, at their own time and in their order.
        """
        late = LateWrite(self.now() + timedelta(seconds=seconds), self.next_number(), write)
        heapq.heappush(self._late, late)
        return late

    def land(self, late: LateWrite) -> None:
        """Let a late write take effect, with all that were due before it."""
        while not late.has_landed:
            self._land_next()

    def settle(self) -> None:
        """Let every write take effect that is due by now."""
        moment = self._clock()
        while self._late and self._late[0].due <= moment:
            self._land_next()

    def _land_next(self) -> None:
        late = heapq.heappop(self._late)
        late.has_landed, self._landing = True, late.due
        try:
            late.write()
        finally:
            self._landing = None
