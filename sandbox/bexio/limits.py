"""bexio's request limits: per company and minute, three buckets that count separately."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Bucket(StrEnum):
    """Which limit a request counts against."""

    GENERAL = "general"
    SEARCH = "search"
    """searches of contacts, invoices, quotes and articles, and PDFs"""
    ARTICLE = "article"
    """articles, except their search"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A bucket after a request: `reset` are the seconds to the next window."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """As bexio names them."""
        limit, remaining = str(self.limit), str(self.remaining)
        return {
            "RateLimit-Limit": limit,
            "RateLimit-Remaining": remaining,
            "RateLimit-Reset": str(self.reset),
            "X-RateLimit-Limit-Minute": limit,
            "X-RateLimit-Remaining-Minute": remaining,
        }


def _numbers() -> dict[Bucket, int]:
    return {Bucket.GENERAL: 1000, Bucket.SEARCH: 250, Bucket.ARTICLE: 400}


@dataclass(slots=True)
class Limits:
    """The numbers recorded from the real bexio; fixed windows that begin with the clock's minute."""

    enabled: bool = True
    window_seconds: float = 60.0
    numbers: dict[Bucket, int] = field(default_factory=_numbers)
    _used: dict[tuple[str, Bucket], tuple[int, int]] = field(default_factory=dict[tuple[str, Bucket], tuple[int, int]])

    def take(self, company_id: str, bucket: Bucket, now: datetime) -> Standing | None:
        """Count a request; None when limits are switched off. A refused request counts nothing."""
        if not self.enabled:
            return None
        moment = now.timestamp()
        window = int(moment // self.window_seconds)
        reset = max(1, round((window + 1) * self.window_seconds - moment + 0.499))
        limit = self.numbers[bucket]
        seen, used = self._used.get((company_id, bucket), (window, 0))
        used = used if seen == window else 0
        if used >= limit:
            return Standing(limit, 0, reset, exceeded=True)
        self._used[company_id, bucket] = (window, used + 1)
        return Standing(limit, limit - used - 1, reset, exceeded=False)

    def clear(self) -> None:
        """Forget what was used."""
        self._used.clear()
