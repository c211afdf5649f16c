from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.processes.shop import Shop, Stage, opened_shop, opened_stage


@pytest.fixture(scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with opened_stage() as opened:
        yield opened


@pytest.fixture
async def shop(stage: Stage) -> AsyncGenerator[Shop]:
    async with opened_shop(stage) as opened:
        yield opened
