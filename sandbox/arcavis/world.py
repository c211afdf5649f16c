"""All that the simulated Arcavis holds: tenants, faults, and the count of requests."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from sandbox.arcavis.errors import BadRequestError, UnknownRecordError
from sandbox.arcavis.faults import FaultBoard, RequestLog
from sandbox.arcavis.tenant import ApiUser, Tenant
from sandbox.arcavis.values import Record

Sleep = Callable[[float], Awaitable[object]]


class World:
    """A host of Arcavis environments.

    Args:
        now: the clock; gives aware datetimes.
        sleep: waits that many seconds, for the faults that are slow.
    """

    def __init__(self, now: Callable[[], datetime], sleep: Sleep = asyncio.sleep) -> None:
        self.now = now
        self.sleep = sleep
        self.faults = FaultBoard()
        self.requests = RequestLog()
        self.tenants: dict[str, Tenant] = {}
        self.environments: dict[str, Record] = {}
        """What hosting made, by `external_id`."""

    def add_tenant(self, slug: str, username: str, password: str) -> Tenant:
        """A new, empty environment under the path `/{slug}/api/`.

        Raises:
            BadRequestError: when the slug is taken or unusable in a path.
        """
        if not slug.replace("-", "").isalnum() or slug in self.tenants:
            raise BadRequestError(f"the slug {slug!r} is taken or unusable")
        tenant = Tenant(slug, ApiUser(username, password), self.now)
        self.tenants[slug] = tenant
        return tenant

    def tenant(self, slug: str) -> Tenant:
        """The environment with this slug.

        Raises:
            UnknownRecordError: when there is none.
        """
        try:
            return self.tenants[slug]
        except KeyError:
            raise UnknownRecordError("TenantNotFound") from None
