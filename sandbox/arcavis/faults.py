"""Switchable faults and the count of requests, both read and set under `/_sandbox/`."""

from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum

from sandbox.arcavis.errors import BadRequestError
from sandbox.arcavis.values import Record, flag, number, optional_whole, text


class FaultKind(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    """the answer comes `seconds` late"""
    TIMEOUT = "timeout"
    """no answer for `seconds`, then a gateway's 504"""
    ERROR = "error"
    """500 with an envelope"""
    UNAVAILABLE = "unavailable"
    """503 with an empty body"""
    CONFLICT = "conflict"
    """409 with an envelope: as for what a record's state does not allow"""
    UNAUTHORIZED = "unauthorized"
    """401 although the credentials are right"""
    HTML = "html"
    """200 with an HTML page, as a proxy gives it"""
    HALF_PAGE = "half_page"
    """a JSON body that ends in its middle"""
    REPEATED_ROW = "repeated_row"
    """a page that begins with the last row of the page before"""
    REPLAY = "replay"
    """a diff that delivers everything again, as if the cursor were forgotten"""


@dataclass(slots=True)
class Fault:
    """A fault and the requests that it strikes: `times` more, or all when None.

    Empty `tenant`, `method`, `path` and `body` match everything; `path` is a part of the path, `body` one of the body.
    `after_write` lets the work be done before it strikes; otherwise nothing happened.
    """

    kind: FaultKind
    tenant: str = ""
    method: str = ""
    path: str = ""
    times: int | None = 1
    seconds: float = 1.0
    after_write: bool = False
    body: str = ""
    struck: int = 0

    def matches(self, tenant: str, method: str, path: str, body: bytes = b"") -> bool:
        """Whether this request is struck now."""
        if self.times == 0 or self.tenant not in {"", tenant} or self.method not in {"", method}:
            return False
        return self.path in path and self.body.encode() in body

    def strike(self) -> None:
        """Count a hit."""
        self.struck += 1
        if self.times is not None:
            self.times -= 1


class FaultBoard:
    """The faults that are switched on, in order; the first that matches strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        self._faults.clear()

    def take(self, tenant: str, method: str, path: str, body: bytes = b"") -> Fault | None:
        """The fault that strikes this request, counted as struck."""
        found = next((fault for fault in self._faults if fault.matches(tenant, method, path, body)), None)
        if found is not None:
            found.strike()
        return found

    def report(self) -> list[Record]:
        """All faults with how often they struck."""
        return [asdict(fault) for fault in self._faults]


def read_fault(given: Record) -> Fault:
    """A fault from the control API's JSON; `times: null` means until cleared.

    Raises:
        BadRequestError: for an unknown kind.
    """
    kind = text(given.get("kind"))
    if kind not in set(FaultKind):
        raise BadRequestError(f"kind is one of {', '.join(FaultKind)}")
    return Fault(
        FaultKind(kind),
        tenant=text(given.get("tenant")),
        method=text(given.get("method")).upper(),
        path=text(given.get("path")),
        times=optional_whole(given["times"]) if "times" in given else 1,
        seconds=float(number(given.get("seconds"), number(1))),
        after_write=flag(given.get("after_write")),
        body=text(given.get("body")),
    )


class RequestLog:
    """How many requests came, by tenant, route and status."""

    def __init__(self) -> None:
        self._by_tenant: Counter[str] = Counter()
        self._writes: Counter[tuple[str, str]] = Counter()
        self._by_route: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()

    def count(self, tenant: str, route: str, status: int) -> None:
        """Count one request; `route` is method and path with `{id}` for ids."""
        self._by_tenant[tenant] += 1
        if not route.startswith("GET "):
            self._writes[tenant, route] += 1
        self._by_route[route] += 1
        self._by_status[str(status)] += 1

    def writes(self, tenant: str) -> dict[str, int]:
        """What could have changed something in a tenant, counted by route."""
        return {route: count for (slug, route), count in self._writes.items() if slug == tenant}

    def clear(self) -> None:
        """Start counting anew."""
        for counter in (self._by_tenant, self._by_route, self._by_status):
            counter.clear()
        self._writes.clear()

    def report(self) -> Record:
        """All counts and their total."""
        return {
            "total": self._by_status.total(),
            "by_tenant": dict(self._by_tenant),
            "by_route": dict(self._by_route),
            "by_status": dict(self._by_status),
            "writes_by_tenant": {tenant: self.writes(tenant) for tenant in self._by_tenant},
        }
