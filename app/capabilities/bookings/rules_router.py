"""`/bookings/rules`: the booking rules of a tenant (module `accounting_export`)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response, status

from app.api.deps import IdempotencyKey, Language
from app.api.pagination import Page
from app.api.problems import problems
from app.capabilities.bookings.deps import Accountant, RulesService
from app.capabilities.bookings.rule_schemas import MadeDefaults, RuleContent, RuleView
from app.capabilities.bookings.rules_service import etag
from app.core.errors import (
    Conflict,
    ConnectionRefused,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RemoteUnavailable,
)

router = APIRouter(prefix="/bookings/rules", tags=["bookings"])

_TAG = {"ETag": {"description": "The version, for If-Match.", "schema": {"type": "string"}}}
_TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": _TAG}}
_REMOTE = problems(ConnectionRefused, RemoteUnavailable)
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=40, description="The ETag that was answered.")]


@router.get("", responses=problems(Forbidden))
async def list_booking_rules(caller: Accountant, rules: RulesService, language: Language) -> Page[RuleView]:
    """All rules in their order, inactive ones too."""
    return Page(items=await rules.listing(caller.tenant, language), next_cursor=None)


@router.post(
    "", status_code=status.HTTP_201_CREATED, responses={**problems(Forbidden, InvalidInput, Conflict), **_REMOTE}
)
async def create_booking_rule(
    rule: RuleContent,
    caller: Accountant,
    _key: IdempotencyKey,
    rules: RulesService,
    language: Language,
    response: Response,
) -> RuleView:
    """Makes a rule. An account or VAT code that bexio does not have is refused with what it has."""
    made = await rules.create(caller, rule, language)
    return _named(made, response)


@router.post("/defaults", status_code=status.HTTP_201_CREATED, responses={**problems(Forbidden, Conflict), **_REMOTE})
async def make_default_booking_rules(
    caller: Accountant, _key: IdempotencyKey, rules: RulesService, language: Language
) -> MadeDefaults:
    """Makes the default rules that can be told from the chart of accounts, each with its reason, and none twice.

    What cannot be told is named with its remedy; no account is invented.
    """
    return await rules.make_defaults(caller.tenant, caller.actor, language)


@router.get("/{rule_id}", responses={**_TAGGED, **problems(Forbidden, NotFound)})
async def get_booking_rule(
    rule_id: UUID, caller: Accountant, rules: RulesService, language: Language, response: Response
) -> RuleView:
    """One rule."""
    return _tagged(await rules.get(caller.tenant, rule_id, language), response)


@router.get("/{rule_id}/versions", responses=problems(Forbidden, NotFound))
async def list_booking_rule_versions(
    rule_id: UUID, caller: Accountant, rules: RulesService, language: Language
) -> Page[RuleView]:
    """Every version that the rule ever had, the latest first: old exports are explained by them."""
    return Page(items=await rules.versions(caller.tenant, rule_id, language), next_cursor=None)


@router.put(
    "/{rule_id}",
    responses={**_TAGGED, **problems(Forbidden, NotFound, InvalidInput, PreconditionFailed), **_REMOTE},
)
async def change_booking_rule(
    rule_id: UUID,
    rule: RuleContent,
    caller: Accountant,
    rules: RulesService,
    language: Language,
    response: Response,
    if_match: IfMatch = None,
) -> RuleView:
    """Replaces a rule; the version before stays. The next export of a day brings its entries in line with it."""
    return _tagged(await rules.change(caller, rule_id, rule, if_match, language), response)


@router.post("/{rule_id}/copy", status_code=status.HTTP_201_CREATED, responses=problems(Forbidden, NotFound, Conflict))
async def copy_booking_rule(
    rule_id: UUID,
    caller: Accountant,
    _key: IdempotencyKey,
    rules: RulesService,
    language: Language,
    response: Response,
) -> RuleView:
    """The same rule once more, inactive until it was changed."""
    return _named(await rules.copy(caller, rule_id, language), response)


@router.delete("/{rule_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(Forbidden, NotFound, Conflict))
async def delete_booking_rule(rule_id: UUID, caller: Accountant, rules: RulesService) -> None:
    """Takes a rule out of use. One with entries in bexio is ended with `valid_to` instead."""
    await rules.delete(caller, rule_id)


def _named(rule: RuleView, response: Response) -> RuleView:
    response.headers["Location"] = f"/bookings/rules/{rule.id}"
    return _tagged(rule, response)


def _tagged(rule: RuleView, response: Response) -> RuleView:
    response.headers["ETag"] = etag(rule.version)
    return rule
