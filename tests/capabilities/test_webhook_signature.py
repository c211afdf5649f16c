"""Who may activate: the Standard Webhooks scheme, to the byte."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import inspect
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from app.capabilities.provisioning import signature
from app.capabilities.provisioning.signature import Signatures, signatures
from app.core.errors import Unauthenticated
from tests.fixtures.shop import NOON

OLD = "whsec_" + base64.b64encode(b"old secret of the marketplace").decode()
NEW = "whsec_" + base64.b64encode(b"new secret of the marketplace").decode()
BODY = json.dumps({"activation_id": "act_1", "name": "Zürihorn"}, ensure_ascii=False).encode()
BOTH = signatures(f"{NEW} {OLD}")


def signed(secret: str = NEW, *, body: bytes = BODY, at: datetime = NOON, name: str = "msg_1") -> dict[str, str]:
    """Headers as the scheme's specification says, made without its library."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def refused(known: Signatures, headers: dict[str, str], body: bytes = BODY, now: datetime = NOON) -> str:
    with pytest.raises(Unauthenticated) as error:
        known.verify(headers, body, now)
    return error.value.code


def test_a_right_signature_gives_the_webhooks_id() -> None:
    assert BOTH.verify(signed(), BODY, NOON) == "msg_1"


def test_the_specifications_own_example_is_taken() -> None:
    known = signatures("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert known.verify(headers, body, datetime.fromtimestamp(1614265330, UTC)) == headers["webhook-id"]


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_during_a_rotation_both_secrets_hold(secret: str) -> None:
    assert BOTH.verify(signed(secret), BODY, NOON) == "msg_1"


@pytest.mark.parametrize("separator", [" ", ",", ", ", "\n", " , "])
def test_secrets_are_separated_by_blanks_or_commas(separator: str) -> None:
    known = signatures(f"{NEW}{separator}{OLD}")
    assert known.verify(signed(OLD), BODY, NOON) == "msg_1"
    assert known.verify(signed(NEW), BODY, NOON) == "msg_1"


def test_a_sender_that_rotates_sends_several_signatures() -> None:
    other = signed("whsec_" + base64.b64encode(b"a secret that nobody here knows").decode())
    headers = {**signed(), "webhook-signature": f"{other['webhook-signature']} v1a,x {signed()['webhook-signature']}"}
    assert BOTH.verify(headers, BODY, NOON) == "msg_1"


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(missing: str) -> None:
    headers = signed()
    del headers[missing]
    assert refused(BOTH, headers) == "webhook-not-signed"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,not base64!"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "٣"},
        {"webhook-id": "a b"},
        {"webhook-id": "x" * 300},
    ],
)
def test_a_header_that_is_not_understood_is_refused(changed: dict[str, str]) -> None:
    assert refused(BOTH, {**signed(), **changed}) == "webhook-not-signed"


def test_a_wrong_secret_is_refused() -> None:
    wrong = "whsec_" + base64.b64encode(b"a secret that nobody here knows").decode()
    assert refused(BOTH, signed(wrong)) == "webhook-signature-wrong"


def test_without_a_secret_nobody_may() -> None:
    assert refused(signatures(None), signed()) == "webhook-signature-wrong"
    assert refused(signatures("  "), signed()) == "webhook-signature-wrong"


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 10**9])
def test_old_and_future_signatures_are_refused(seconds: int) -> None:
    assert refused(BOTH, signed(at=NOON), now=NOON + timedelta(seconds=seconds)) == "webhook-too-old"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_tolerated(seconds: int) -> None:
    assert BOTH.verify(signed(at=NOON), BODY, NOON + timedelta(seconds=seconds)) == "msg_1"


def test_a_body_changed_by_any_byte_is_refused() -> None:
    headers = signed()
    for place in range(len(BODY)):
        changed = bytearray(BODY)
        changed[place] ^= 1
        assert refused(BOTH, headers, bytes(changed)) == "webhook-signature-wrong"
    for changed in (BODY + b" ", b"\xef\xbb\xbf" + BODY, BODY[:-1], b""):
        assert refused(BOTH, headers, changed) == "webhook-signature-wrong"


def test_id_and_timestamp_are_signed_too() -> None:
    assert refused(BOTH, {**signed(), "webhook-id": "msg_2"}) == "webhook-signature-wrong"
    later = str(int(NOON.timestamp()) + 1)
    assert refused(BOTH, {**signed(), "webhook-timestamp": later}) == "webhook-signature-wrong"
    # The same bytes cut at another place.
    shifted = {**signed(name="msg.1"), "webhook-id": "msg"}
    assert refused(BOTH, shifted) == "webhook-signature-wrong"


@given(body=st.binary(max_size=200), header=st.text(max_size=100), stamp=st.text(max_size=20))
def test_nothing_that_is_sent_breaks_it(body: bytes, header: str, stamp: str) -> None:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": header}
    refused(BOTH, headers, body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": signed()["webhook-timestamp"], "webhook-signature": header}
    refused(BOTH, headers, body)


@given(body=st.text().map(str.encode))
def test_what_the_schemes_library_signs_is_taken(body: bytes) -> None:
    value = Webhook(NEW).sign("msg_1", NOON, body.decode())
    headers = {**signed(), "webhook-signature": value}
    assert BOTH.verify(headers, body, NOON) == "msg_1"


@pytest.mark.parametrize("setting", ["whsec_", "whsec_c2hvcnQ=", "not/base64 at all!", f"{NEW} short"])
def test_a_secret_that_is_none_is_refused_without_showing_it(setting: str) -> None:
    with pytest.raises(ValueError, match="CONNECTOR_MARKETPLACE_SECRET") as error:
        signatures(setting)
    assert not any(part in str(error.value) for part in ("c2hvcnQ", "not/base64", NEW))
    assert NEW not in repr(BOTH)


def test_signatures_are_compared_in_constant_time() -> None:
    """Only `hmac.compare_digest` ever sees what was expected, and every pair is compared."""
    tree = ast.parse(Path(inspect.getfile(signature)).read_text())
    verify = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "verify")
    uses = [node for node in ast.walk(verify) if isinstance(node, ast.Name) and node.id == "expected"]
    calls = [
        node
        for node in ast.walk(verify)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hmac.compare_digest"
    ]
    read = [node for node in uses if isinstance(node.ctx, ast.Load)]
    assert [ast.unparse(call) for call in calls] == ["hmac.compare_digest(expected, one)"]
    assert len(read) == 1
    loops = [node for node in ast.walk(verify) if isinstance(node, ast.For)]
    assert not any(isinstance(node, ast.Break | ast.Return) for loop in loops for node in ast.walk(loop))
