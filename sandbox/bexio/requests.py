"""The requests that the simulator received: counted, and the latest kept in order."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime

from sandbox.bexio.values import Record

TAIL = 20_000


@dataclass(slots=True)
class LoggedRequest:
    """One request; `status` 0 means that no answer was given (yet), `fault` names what struck it."""

    number: int
    at: datetime
    company_id: str | None
    method: str
    path: str
    route: str
    status: int = 0
    fault: str | None = None

    @property
    def is_write(self) -> bool:
        """Whether it could change something: anything but a GET or a search."""
        return is_write(f"{self.method} {self.route}")


def is_write(route: str) -> bool:
    """Whether a method and path could change something."""
    return not route.startswith("GET ") and not route.endswith("/search")


class RequestLog:
    """Requests in order of arrival."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.tail: deque[LoggedRequest] = deque(maxlen=TAIL)
        self.total = 0
        self.writes = 0
        self.by_route: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()

    def add(self, request: LoggedRequest) -> None:
        """Count a request that arrived."""
        self.tail.append(request)
        self.total += 1
        self.writes += request.is_write
        self.by_route[f"{request.method} {request.route}"] += 1

    def answered(self, status: int) -> None:
        """Count an answer."""
        self.by_status[status] += 1

    def report(self, latest: int = 100) -> Record:
        """Counts, and the latest requests in order."""
        kept = list(self.tail)[-latest:] if latest > 0 else []
        return {
            "total": self.total,
            "writes": self.writes,
            "reads": self.total - self.writes,
            "unanswered": self.total - self.by_status.total(),
            "by_route": dict(self.by_route),
            "writes_by_route": {route: count for route, count in self.by_route.items() if is_write(route)},
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "latest": [
                {
                    "number": each.number,
                    "at": each.at.isoformat(),
                    "company_id": each.company_id,
                    "method": each.method,
                    "path": each.path,
                    "status": each.status,
                    "fault": each.fault,
                }
                for each in kept
            ],
        }
