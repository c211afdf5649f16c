"""Every operation of the served document, those of tomorrow included; more of it with `make soak ARGS=api`."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.session import Database
from tests.capabilities.test_isolation import named_records
from tests.fixtures.shop import Shop, open_shop
from tests.fuzzing.trial import (
    DOCUMENT,
    METHODS,
    OPERATIONS,
    Target,
    assert_told,
    check,
    examples_each,
    is_public,
    kinds,
)

EXAMPLES = int(os.environ.get("CONNECTOR_TEST_EXAMPLES", "0"))
fuzzed = settings(
    max_examples=EXAMPLES or examples_each(),
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    # A failure is shown as it was found: making it small would take minutes where seconds are promised.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
PATHS: dict[str, dict[str, Any]] = DOCUMENT["paths"]
SECURED = [label for label in OPERATIONS if not is_public(label.split(" ", 1)[1])]


@pytest.fixture(scope="module")
async def served(migrated: URL) -> AsyncGenerator[Shop]:
    owner, db = create_async_engine(migrated), Database(migrated.render_as_string(hide_password=False))
    async with open_shop(owner, db) as shop:
        yield shop
    await db.close()
    await owner.dispose()


async def new_target(served: Shop) -> Target:
    tenant = await served.tenant()
    records = {name: str(value) for name, value in (await named_records(tenant)).items()}
    # A run that goes on would be watched for ten minutes.
    await tenant.execute("update run set state = 'done', finished_at = now()")
    invoice = next(iter(tenant.company.invoices))
    return Target(tenant, {**records, "bexio_id": str(invoice.id), "slug": tenant.slug})


@pytest.fixture
async def target(served: Shop) -> Target:
    """A tenant of its own for each operation: what one breaks is no concern of the next."""
    return await new_target(served)


@pytest.fixture(scope="module")
async def closed(served: Shop) -> Target:
    """One for all requests that come to nothing."""
    return await new_target(served)


@pytest.mark.parametrize(("label", "mode"), [(label, mode) for label in OPERATIONS for mode in kinds(label)])
@fuzzed
@given(data=st.data())
async def test_whatever_is_sent_is_answered_as_the_document_says(
    target: Target, label: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case = data.draw(OPERATIONS[label].as_strategy(generation_mode=mode))
    check(case, await target.send(case, mode))


@pytest.mark.parametrize("label", SECURED)
async def test_no_operation_ignores_the_key(closed: Target, label: str) -> None:
    method, path = label.split(" ", 1)
    assert PATHS[path][method.lower()].get("security"), "A new public route must be named in PUBLIC."
    url = re.sub(r"{(\w+)}", lambda found: closed.records.get(found[1], "1"), path)
    body = PATHS[path][method.lower()].get("requestBody", {}).get("content", {}).get("application/json", {})
    parts: dict[str, Any] = {"method": method, "url": f"http://connector{url}"}
    if "example" in body:
        parts["json"] = body["example"]
    for headers in ({}, {"Authorization": "Bearer abx_backoffice_invented"}, {"Authorization": "Basic YTpi"}):
        answer = await closed.raw(parts, headers)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED, (headers, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert_told(answer)


@pytest.mark.parametrize("path", PATHS)
async def test_other_methods_are_refused_with_those_that_are_not(closed: Target, path: str) -> None:
    url = re.sub(r"{(\w+)}", lambda found: closed.records.get(found[1], "1"), path)
    headers = {"Authorization": f"Bearer {closed.tenant.keys['backoffice']}"}
    for method in {*METHODS, "trace", "query"} - PATHS[path].keys():
        answer = await closed.raw({"method": method.upper(), "url": f"http://connector{url}"}, headers)
        if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            assert_told(answer)
            allowed = {one.strip().lower() for one in answer.headers["allow"].split(",")}
            assert allowed & PATHS[path].keys()
        else:
            # `/invoices/open` is also `/invoices/{invoice_id}`, whose methods differ.
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            assert_told(answer)
