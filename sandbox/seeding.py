"""Very many people and articles over the control APIs of both simulators, for callers that do not import the sandbox.

Both sides draw from the same seed, so that the same people are on both without either knowing the other.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from sandbox.arcavis.contacts import CUSTOMERS, SUPPLIERS
from sandbox.arcavis.control import endpoint, tenant_of
from sandbox.arcavis.errors import BadRequestError
from sandbox.arcavis.values import Record, flag, number, text, whole
from sandbox.arcavis.world import World
from sandbox.bexio import contacts
from sandbox.bexio.company import Company
from sandbox.bexio.control import Actions
from sandbox.goods import fill_articles, goods
from sandbox.people.identity import Identity, people
from sandbox.people.pairs import Pair, labelled_pairs
from sandbox.people.records import fill_arcavis, fill_bexio

_MAX_COUNT = 1_000_000


def seeding_routes(world: World) -> list[Route]:
    """The routes that fill a tenant of the simulated Arcavis, to be passed to its `create_app`."""
    tenant = "/_sandbox/tenants/{tenant}"
    return [
        Route(f"{tenant}/people", endpoint(world, _people_to_arcavis), methods=["POST"]),
        Route(f"{tenant}/pairs", endpoint(world, _pairs_to_arcavis), methods=["POST"]),
    ]


def _people_to_arcavis(world: World, request: Request, body: Record) -> object:
    """`{count, seed?, skip?, suppliers?}`: people as customers, or as suppliers."""
    tenant = tenant_of(world, request)
    if flag(body.get("suppliers")):
        return {"made": fill_arcavis(tenant, _drawn(_counted(body)), "L-1", SUPPLIERS)}
    return {"made": fill_arcavis(tenant, _drawn(_counted(body)))}


def _people_to_bexio(company: Company, body: Record) -> object:
    """`{count, seed?, skip?, groups?, age_days?}`: people as contacts.

    `groups` as bexio writes them, "2" unless given; `age_days` is how long ago they were changed last.
    """
    age = timedelta(days=whole(body.get("age_days")))
    return {"made": fill_bexio(company, _drawn(body), text(body.get("groups", "2")) or None, age)}


def _pairs_to_arcavis(world: World, request: Request, body: Record) -> object:
    """`{count, seed?, profile?}`: the Arcavis half of labelled pairs. Answers `[{id, same, case}]` in their order."""
    tenant = tenant_of(world, request)
    return [_labelled(CUSTOMERS.upsert(tenant, pair.arcavis), pair) for pair in _pairs(_counted(body))]


def _pairs_to_bexio(company: Company, body: Record) -> object:
    """`{count, seed?, profile?}`: the bexio half of labelled pairs. Answers `[{id, same, case}]` in their order."""
    return [_labelled(contacts.create(company, pair.bexio)["id"], pair) for pair in _pairs(body)]


def _articles_to_bexio(company: Company, body: Record) -> object:
    """`{count, seed?, net?, problems?}`: articles; `problems` is the share of those that have one."""
    drawn = goods(
        company,
        _count(body),
        whole(body.get("seed")),
        is_net=flag(body.get("net")),
        problem_share=float(number(body.get("problems"))),
    )
    return {"made": fill_articles(company, drawn)}


BEXIO_ACTIONS: Final[Actions] = {
    ("POST", "actions/seed-people"): _people_to_bexio,
    ("POST", "actions/seed-pairs"): _pairs_to_bexio,
    ("POST", "actions/seed-articles"): _articles_to_bexio,
}
"""Control actions that fill a company of the simulated bexio, to be passed to its `create_app`."""


def _drawn(body: Record) -> Iterator[Identity]:
    skip = whole(body.get("skip"))
    return islice(people(_count(body) + skip, whole(body.get("seed"))), skip, None)


def _pairs(body: Record) -> Iterator[Pair]:
    return labelled_pairs(_count(body), whole(body.get("seed")), text(body.get("profile")) or "office")


def _labelled(record_id: int, pair: Pair) -> Record:
    return {"id": record_id, "same": pair.same, "case": pair.case}


def _count(body: Record) -> int:
    count = whole(body.get("count"))
    if not 1 <= count <= _MAX_COUNT:
        raise ValueError(f"count is 1 to {_MAX_COUNT}")
    return count


def _counted(body: Record) -> Record:
    """The body, its count checked as the control API of Arcavis refuses."""
    try:
        _count(body)
    except ValueError as error:
        raise BadRequestError(str(error)) from None
    return body
