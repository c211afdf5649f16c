"""`/bexio`: what can be chosen there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.api.deps import Backoffice
from app.api.problems import problems
from app.capabilities.connection.choices import (
    AccountChoice,
    BankAccountChoice,
    Choices,
    ChoicesService,
    PaymentTypeChoice,
    TaxChoice,
    UserChoice,
)
from app.core.errors import ConnectionRefused, RemoteUnavailable

router = APIRouter(prefix="/bexio", tags=["connection"])


async def _choices(request: Request) -> ChoicesService:
    resources = request.app.state.resources
    return ChoicesService(resources.remotes, resources.reference)


Service = Annotated[ChoicesService, Depends(_choices)]
Refresh = Annotated[bool, Query(description="Ask bexio anew instead of taking what is at most some hours old.")]
PROBLEMS = problems(ConnectionRefused, RemoteUnavailable)


@router.get("/accounts", responses=PROBLEMS)
async def list_bexio_accounts(
    caller: Backoffice, choices: Service, *, refresh: Refresh = False
) -> Choices[AccountChoice]:
    """The chart of accounts."""
    return await choices.accounts(caller.tenant, refresh=refresh)


@router.get("/taxes", responses=PROBLEMS)
async def list_bexio_taxes(caller: Backoffice, choices: Service, *, refresh: Refresh = False) -> Choices[TaxChoice]:
    """VAT codes."""
    return await choices.taxes(caller.tenant, refresh=refresh)


@router.get("/payment-types", responses=PROBLEMS)
async def list_bexio_payment_types(
    caller: Backoffice, choices: Service, *, refresh: Refresh = False
) -> Choices[PaymentTypeChoice]:
    """How invoices say that they will be paid."""
    return await choices.payment_types(caller.tenant, refresh=refresh)


@router.get("/users", responses=PROBLEMS)
async def list_bexio_users(caller: Backoffice, choices: Service, *, refresh: Refresh = False) -> Choices[UserChoice]:
    """Users of the company."""
    return await choices.users(caller.tenant, refresh=refresh)


@router.get("/bank-accounts", responses=PROBLEMS)
async def list_bexio_bank_accounts(
    caller: Backoffice, choices: Service, *, refresh: Refresh = False
) -> Choices[BankAccountChoice]:
    """Bank and cash accounts that payments may be recorded on."""
    return await choices.bank_accounts(caller.tenant, refresh=refresh)
