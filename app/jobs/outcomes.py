"""How a turn of work ends, and when failed work is tried again: pure decisions, tested by table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from app.core.errors import (
    ConnectionRefused,
    ConnectorError,
    OutcomeUnknown,
    RemoteRejected,
    RemoteUnavailable,
    Unavailable,
)

MAX_ATTEMPTS = 12
MAX_STARTS = 5
FIRST_DELAY = 2.0
LONGEST_DELAY = 300.0
LONGEST_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Later:
    """Go on after `delay`. `counted` failures are limited; waiting for a remote that is away burns nothing.

    `succeeded`: the work is of the standing kind, this round went well, and earlier failures are forgotten.
    """

    delay: timedelta
    reason: str
    counted: bool = False
    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class NeedsAttention:
    """A person must act: the catalogue holds the remedy for `code`, filled in with `params`."""

    code: str
    params: dict[str, str] = field(default_factory=dict[str, str])


Outcome = Done | Later | NeedsAttention


class Halt(Exception):
    """Ends the turn from deep inside with `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


def backoff(attempts: int, share: float) -> timedelta:
    """Exponential delay with jitter: `share` in [0, 1) picks the point between half and all of the step."""
    step = min(FIRST_DELAY * 2.0 ** min(attempts, 20), LONGEST_DELAY)
    return timedelta(seconds=step * (0.5 + share / 2))


def after_error(error: Exception, attempts: int, share: float, age: float = 0.0) -> Outcome:
    """What follows from an error after `attempts` counted failures, for work that is `age` seconds old.

    A remote that is away or busy: wait, without counting, the longer the older the work is: a thousand sales that wait
    for bexio must not keep the database busy. An unclear outcome: look again soon, counted. A refusal: a
    person. Anything unforeseen: try again, counted, then a person.
    """
    match error:
        case ConnectionRefused() | RemoteRejected():
            return NeedsAttention(error.code, dict(error.params))
        case RemoteUnavailable():
            patience = min(age / 10, LONGEST_PATIENCE) * (0.5 + share / 2)
            delay = max(error.retry_after, patience, backoff(min(attempts, 3), share).total_seconds())
            return Later(timedelta(seconds=delay), error.code)
        case Unavailable():
            return Later(backoff(1, share), error.code)
        case ConnectorError():
            code, params = error.code, dict(error.params)
        case _:
            code, params = "internal-error", {"kind": type(error).__name__}
    if attempts + 1 >= MAX_ATTEMPTS:
        given_up = "outcome-stays-unknown" if isinstance(error, OutcomeUnknown) else code
        return NeedsAttention(given_up, params)
    return Later(backoff(attempts, share), code, counted=True)


def limited(outcome: Outcome, attempts: int) -> Outcome:
    """A turn may ask for another one after a failure that counts, but not for ever."""
    if isinstance(outcome, Later) and outcome.counted and attempts + 1 >= MAX_ATTEMPTS:
        return NeedsAttention(outcome.reason)
    return outcome
