"""How far a new shop came, for a person in front of the page and for programs. Reads, and decides nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.api.explanation import Explanation, explained
from app.capabilities.provisioning import records
from app.capabilities.provisioning.imports import figures, share_of
from app.capabilities.provisioning.intake import LOST
from app.capabilities.provisioning.schemas import Choice, Provision, StepState, StepView
from app.capabilities.provisioning.steps import TITLES, Step, following, percent
from app.capabilities.provisioning.stuck import Stuck, stuck, told
from app.core.catalogue import translate
from app.core.clock import Clock
from app.core.errors import NotFound
from app.db.session import Database
from app.jobs import runs
from app.jobs.runs import Run

WATCHED_FOR = 600.0
HEARTBEAT_SECONDS = 15.0
SHORTEST_STEP = 0.25
# Why work waits when all is well.
_CALM = frozenset({"provision-imports-run", "asked-again"})


@dataclass(frozen=True, slots=True)
class Progress:
    """Looks at activations and the shops they made."""

    db: Database
    clock: Clock

    async def read(self, identity: UUID, language: str) -> Provision:
        """One activation as it is now.

        Raises:
            NotFound: `provision-not-found`.
        """
        async with self.db.begin_system() as session:
            activation = await records.activation(session, identity)
        if activation is None:
            raise NotFound("provision-not-found")
        if activation.tenant_id is None:
            return _before(activation, language, self.clock.now())
        async with self.db.begin(activation.tenant_id) as session:
            shop = await records.shop(session, activation.tenant_id)
            item = await records.open_item(session, activation.tenant_id)
            found = {Step(name): await runs.read(session, UUID(run)) for name, run in shop.runs.items()}
            waiting = await stuck(session, activation.tenant_id, found.values())
        return _after(activation, shop, _reason(shop, item, waiting, language), waiting, found, language)

    async def tenant_of(self, identity: UUID) -> UUID | None:
        """The tenant that an activation made or found; None before that."""
        async with self.db.begin_system() as session:
            activation = await records.activation(session, identity)
        return activation.tenant_id if activation is not None else None

    async def watch(
        self, identity: UUID, language: str, pause: Callable[[float], Awaitable[None]]
    ) -> AsyncGenerator[Provision | None]:
        """It as it is now and after every change until it is over, for ten minutes at most; None to stay in touch."""
        began = spoken = self.clock.monotonic()
        seen: Provision | None = None
        while True:
            found = await self.read(identity, language)
            if found != seen:
                seen, spoken = found, self.clock.monotonic()
                yield found
            elif self.clock.monotonic() - spoken >= HEARTBEAT_SECONDS:
                spoken = self.clock.monotonic()
                yield None
            if found.finished or self.clock.monotonic() - began >= WATCHED_FOR:
                return
            await self.clock.sleep(SHORTEST_STEP)
            await pause(HEARTBEAT_SECONDS)


def _before(activation: Row[Any], language: str, now: datetime) -> Provision:
    """No tenant yet: the code is being exchanged, or the company looked at, or neither will happen any more."""
    state, reason = activation.state, activation.reason
    if state == "authorizing" and activation.held_until <= now:
        # Whoever exchanged the code is gone, and the code with it.
        state, reason = "failed", LOST
    ended = state in {"refused", "failed"}
    steps = [_step(step, "waiting" if ended and step is Step.COMPANY else "pending", language) for step in Step]
    if not ended:
        steps[0] = _step(Step.COMPANY, "running", language)
    return Provision(
        id=activation.id,
        status=state if ended else "authorizing",
        company_name=activation.company_name,
        progress=0,
        steps=steps,
        reason=explained(reason, activation.params, language) if ended and reason else None,
        login_url=None,
        created_at=activation.created_at,
        updated_at=activation.updated_at,
    )


def _after(
    activation: Row[Any],
    shop: Row[Any],
    reason: Explanation | None,
    waiting: Sequence[Stuck],
    found: Mapping[Step, Run],
    language: str,
) -> Provision:
    held = {one.subject for one in waiting}
    over = following(shop.done) is None
    shares = {step: share_of(run) for step, run in found.items()}
    return Provision(
        id=activation.id,
        status="done" if over else "waiting" if reason is not None else "running",
        company_name=shop.name,
        progress=max(shop.progress, percent(shop.done, shares)),
        steps=[_shown(step, shop, found.get(step), language, held, waits=reason is not None) for step in Step],
        reason=None if over else reason,
        login_url=shop.login_url,
        created_at=activation.created_at,
        updated_at=max([shop.updated_at, *(run.updated_at for run in found.values())]),
    )


def _reason(shop: Row[Any], item: Row[Any] | None, waiting: Sequence[Stuck], language: str) -> Explanation | None:
    if item is not None:
        return told(item.code, item.params, language)
    if waiting:
        return told(waiting[0].code, waiting[0].params, language)
    if shop.state != "waiting" or shop.reason is None or shop.reason in _CALM:
        return None
    return told(shop.reason, {}, language)


def _shown(
    step: Step, shop: Row[Any], run: Run | None, language: str, held: Container[UUID], *, waits: bool
) -> StepView:
    done: Mapping[str, Any] | None = shop.done.get(step.value)
    if done is not None:
        return _step(
            step,
            "skipped" if done.get("skipped") else "done",
            language,
            counts=done.get("counts", {}),
            total=done.get("total"),
            choices=[_choice(one, language) for one in done.get("choices", [])],
            notes=[Explanation.model_validate(one) for one in done.get("notes", [])],
            finished_at=datetime.fromisoformat(done["at"]),
        )
    if run is not None:
        state: StepState = "waiting" if run.state == "failed" or run.id in held else "running"
        return _step(step, state, language, counts=figures(run), total=run.total)
    if step is not following(shop.done):
        return _step(step, "pending", language)
    return _step(step, "waiting" if waits else "running", language)


def _choice(given: Mapping[str, str], language: str) -> Choice:
    return Choice(setting=given["setting"], value=given["value"], reason=translate(given["reason"], language))


def _step(
    step: Step,
    state: StepState,
    language: str,
    *,
    counts: Mapping[str, int] | None = None,
    total: int | None = None,
    choices: list[Choice] | None = None,
    notes: list[Explanation] | None = None,
    finished_at: datetime | None = None,
) -> StepView:
    return StepView(
        name=step.value,
        title=translate(TITLES[step], language),
        state=state,
        counts=dict(counts or {}),
        total=total,
        choices=choices or [],
        notes=notes or [],
        finished_at=finished_at,
    )
