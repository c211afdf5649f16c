"""Who may activate: the marketplace's signature by the Standard Webhooks scheme. Pure.

HMAC-SHA256 over `id.timestamp.body`, several signatures in one header while the sender rotates its secret, several
secrets here while we do.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from app.core.errors import Unauthenticated

TOLERANCE = timedelta(minutes=5)
MOST_SIGNATURES = 10
SHORTEST_SECRET = 24

_ID = re.compile(r"[\x21-\x7e]{1,255}")
_TIMESTAMP = re.compile(r"[1-9][0-9]{0,11}")


@dataclass(frozen=True, slots=True)
class Signatures:
    """The secrets that a webhook may be signed with; none: nobody may."""

    secrets: tuple[Webhook, ...] = field(repr=False)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The webhook's id, when one of its signatures is made with one of our secrets over exactly these bytes.

        Raises:
            Unauthenticated: `webhook-not-signed`, `webhook-too-old`, `webhook-signature-wrong`.
        """
        identity, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        given = [_decoded(one) for one in headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]]
        if not _ID.fullmatch(identity) or not _TIMESTAMP.fullmatch(stamp) or not any(given):
            raise Unauthenticated("webhook-not-signed")
        signed_at = _moment(stamp)
        if signed_at is None or abs(now - signed_at) > TOLERANCE:
            raise Unauthenticated("webhook-too-old")
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            # What is signed is text: nothing else can be signed with any secret.
            raise Unauthenticated("webhook-signature-wrong") from error
        # Every pair is compared, whichever fits, so that the time it takes tells nothing.
        fitting = 0
        for secret in self.secrets:
            expected = _decoded(secret.sign(identity, signed_at, text))
            for one in given:
                fitting += hmac.compare_digest(expected, one)
        if not fitting:
            raise Unauthenticated("webhook-signature-wrong")
        return identity


def signatures(setting: str | None) -> Signatures:
    """Reads `CONNECTOR_MARKETPLACE_SECRET`: one `whsec_...`, or several separated by blanks or commas.

    Raises:
        ValueError: one of them is no secret. The text does not show it.
    """
    found: list[Webhook] = []
    for place, one in enumerate((setting or "").replace(",", " ").split(), start=1):
        try:
            key = base64.b64decode(one.removeprefix("whsec_") + "==", validate=False)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) < SHORTEST_SECRET:
            needed = f"whsec_ and {SHORTEST_SECRET} or more bytes in base64"
            raise ValueError(f"Secret {place} of CONNECTOR_MARKETPLACE_SECRET is not {needed}.")
        found.append(Webhook(key))
    return Signatures(tuple(found))


def _decoded(signature: str) -> bytes:
    """The bytes of `v1,<base64>`; none for another version or what is no base64."""
    version, _, encoded = signature.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None
